"""The model that follows a real nginx by its log foretells what nginx does."""

import asyncio
from http.client import HTTPConnection

import psutil
import pytest

from lab.backends.behaviour import Behaviour
from lab.config import BackendSpec
from lab.faults.fault import Fault, FaultKind
from lab.models import Snapshot
from lab.session import LabSession
from lab.traffic.plan import TrafficSpec
from lab.xray.view import XRay
from tests.integration.conftest import StartLab
from tests.integration.facts import ask, seen

PATHS = ("/", "/a", "/b?c=d", "/e/f", "/g", "/h")
REQUESTS = 60


def xray_of(snapshot: Snapshot) -> XRay:
    assert snapshot.xray is not None
    return snapshot.xray


async def ask_in_turn(lab: LabSession, times: int = REQUESTS) -> list[int]:
    """The ports of so many requests, one after the other."""

    def really() -> list[int]:
        replies = [ask(lab.parts.ports.nginx, PATHS[number % len(PATHS)]) for number in range(times)]
        return [int(reply.headers["x-upstream"].rpartition(":")[2]) for reply in replies]

    return await asyncio.to_thread(really)


async def xray_after(lab: LabSession, foretold: int) -> XRay:
    """The X-ray once the model has gone through so many requests."""
    return xray_of(await seen(lab, lambda shown: xray_of(shown).foretold >= foretold, what=f"{foretold} picks"))


@pytest.mark.parametrize("algorithm", ["round_robin", "least_conn", "ip_hash", "hash", "hash_consistent"])
async def test_each_of_a_sequence_is_foretold(start_lab: StartLab, nginx: str, algorithm: str) -> None:
    """With weights, and what is told of the last one is true of it."""
    weights = tuple(BackendSpec(weight=weight) for weight in (5, 1, 2))
    lab = await start_lab(nginx=nginx, algorithm=algorithm, backends=weights)
    ports = await ask_in_turn(lab)
    xray = await xray_after(lab, REQUESTS)
    assert (xray.right, xray.foretold) == (REQUESTS, REQUESTS)
    assert [pick.port for pick in xray.picks] == ports[-len(xray.picks) :]
    assert xray.last is not None
    assert xray.last.sentence.startswith(f"it went to {ports[-1]}: ")
    assert {peer.port: peer.hits for peer in xray.peers} == {port: ports.count(port) for port in lab.parts.fleet.ports}
    assert xray.next_port is not None
    if algorithm not in {"hash", "hash_consistent"}:
        assert await ask_in_turn(lab, 1) == [xray.next_port]


async def test_clients_on_other_addresses_are_foretold(start_lab: StartLab, nginx: str) -> None:
    """By ip_hash, each by its own: 127.0.0.1 and 127.7.8.9, as `curl --interface` would have it."""
    lab = await start_lab(nginx=nginx, algorithm="ip_hash", backends=3)

    def ask_from(address: str) -> None:
        client = HTTPConnection("127.0.0.1", lab.parts.ports.nginx, timeout=5, source_address=(address, 0))
        client.request("GET", "/")
        client.getresponse().read()
        client.close()

    for address in ("127.0.0.1", "127.7.8.9", "127.200.1.1") * 3:
        await asyncio.to_thread(ask_from, address)
    xray = await xray_after(lab, 9)
    assert (xray.right, xray.foretold) == (9, 9)
    assert len({pick.port for pick in xray.picks}) > 1


async def test_least_time_is_foretold_from_what_the_answers_took(start_lab: StartLab) -> None:
    """One backend is slow: nginx turns away from it, and the model, which reads the same times, with it."""
    lab = await start_lab(nginx="bundled", algorithm="least_time", backends=3)
    slow = lab.parts.ports.backends[0]
    await lab.inject(slow, Fault(FaultKind.SLOW, service_time_ms=120))
    ports = await ask_in_turn(lab)
    xray = await xray_after(lab, REQUESTS)
    assert xray.foretold - xray.right <= 1, xray
    assert ports.count(slow) < REQUESTS // 6
    assert {peer.port: peer.hits for peer in xray.peers} == {port: ports.count(port) for port in lab.parts.fleet.ports}


