"""What is done to backends, what nginx makes of it, and what a client notices: nothing."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from lab.backends.backend_port import Backend
from lab.backends.behaviour import Behaviour
from lab.config import BackendSpec, LabConfig
from lab.errors import LabError, NotReadyError
from lab.models import BackendView, Snapshot
from lab.session import LabSession
from lab.states import BackendState
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import HOST, ask, ask_times, backend_at, processes_in, seen, wait_until

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


async def quiet(lab: LabSession) -> Snapshot:
    """The lab once its client is paused and has all its answers."""
    await lab.toggle_traffic()
    return await seen(lab, lambda shown: shown.traffic.in_flight == 0, what="the last answer")


async def hits(lab: LabSession, more: int, port: int) -> Snapshot:
    """Wait until the backend on that port has got so many more requests."""
    wanted = lab.parts.observer.tally.totals().hits[port] + more
    return await seen(lab, lambda shown: backend_at(shown, port).hits >= wanted, what=f"{more} hits of {port}")


async def test_a_kill_under_traffic_fails_no_request(start_lab: StartLab, nginx: str) -> None:
    """nginx tries another backend; restarted, the killed one has a new PID and serves again."""
    lab = await start_lab(nginx=nginx, is_firing=True, traffic=TrafficSpec(rate_rps=80))
    port = lab.parts.ports.backends[1]
    before = await hits(lab, 3, port)
    await lab.kill_backend(port)
    pid = backend_at(before, port).pid
    assert pid is not None
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    killed = await seen(
        lab, lambda shown: shown.traffic.retried and backend_at(shown, port).failures, what="a request that was retried"
    )
    view = backend_at(killed, port)
    assert (view.state, view.pid, view.in_flight) == (BackendState.KILLED, None, None)
    assert view.note
    await lab.restart_backend(port)
    view = backend_at(await hits(lab, 3, port), port)
    assert view.state is BackendState.UP
    assert view.note is None
    assert view.pid not in (None, pid)
    last = await quiet(lab)
    assert (last.traffic.failed, last.traffic.errors) == (0, ())


async def test_the_ledger_survives_kills_under_traffic(start_lab: StartLab) -> None:
    """What a killed backend had answered is counted to the last answer; none is put aside, so that none is missed."""
    lab = await start_lab(backends=(BackendSpec(max_fails=0),) * 3, is_firing=True, traffic=TrafficSpec(rate_rps=100))
    for port in lab.parts.ports.backends:
        await hits(lab, 5, port)
        await lab.kill_backend(port)
        await lab.restart_backend(port)
    assert (await quiet(lab)).traffic.failed == 0
    ledger = await lab.settle()
    assert ledger.is_balanced, ledger.differences


@posix_only
async def test_a_frozen_backend_is_a_timeout_that_nginx_retries(start_lab: StartLab) -> None:
    """It accepts and never answers; nginx gives it up and asks another one. Thawed, it serves again."""
    lab = await start_lab(backends=2, is_firing=True, traffic=TrafficSpec(rate_rps=40))
    port = lab.parts.ports.backends[0]
    await hits(lab, 3, port)
    await lab.toggle_freeze(port)
    frozen = await seen(lab, lambda shown: backend_at(shown, port).state is BackendState.FROZEN, what="it to be frozen")
    pid = backend_at(frozen, port).pid
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    await seen(
        lab, lambda shown: shown.traffic.retried and backend_at(shown, port).failures, what="a request that was retried"
    )
    await lab.toggle_freeze(port)
    view = backend_at(await hits(lab, 3, port), port)
    assert (view.state, view.pid, view.note) == (BackendState.UP, pid, None)
    last = await quiet(lab)
    assert (last.traffic.failed, last.traffic.errors) == (0, ())


@posix_only
async def test_a_backend_that_somebody_else_stops_is_frozen_until_somebody_lets_it_go_on(start_lab: StartLab) -> None:
    """By the system's word, whoever it was: the lab shows it within a second or two, and undoes it."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    backend = lab.parts.fleet[port]
    process = psutil.Process(backend.pid)

    async def turns(state: BackendState) -> BackendView:
        shown = await seen(lab, lambda now: backend_at(now, port).state is state, what=f"it to be {state}")
        return backend_at(shown, port)

    process.suspend()
    assert (await turns(BackendState.FROZEN)).note == "stopped by somebody else: accepts, never answers"
    await lab.undo_faults(port)
    assert (backend.state, backend.note) == (BackendState.UP, None)
    assert ask(port).pid == process.pid
    await lab.toggle_freeze(port)
    process.resume()
    thawed = await turns(BackendState.UP)
    assert (thawed.fault, thawed.note) == (None, None)
    assert ask(port).pid == process.pid


