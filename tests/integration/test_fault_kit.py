"""Each fault against the real nginx: what the client sees, what nginx logs, and that all counts agree in the end."""

import asyncio
import contextlib
import http.client
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from lab.config import BackendSpec
from lab.errors import LabError
from lab.faults.fault import Fault, FaultKind, in_words
from lab.models import BackendView, Snapshot
from lab.session import LabSession
from lab.states import BackendState
from lab.traffic.plan import TrafficSpec
from lab.witnesses import Attempt
from tests.integration.conftest import StartLab
from tests.integration.facts import HOST, ask, ask_times, backend_at, seen

HARDY = BackendSpec(max_fails=0)
"""nginx never puts it aside, so that its fault is met over and over."""


@dataclass(frozen=True)
class Case:
    """A fault, and what is to be seen of it."""

    fault: Fault
    is_seen: Callable[[BackendView, Snapshot, list[Attempt]], object]
    """By what it is known that the fault has been met: the backend, the snapshot, nginx's attempts on the backend."""
    client_sees: frozenset[str] = frozenset()
    """The failures that the lab's client may have; none for what nginx retries."""
    state: BackendState = BackendState.UP


def has(attempts: list[Attempt], status: int, *, is_answer: bool, times: int = 3) -> bool:
    return [(attempt.status, attempt.is_answer) for attempt in attempts].count((status, is_answer)) >= times


CASES = [
    Case(Fault(FaultKind.KILL), lambda _, __, tried: has(tried, 502, is_answer=False), state=BackendState.KILLED),
    Case(Fault(FaultKind.TERMINATE), lambda _, __, tried: has(tried, 502, is_answer=False), state=BackendState.EXITED),
    Case(Fault(FaultKind.FREEZE), lambda _, __, tried: has(tried, 504, is_answer=False), state=BackendState.FROZEN),
    Case(Fault(FaultKind.SLOW, 100), lambda backend, _, __: (backend.latency.p50_ms or 0) >= 100),
    Case(Fault(FaultKind.TAIL, 30), lambda backend, _, __: (backend.latency.p99_ms or 0) >= 60),
    Case(
        Fault(FaultKind.ERRORS, status=503, share=0.5),
        lambda _, shown, tried: dict(shown.traffic.errors).get("http_503", 0) >= 3 and has(tried, 503, is_answer=True),
        frozenset({"http_503"}),
    ),
    Case(Fault(FaultKind.REFUSE), lambda _, __, tried: has(tried, 502, is_answer=False)),
    Case(
        Fault(FaultKind.RESET, share=0.5),
        lambda _, shown, __: dict(shown.traffic.errors).get("broken_off", 0) >= 3,
        frozenset({"broken_off"}),
    ),
    Case(Fault(FaultKind.SILENCE, share=0.5), lambda _, __, tried: has(tried, 504, is_answer=False)),
]


def attempts_on(port: int, shown: Snapshot) -> list[Attempt]:
    return [attempt for request in shown.feed for attempt in request.attempts if attempt.port == port]


async def more_hits(lab: LabSession, port: int) -> Snapshot:
    """Wait until it has answered some more requests."""
    wanted = lab.parts.observer.tally.totals().hits[port] + 5
    return await seen(lab, lambda shown: backend_at(shown, port).hits >= wanted, what=f"five more hits of {port}")


WITH_EACH_NGINX = (FaultKind.TERMINATE, FaultKind.REFUSE, FaultKind.RESET, FaultKind.SILENCE)
"""Where it matters whether nginx keeps its connections: 1.22 doesn't."""
RUNS = [
    pytest.param(nginx, case, id=f"{case.fault.kind}-{nginx}")
    for case in CASES
    for nginx in ("bundled", "system")
    if nginx == "bundled" or case.fault.kind in WITH_EACH_NGINX
]


@pytest.mark.parametrize(("nginx", "case"), RUNS, indirect=["nginx"])
async def test_a_fault_is_met_undone_and_accounted_for(start_lab: StartLab, nginx: str, case: Case) -> None:
    """Shown while it lasts; the client fails only where nginx can't help; undone, it serves as before."""
    lab = await start_lab(nginx=nginx, backends=(HARDY,) * 2, is_firing=True, traffic=TrafficSpec(rate_rps=60))
    port = lab.parts.ports.backends[0]
    await more_hits(lab, port)
    await lab.inject(port, case.fault)
    faulty = await seen(
        lab,
        lambda shown: (
            backend_at(shown, port).state is case.state
            and case.is_seen(backend_at(shown, port), shown, attempts_on(port, shown))
        ),
        what=f"{case.fault.kind} to be met",
    )
    assert backend_at(faulty, port).fault == in_words(case.fault)
    await lab.undo_faults(port)
    mended = backend_at(await more_hits(lab, port), port)
    assert (mended.fault, mended.state, mended.note, mended.is_slowed) == (None, BackendState.UP, None, False)
    await lab.toggle_traffic()
    last = await seen(lab, lambda shown: shown.traffic.in_flight == 0, what="the last answer")
    assert {kind for kind, _ in last.traffic.errors} == case.client_sees
    ledger = await lab.settle()
    assert ledger.is_balanced, ledger.differences
    assert ledger.client_answered == ledger.nginx_logged
    assert ledger.nginx_forwarded == ledger.backends_served