async def test_a_change_of_the_configuration_begins_the_rounds_anew(start_lab: StartLab, nginx: str) -> None:
    """The record does, too; and the model knows the new weights."""
    lab = await start_lab(nginx=nginx)
    await ask_in_turn(lab, 7)
    await lab.change_weight(lab.parts.ports.backends[1], 3)
    await ask_in_turn(lab, 20)
    await lab.use_algorithm("least_conn")
    await ask_in_turn(lab, 20)
    xray = await xray_after(lab, 20)
    assert xray.algorithm == "least_conn"
    assert xray.right == xray.foretold == 20
    assert sum(peer.hits for peer in xray.peers) == 20


@pytest.mark.parametrize("is_master", [True, False], ids=["nginx", "worker"])
async def test_what_a_dead_nginx_knew_is_shown_no_longer(
    start_lab: StartLab, excused: list[str], is_master: bool
) -> None:
    """Nobody fires until the next one runs: it has picked nothing yet, and begins its rounds with the first."""
    excused.append("exited on signal 9")
    lab = await start_lab(backends=3)
    await ask_in_turn(lab, 4)
    await xray_after(lab, 4)
    nginx = psutil.Process(lab.parts.balancer.server.master_pid)
    (nginx if is_master else nginx.children()[0]).kill()
    xray = xray_of(await seen(lab, lambda shown: not xray_of(shown).picks, what="the X-ray to forget"))
    assert xray.next_port == lab.parts.ports.backends[0]
    assert xray.foretold == 4


async def test_failures_and_retries_are_followed(start_lab: StartLab, nginx: str) -> None:
    """One is killed, put aside, and tried again in vain; it comes back, and gets its weight again step by step."""
    lab = await start_lab(nginx=nginx, is_firing=True, traffic=TrafficSpec(rate_rps=40))
    port = lab.parts.ports.backends[1]
    await xray_after(lab, 10)
    await lab.kill_backend(port)
    put_aside = await seen(
        lab,
        lambda shown: [peer for peer in xray_of(shown).peers if peer.port == port and peer.refusal],
        what="the model to put it aside",
    )
    await xray_after(lab, xray_of(put_aside).foretold + 100)
    await lab.restart_backend(port)
    xray = await xray_after(lab, xray_of(put_aside).foretold + 240)
    assert xray.foretold - xray.right <= xray.foretold // 50, xray


async def test_requests_that_overlap_are_put_in_their_order(start_lab: StartLab, nginx: str) -> None:
    """Each takes 40 ms, and three or four are under way at a time: nginx logs them long after their picks."""
    lab = await start_lab(
        nginx=nginx,
        algorithm="least_conn",
        is_firing=True,
        behaviour=Behaviour(service_time_ms=40),
        traffic=TrafficSpec(rate_rps=80),
    )
    xray = await xray_after(lab, 240)
    assert xray.foretold - xray.right <= xray.foretold // 7, xray  # on a busy machine more fall into one millisecond


async def test_what_is_left_to_chance_has_odds_and_a_verdict(start_lab: StartLab, nginx: str) -> None:
    """Nothing is foretold of random; the hits are held against the odds."""
    lab = await start_lab(nginx=nginx, algorithm="random", backends=3)
    await ask_in_turn(lab)
    snapshot = await seen(
        lab, lambda shown: sum(peer.hits for peer in xray_of(shown).peers) == REQUESTS, what="all hits"
    )
    xray = xray_of(snapshot)
    assert xray.foretold == 0
    assert [peer.odds for peer in xray.peers] == [pytest.approx(1 / 3)] * 3
    assert xray.rule is None
    assert sum(peer.hits for peer in xray.peers) == REQUESTS


async def test_several_workers_have_no_xray(start_lab: StartLab, nginx: str) -> None:
    """It says why."""
    lab = await start_lab(nginx=nginx, nginx_workers=2)
    snapshot = await seen(lab, lambda shown: shown.xray is not None, what="a snapshot")
    assert xray_of(snapshot).why_not == "each of nginx's 2 workers picks for itself, so there is no X-ray"