@posix_only
@pytest.mark.parametrize("command", [LabSession.undo_faults, LabSession.toggle_freeze])
async def test_a_command_knows_that_somebody_has_just_stopped_the_backend(
    start_lab: StartLab, command: Callable[[LabSession, int], Awaitable[None]]
) -> None:
    """Before the lab has looked by itself: what is stopped is thawed."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    process = psutil.Process(lab.parts.fleet[port].pid)
    process.suspend()
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, what="it to be stopped")
    await command(lab, port)
    assert ask(port).pid == process.pid


async def test_a_slowed_backend_takes_longer_and_the_others_dont(start_lab: StartLab) -> None:
    """Step by step, and after the last step it is as fast as before."""
    lab = await start_lab(backends=2, is_firing=True, traffic=TrafficSpec(rate_rps=40))
    port = lab.parts.ports.backends[0]
    await lab.slow_backend(port)
    await lab.slow_backend(port)
    lab.zero_counters()
    snapshot = await seen(
        lab,
        lambda shown: (
            (backend_at(shown, port).latency.p50_ms or 0) >= 100
            and all(backend.latency.count >= 5 for backend in shown.backends)
        ),
        what="latencies of both",
    )
    slow, fast = snapshot.backends
    assert (slow.is_slowed, slow.service_time_ms) == (True, 100)
    assert (fast.is_slowed, fast.service_time_ms) == (False, 0)
    assert fast.latency.p50_ms is not None
    assert fast.latency.p50_ms < 100
    for _ in range(3):
        await lab.slow_backend(port)
    snapshot = await seen(lab, lambda shown: not backend_at(shown, port).is_slowed, what="it to be fast again")
    assert backend_at(snapshot, port).service_time_ms == 0


@posix_only
async def test_a_backend_that_somebody_else_kills_is_shown_as_ended(start_lab: StartLab) -> None:
    """With the signal that ended it; the lab says that it runs no more when asked to do something with it."""
    lab = await start_lab(backends=2)
    port = lab.parts.ports.backends[0]
    pid = lab.parts.fleet[port].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    snapshot = await seen(
        lab, lambda shown: backend_at(shown, port).state is BackendState.EXITED, what="its end to be noticed"
    )
    assert backend_at(snapshot, port).note == "ended by signal 9"
    assert backend_at(snapshot, port).pid is None
    for command in (lab.kill_backend, lab.toggle_freeze, lab.slow_backend):
        with pytest.raises(LabError, match=f"backend on port {port} isn't running: restart it first"):
            await command(port)
    await lab.restart_backend(port)
    assert len(set(await ask_times(4, lab.parts.ports.nginx))) == 2


@posix_only
async def test_with_restart_a_dead_backend_comes_back_by_itself(start_lab: StartLab) -> None:
    """Whoever killed it."""
    lab = await start_lab(backends=2, restart=True)
    first, second = lab.parts.ports.backends
    pids = {port: lab.parts.fleet[port].pid for port in (first, second)}
    os.kill(pids[first] or 0, signal.SIGKILL)
    await lab.kill_backend(second)
    snapshot = await seen(
        lab,
        lambda shown: all(
            backend.state is BackendState.UP and backend.pid not in pids.values() for backend in shown.backends
        ),
        what="both to come back with new PIDs",
    )
    assert len({backend.pid for backend in snapshot.backends}) == 2
    shown = await seen(lab, lambda shown: len(shown.notices) == 2, what="both to be told of")
    assert {backend.revivals for backend in shown.backends} == {1}
    assert set(shown.notices) == {
        f"The backend on port {first} was gone (ended by signal 9): --restart brought it back.",
        f"The backend on port {second} was gone (killed with SIGKILL): --restart brought it back.",
    }


async def test_a_backend_that_cant_start_is_left_alone_after_five_tries(
    start_lab: StartLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try is announced; in the end its last words on stderr are shown. Restarted by hand, it serves again."""
    monkeypatch.setattr("lab.backends.revival.BACKOFF_SECONDS", 0.1)
    lab = await start_lab(backends=2, restart=True)
    port = lab.parts.ports.backends[0]
    notes: list[str] = []

    def is_left_alone(shown: Snapshot) -> bool:
        view = backend_at(shown, port)
        notes.extend([view.note] if view.note else [])
        return (view.note or "").startswith("left alone")

    backend = lab.parts.fleet[port]
    psutil.Process(backend.pid).kill()
    await backend.end
    with socket.create_server((HOST, port)):
        left = await seen(lab, is_left_alone, what="it to be left alone")
    view = backend_at(left, port)
    assert view.state is BackendState.EXITED
    assert (view.note or "").startswith("left alone after 5 tries: ended with code 3: Can't listen on port")
    assert any(re.match(r"restarting in 0\.[24] s \(try [23] of 5\): ended with code 3: Can't", note) for note in notes)
    assert any(note.startswith("restarting in 1.6 s (try 5 of 5): ") for note in notes)
    assert view.revivals == 0
    why, *last_words = view.left_alone or ()
    assert why == "ended with code 3"
    assert last_words[-1].startswith("Can't listen on port")
    assert "keeps failing and is left alone after 5 tries: ended with code 3: Can't" in left.notices[-1]
    await lab.restart_backend(port)
    again = await seen(lab, lambda shown: backend_at(shown, port).state is BackendState.UP, what="it to be up again")
    assert (backend_at(again, port).left_alone, backend_at(again, port).note) == (None, None)
    assert len(set(await ask_times(4, lab.parts.ports.nginx))) == 2