def read_what_comes(port: int) -> tuple[int, bytes, int]:
    """The answer's status, what came of its body, and how much of it was missing."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=10)) as connection:
        connection.request("GET", "/")
        with connection.getresponse() as response:
            try:
                return response.status, response.read(), 0
            except http.client.IncompleteRead as cut:
                return response.status, cut.partial, cut.expected or 0


async def test_a_reset_in_the_body_is_a_cut_answer_and_served(start_lab: StartLab, nginx: str) -> None:
    """The client gets a 200 and less than was promised; nginx has logged the header, and doesn't ask another."""
    lab = await start_lab(nginx=nginx, backends=(HARDY,) * 2)
    port = lab.parts.ports.backends[0]
    await lab.inject(port, Fault(FaultKind.RESET))
    answers = [await asyncio.to_thread(read_what_comes, lab.parts.ports.nginx) for _ in range(6)]
    assert {status for status, _, _ in answers} == {200}
    assert len([missing for _, _, missing in answers if missing > 0]) == 3
    shown = await seen(lab, lambda shown: shown.traffic.other_clients == 6, what="six requests in the log")
    tried = attempts_on(port, shown)
    assert [(attempt.status, attempt.is_answer) for attempt in tried] == [(200, True)] * 3
    ledger = await lab.settle()
    assert (ledger.nginx_forwarded, ledger.backends_served) == (6, 6)
    assert ledger.is_balanced


async def test_what_is_reset_has_got_as_far_as_half_of_the_body(start_lab: StartLab) -> None:
    """As the backend itself sends it; nginx keeps so little in its buffers and passes none of it on."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    await lab.inject(port, Fault(FaultKind.RESET))
    whole = f"Hello from Process Id = {lab.parts.fleet[port].pid}".encode()

    def read_until_reset() -> bytes:
        came = b""
        with socket.create_connection((HOST, port), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
            try:
                while piece := client.recv(4096):
                    came += piece
            except ConnectionResetError:
                return came
        raise AssertionError(f"the connection was closed in good order after {came!r}")

    header, _, body = (await asyncio.to_thread(read_until_reset)).partition(b"\r\n\r\n")
    assert header.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(whole)}".encode() in header
    assert body == whole[: len(whole) // 2]


async def test_a_refusal_meets_the_very_next_request_over_a_kept_connection(start_lab: StartLab, nginx: str) -> None:
    """nginx has connections to it open; they are ended, so that it knocks anew and is refused."""
    lab = await start_lab(nginx=nginx, backends=(HARDY,) * 2)
    port, other = lab.parts.ports.backends
    assert len(set(await ask_times(4, lab.parts.ports.nginx))) == 2
    await seen(lab, lambda _: lab.parts.fleet.served == 4, what="both to have noted their answers")
    await lab.inject(port, Fault(FaultKind.REFUSE))
    assert set(await ask_times(6, lab.parts.ports.nginx)) == {lab.parts.fleet[other].pid}
    shown = await seen(lab, lambda shown: shown.traffic.other_clients == 10, what="ten requests in the log")
    assert [attempt.is_answer for attempt in attempts_on(port, shown)[2:]] == [False] * 3
    assert lab.parts.fleet[port].counts.served == 2
    with pytest.raises(ConnectionRefusedError):
        ask(port)
    await lab.undo_faults(port)
    assert ask(port).pid == lab.parts.fleet[port].pid
    assert len(set(await ask_times(4, lab.parts.ports.nginx))) == 2


async def test_a_fault_takes_the_place_of_the_one_before(start_lab: StartLab) -> None:
    """Of whatever kind: thawed, let in again, answering as it should but for the new one."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    for fault in (
        Fault(FaultKind.FREEZE),
        Fault(FaultKind.REFUSE),
        Fault(FaultKind.ERRORS, status=418),
        Fault(FaultKind.FREEZE),
        Fault(FaultKind.SLOW, 20),
    ):
        await lab.inject(port, fault)
        backend = lab.parts.fleet[port]
        assert backend.fault == fault
        is_frozen = fault.kind is FaultKind.FREEZE
        assert backend.state is (BackendState.FROZEN if is_frozen else BackendState.UP)
        if not is_frozen and fault.kind is not FaultKind.REFUSE:
            reply = ask(port)
            assert reply.status == (418 if fault.kind is FaultKind.ERRORS else 200)
    assert (backend.is_slowed, backend.service_time_ms) == (True, 20)
    await lab.kill_backend(port)
    assert backend.fault == Fault(FaultKind.KILL)
    await lab.restart_backend(port)
    assert backend.fault is None
    assert ask(port).status == 200


