"""Backends that come and go while the lab runs."""

import asyncio
import socket

import psutil
import pytest

from lab.config import BackendSpec
from lab.errors import LabError, NginxRefusedError, NotReadyError
from lab.faults.fault import Fault, FaultKind
from lab.session import LabSession
from lab.states import BackendState
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import StartLab
from tests.integration.facts import HOST, ask, ask_times, backend_at, is_free, seen


def site(lab: LabSession) -> str:
    config = lab.parts.balancer.config
    assert config is not None
    return config.site


async def test_an_added_backend_gets_its_share_and_a_removed_one_nothing(start_lab: StartLab, nginx: str) -> None:
    """Under traffic, without a failure; the ledger keeps what the removed one has served."""
    lab = await start_lab(nginx=nginx, backends=2, is_firing=True, traffic=TrafficSpec(rate_rps=80))
    first, second = lab.parts.ports.backends
    await lab.add_backend()
    third = second + 1
    assert f"server 127.0.0.1:{third} fail_timeout=1s;" in site(lab)
    shown = await seen(
        lab,
        lambda shown: len(shown.backends) == 3 and backend_at(shown, third).hits >= 10,
        what="ten hits of the new one",
    )
    new = backend_at(shown, third)
    assert (new.state, new.weight, new.is_backup, new.is_down) == (BackendState.UP, 1, False, False)
    assert len({backend.pid for backend in shown.backends}) == 3
    served = lab.parts.fleet.served
    await lab.remove_backend(first)
    assert f":{first} " not in site(lab)
    assert is_free(first)
    assert [backend.port for backend in lab.parts.fleet] == [second, third]
    assert lab.parts.fleet.served >= served
    hits = lab.parts.observer.tally.totals().hits[third]
    shown = await seen(lab, lambda shown: backend_at(shown, third).hits >= hits + 10, what="traffic without it")
    assert [backend.port for backend in shown.backends] == [second, third]
    await lab.toggle_traffic()
    last = await seen(lab, lambda shown: shown.traffic.in_flight == 0, what="the last answer")
    assert (last.traffic.failed, last.traffic.errors) == (0, ())
    ledger = await lab.settle()
    assert ledger.is_balanced, ledger.differences
    assert ledger.backends_served == ledger.client_answered


async def test_a_port_that_is_taken_is_passed_over(start_lab: StartLab) -> None:
    """The next free one above the last backend's, and the same one again after it was removed."""
    lab = await start_lab(backends=1)
    (first,) = lab.parts.ports.backends
    with socket.create_server((HOST, first + 1)):
        await lab.add_backend()
        await lab.add_backend()
    assert lab.parts.fleet.ports == (first, first + 2, first + 3)
    await lab.remove_backend(first + 3)
    await lab.add_backend()
    assert lab.parts.fleet.ports == (first, first + 2, first + 3)
    assert len(set(await ask_times(6, lab.parts.ports.nginx))) == 3
    ledger = await lab.settle()
    assert lab.parts.fleet[first + 3].counts.served == 2
    assert (ledger.nginx_forwarded, ledger.backends_served) == (6, 6)


async def test_two_hasty_additions_make_two_backends(start_lab: StartLab) -> None:
    """On two ports."""
    lab = await start_lab(backends=1)
    await asyncio.gather(lab.add_backend(), lab.add_backend())
    assert len(set(await ask_times(6, lab.parts.ports.nginx))) == 3


async def test_a_removed_backend_finishes_what_it_has_on_its_hands(start_lab: StartLab) -> None:
    """Its process ends with the last answer."""
    lab = await start_lab(backends=2)
    port = lab.parts.ports.backends[0]
    await lab.inject(port, Fault(FaultKind.SLOW, 700))
    pid = lab.parts.fleet[port].pid
    asked = asyncio.create_task(asyncio.to_thread(ask, lab.parts.ports.nginx))
    await seen(lab, lambda shown: backend_at(shown, port).in_flight == 1, what="a request on its hands")
    removal = asyncio.create_task(lab.remove_backend(port))
    leaving = await seen(
        lab, lambda shown: backend_at(shown, port).state is BackendState.ENDING, what="it to be shown as ending"
    )
    assert backend_at(leaving, port).is_down
    await removal
    reply = await asked
    assert (reply.status, reply.pid) == (200, pid)
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert (await lab.settle()).is_balanced


@pytest.mark.parametrize("kind", [FaultKind.FREEZE, FaultKind.KILL, FaultKind.REFUSE])
async def test_a_backend_can_be_removed_however_it_fares(start_lab: StartLab, kind: FaultKind) -> None:
    """At once, and nobody revives it."""
    lab = await start_lab(backends=2, restart=True)
    port, other = lab.parts.ports.backends
    await lab.inject(port, Fault(kind))
    async with asyncio.timeout(4):
        await lab.remove_backend(port)
    assert lab.parts.fleet.ports == (other,)
    assert lab.parts.fleet._reviver is not None
    assert port not in lab.parts.fleet._reviver._revivals
    assert await ask_times(2, lab.parts.ports.nginx) == [lab.parts.fleet[other].pid] * 2


async def test_the_last_primary_cant_be_removed(start_lab: StartLab) -> None:
    """A sentence, and nothing changes."""
    lab = await start_lab(backends=(BackendSpec(), BackendSpec(is_backup=True)))
    port = lab.parts.ports.backends[0]
    before = site(lab)
    with pytest.raises(LabError, match=f"backend on port {port} is the last primary, and nginx needs one"):
        await lab.remove_backend(port)
    with pytest.raises(LabError, match=r"There is no backend on port 1\."):
        await lab.remove_backend(1)
    assert site(lab) == before
    assert await ask_times(1, lab.parts.ports.nginx) == [lab.parts.fleet[port].pid]


async def test_what_nginx_refuses_isnt_added(start_lab: StartLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is ended again; so is one that doesn't start."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends

    async def refuse(files: object) -> None:
        raise NginxRefusedError("nginx refused the configuration: not today")

    with monkeypatch.context() as patch:
        patch.setattr(lab.parts.balancer.server, "test", refuse)
        with pytest.raises(NginxRefusedError, match="not today"):
            await lab.add_backend()
    assert lab.parts.fleet.ports == (port,)
    assert is_free(port + 1)
    with monkeypatch.context() as patch, socket.create_server((HOST, port + 1)):
        patch.setattr("lab.parts.next_free_port", lambda after, taken: after + 1)
        with pytest.raises(NotReadyError, match=f"backend on port {port + 1} didn't start: Can't listen"):
            await lab.add_backend()
    assert lab.parts.fleet.ports == (port,)
    assert f":{port + 1}" not in site(lab)


async def test_the_detail_of_a_request_outlives_the_backend_that_answered_it(start_lab: StartLab) -> None:
    """Without that backend's word."""
    lab = await start_lab(backends=2)
    await ask_times(2, lab.parts.ports.nginx)
    shown = await seen(lab, lambda shown: len(shown.feed) == 2, what="two requests in the feed")
    port = shown.feed[0].attempts[0].port
    assert port is not None
    await lab.remove_backend(port)
    detail = await lab.request_detail(shown.feed[0])
    assert detail.nginx.status == 200
    assert detail.backends == ()