async def test_without_restart_a_dead_backend_stays_dead(start_lab: StartLab) -> None:
    """Nobody starts a process behind the learner's back, neither now nor in a while."""
    lab = await start_lab(backends=2)
    port = lab.parts.ports.backends[0]
    await lab.kill_backend(port)
    for _ in range(5):
        await lab.fire_once()
    snapshot = await seen(lab, lambda shown: shown.traffic.answered == 5, what="five answers by the other one")
    assert backend_at(snapshot, port).state is BackendState.KILLED
    assert lab.parts.fleet._reviver is None


@posix_only
async def test_every_state_can_be_restarted(start_lab: StartLab) -> None:
    """Up, frozen or killed: a new process with a new PID, and the old one is gone."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    pids = [lab.parts.fleet[port].pid]
    for command in (None, lab.toggle_freeze, lab.kill_backend):
        if command is not None:
            await command(port)
        await lab.restart_backend(port)
        pids.append(lab.parts.fleet[port].pid)
        assert lab.parts.fleet[port].state is BackendState.UP
        assert await ask_times(1, lab.parts.ports.nginx) == [pids[-1]]
    assert None not in pids
    assert len(set(pids)) == 4
    assert not [pid for pid in pids[:-1] if pid is not None and psutil.pid_exists(pid)]


async def test_two_hasty_restarts_leave_one_backend_that_serves(place: Place, start_lab: StartLab) -> None:
    """The key pressed twice is no reason to lose it."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    ends = await asyncio.gather(lab.restart_backend(port), lab.restart_backend(port), return_exceptions=True)
    assert [end for end in ends if end is not None and not isinstance(end, LabError)] == []
    backend = lab.parts.fleet[port]
    assert backend.state is BackendState.UP, backend.note
    assert await ask_times(2, lab.parts.ports.nginx) == [backend.pid] * 2
    backends = [process for process in processes_in(place.folder) if "lab.backend" in process.cmdline()]
    assert [process.pid for process in backends] == [backend.pid]


async def test_a_kill_during_a_restart_leaves_no_doubt(start_lab: StartLab) -> None:
    """Whichever wins, state and process agree."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    ends = await asyncio.gather(lab.restart_backend(port), lab.kill_backend(port), return_exceptions=True)
    assert [end for end in ends if end is not None and not isinstance(end, LabError)] == []
    backend = lab.parts.fleet[port]
    assert backend.state in (BackendState.UP, BackendState.KILLED, BackendState.EXITED)
    if backend.state is BackendState.UP:
        assert backend.pid is not None
        assert psutil.pid_exists(backend.pid)
        assert await ask_times(1, lab.parts.ports.nginx) == [backend.pid]
    await lab.restart_backend(port)
    assert backend.state is BackendState.UP


async def test_a_backend_that_dies_while_starting_is_told_with_its_last_words(place: Place, tmp_path: Path) -> None:
    """Here because its port is taken, which it says on stderr."""
    backend = Backend(place.base_port, tmp_path, Behaviour(), on_start=lambda pid: None, on_end=lambda ended: None)
    with socket.create_server((HOST, place.base_port)), pytest.raises(NotReadyError) as refusal:
        await backend.start()
    sentence = str(refusal.value)
    assert sentence.startswith(f"The backend on port {place.base_port} didn't start: Can't listen on port")
    assert "\n" not in sentence
    await backend.stop()


async def test_a_lab_whose_backends_cant_start_fails_and_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence comes from the backend, and everything that had been started is ended."""
    monkeypatch.setattr("lab.session.require_free", lambda ports: None)
    lab = LabSession(LabConfig(port=place.port, base_port=place.base_port))
    with socket.create_server((HOST, place.base_port + 2)):
        try:
            with pytest.raises(NotReadyError, match=f"backend on port {place.base_port + 2} didn't start"):
                await lab.start()
        finally:
            await lab.stop()
    place.wait_until_empty()