async def test_an_undoing_meant_for_the_fault_before_leaves_the_new_one(start_lab: StartLab) -> None:
    """Faults by the clock may begin in the very moment in which another ends, whichever comes first."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    backend = lab.parts.fleet[port]
    old, new = Fault(FaultKind.ERRORS), Fault(FaultKind.SLOW, 20)
    for is_undone_first in (True, False):
        await lab.inject(port, old)
        commands = [backend.undo(old), backend.inject(new)]
        results = await asyncio.gather(*(commands if is_undone_first else reversed(commands)))
        assert (True in results) is is_undone_first
        assert backend.fault == new
        assert ask(port).status == 200
    await lab.inject(port, old)
    await asyncio.gather(backend.undo(old), backend.inject(Fault(FaultKind.KILL)))
    assert (backend.fault, backend.state) == (Fault(FaultKind.KILL), BackendState.KILLED)


async def test_undoing_mends_whatever_it_was(start_lab: StartLab) -> None:
    """One that is well stays as it is, PID and all; a dead one gets a new process."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    backend = lab.parts.fleet[port]
    pid = backend.pid
    await lab.undo_faults(port)
    for command in (
        partial(lab.toggle_freeze, port),
        partial(lab.slow_backend, port),
        partial(lab.inject, port, Fault(FaultKind.REFUSE)),
        partial(lab.inject, port, Fault(FaultKind.SILENCE)),
    ):
        await command()
        assert lab.parts.fleet[port].fault is not None
        await lab.undo_faults(port)
        assert (backend.pid, backend.fault, backend.state) == (pid, None, BackendState.UP)
        assert ask(port).pid == pid
    await lab.kill_backend(port)
    await lab.undo_faults(port)
    assert backend.pid != pid
    assert ask(port).pid == backend.pid


async def test_a_terminated_backend_answers_what_it_has_and_isnt_revived(start_lab: StartLab) -> None:
    """It ends with code 0, says so, and stays ended although the lab restarts what dies: it was told to end."""
    lab = await start_lab(backends=(HARDY,) * 2, restart=True, is_firing=True, traffic=TrafficSpec(rate_rps=40))
    port = lab.parts.ports.backends[0]
    await lab.inject(port, Fault(FaultKind.SLOW, 500))
    await seen(lab, lambda shown: (backend_at(shown, port).in_flight or 0) >= 2, what="requests on its hands")
    pid = lab.parts.fleet[port].pid
    await lab.inject(port, Fault(FaultKind.TERMINATE))
    assert lab.parts.fleet[port].state is BackendState.ENDING
    assert lab.parts.fleet[port].pid == pid
    with pytest.raises(LabError, match="is ending: restart it first"):
        await lab.inject(port, Fault(FaultKind.SLOW))
    shown = await seen(lab, lambda shown: backend_at(shown, port).state is BackendState.EXITED, what="its end")
    view = backend_at(shown, port)
    assert (view.note, view.fault, view.pid) == ("ended with code 0, as it was told", "terminated", None)
    await lab.toggle_traffic()
    last = await seen(lab, lambda shown: shown.traffic.in_flight == 0, what="the last answer")
    assert last.traffic.errors == ()
    assert backend_at(last, port).state is BackendState.EXITED
    ledger = await lab.settle()
    assert ledger.is_balanced, ledger.differences
    await lab.undo_faults(port)
    assert lab.parts.fleet[port].state is BackendState.UP


async def test_what_isnt_running_cant_be_made_to_fail(start_lab: StartLab) -> None:
    """Whatever the fault; the sentence has the remedy."""
    lab = await start_lab(backends=2)
    port = lab.parts.ports.backends[0]
    await lab.kill_backend(port)
    for kind in FaultKind:
        with pytest.raises(LabError, match=f"backend on port {port} isn't running: restart it first"):
            await lab.inject(port, Fault(kind))
    with pytest.raises(LabError, match=r"There is no backend on port 1\."):
        await lab.inject(1, Fault(FaultKind.KILL))
    with pytest.raises(LabError, match=r"There is no backend on port 1\."):
        await lab.undo_faults(1)