async def test_a_failed_start_that_finds_the_port_taken_leaves_nothing(place: Place) -> None:
    """nginx's port this time."""
    lab = LabSession(LabConfig(port=place.port, base_port=place.base_port))
    with socket.create_server((HOST, place.port)):
        try:
            with pytest.raises(NotReadyError, match=f"Port {place.port} is taken by .* \\(PID {os.getpid()}\\)"):
                await lab.start()
        finally:
            await lab.stop()
    place.wait_until_empty()


async def test_a_client_that_knocks_while_the_lab_starts_benches_nobody(
    place: Place, start_lab: StartLab, nginx: str
) -> None:
    """nginx that ran before its backends would give them up for fail_timeout, and the lab would begin with failures."""
    is_over = threading.Event()
    statuses: list[int] = []

    def knock() -> None:
        while not is_over.is_set():
            with contextlib.suppress(OSError):
                statuses.append(ask(place.port).status)

    knocking = asyncio.create_task(asyncio.to_thread(knock))
    try:
        lab = await start_lab(nginx=nginx, backends=5)
        await seen(lab, lambda shown: shown.traffic.other_clients > 5, what="the other client's first requests")
    finally:
        is_over.set()
        await knocking
    assert set(statuses) == {200}


STARTING = [
    "nginx: asking what it can do",
    "clearing away what a killed lab left behind",
    "nginx: testing the configuration",
    "starting 2 backends, the client and nginx",
]


@pytest.mark.parametrize("activity", STARTING)
async def test_a_start_can_be_broken_off_at_any_point(place: Place, activity: str) -> None:
    """Whoever quits while the lab starts leaves nothing behind."""
    lab = LabSession(LabConfig(port=place.port, base_port=place.base_port, backends=(BackendSpec(),) * 2))
    start = asyncio.create_task(lab.start())
    await seen(lab, lambda shown: shown.activity == activity or start.done(), what=f"{activity!r} to begin")
    start.cancel()
    await asyncio.wait((start,))
    await lab.stop()
    place.wait_until_empty()


@pytest.mark.parametrize("activity", STARTING)
async def test_a_lab_may_be_stopped_while_it_starts(place: Place, activity: str) -> None:
    """stop is safe at any time: what the start hadn't begun by then it doesn't begin any more."""
    lab = LabSession(LabConfig(port=place.port, base_port=place.base_port, backends=(BackendSpec(),) * 2))
    start = asyncio.create_task(lab.start())
    await seen(lab, lambda shown: shown.activity == activity or start.done(), what=f"{activity!r} to begin")
    try:
        await lab.stop()
        await asyncio.wait((start,), timeout=5)
        assert start.done()
        place.wait_until_empty()
    finally:  # only a lab that fails this test has anything left to end
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)
        if lab._heart is not None:
            lab._heart.cancel()
        await lab._exits.aclose()


async def test_stopping_twice_is_quiet(start_lab: StartLab) -> None:
    """At once or one after the other."""
    lab = await start_lab(backends=1)
    await asyncio.gather(lab.stop(), lab.stop())
    await lab.stop()


@posix_only
async def test_stopping_a_lab_with_frozen_and_busy_backends_takes_no_time(place: Place, start_lab: StartLab) -> None:
    """Nothing in it can hold up its end."""
    lab = await start_lab(behaviour=Behaviour(service_time_ms=3_600_000), traffic=TrafficSpec(connections=3))
    await lab.fire_once()
    await seen(lab, lambda shown: shown.traffic.in_flight == 1, what="a request that hangs")
    await lab.toggle_freeze(lab.parts.ports.backends[0])
    async with asyncio.timeout(3):
        await lab.stop()
    place.wait_until_empty()


async def test_an_nginx_that_dies_fails_requests_and_not_the_lab(start_lab: StartLab) -> None:
    """The client says what went wrong; the lab can still be stopped."""
    lab = await start_lab(backends=1)
    master = lab.parts.balancer.server.master_pid
    assert master is not None
    psutil.Process(master).kill()
    await seen(lab, lambda shown: shown.nginx and shown.nginx.master_pid is None, what="nginx's end to be noticed")
    await lab.fire_once()
    snapshot = await seen(lab, lambda shown: shown.traffic.failed == 1, what="the failure")
    assert dict(snapshot.traffic.errors) == {"refused": 1}
    with pytest.raises(LabError):
        await lab.use_algorithm("least_conn")
