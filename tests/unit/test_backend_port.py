"""What a backend's port refuses, and leaves as it was."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from lab.backends.backend_port import OBEDIENCE_SECONDS, Backend
from lab.backends.backend_process import BackendProcess
from lab.backends.behaviour import Behaviour
from lab.backends.port_life import PortLife
from lab.backends.revival import TRIES, Reviver
from lab.errors import LabError, NotReadyError
from lab.faults.fault import Fault, FaultKind
from lab.machine.processes import Child
from lab.states import BackendState
from tests.unit.clock import in_virtual_time

NO_ROOM = "The system doesn't let a further process (lab.backend) start (too many)"
COMMANDS: dict[str, Callable[[Backend], Awaitable[None]]] = {
    "kill": lambda backend: backend.kill(),
    "freeze": lambda backend: backend.toggle_freeze(),
    "slow": lambda backend: backend.slow_down(below_ms=2000),
    "terminate": lambda backend: backend.inject(Fault(FaultKind.TERMINATE)),
}


def a_backend(folder: Path, state: BackendState, *, has_ended: bool) -> Backend:
    """With a process that can't be told anything."""
    backend = Backend(71, folder, Behaviour(), on_start=lambda _: None, on_end=lambda _: None)
    backend.state = state
    backend._process = cast("BackendProcess", SimpleNamespace(pid=1, has_ended=has_ended, is_stopped=lambda: None))
    return backend


def a_dead_backend(folder: Path, on_end: Callable[[PortLife], None]) -> Backend:
    """Whose process has ended with an error."""
    backend = Backend(71, folder, Behaviour(), on_start=lambda _: None, on_end=on_end)
    backend.state, backend.has_failed = BackendState.EXITED, True

    async def be_over() -> None:
        pass

    backend._process = cast("BackendProcess", SimpleNamespace(pid=1, has_ended=True, stop=be_over))
    backend.end = asyncio.create_task(be_over())
    return backend


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A system that lets no process start: of each attempt, the port."""
    ports: list[int] = []

    async def refuse(port: int, *_: object) -> BackendProcess:
        ports.append(port)
        raise NotReadyError(f"{NO_ROOM}.")

    monkeypatch.setattr(BackendProcess, "spawn", refuse)
    return ports


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_backend_that_has_just_died_refuses_commands_and_stays_as_it_was(tmp_path: Path, command: str) -> None:
    """Its end is known before its last words are: until they are, it still counts as up."""
    backend = a_backend(tmp_path, BackendState.UP, has_ended=True)
    with pytest.raises(LabError, match="isn't running: restart it first"):
        await COMMANDS[command](backend)
    assert (backend.state, backend.fault, backend.note) == (BackendState.UP, None, None)


@pytest.mark.parametrize(
    ("read_timeout_ms", "steps"),
    [(2000, [20, 100, 300, 1000, 0, 20]), (4000, [20, 100, 300, 1000, 3000, 0]), (1000, [20, 100, 300, 0, 20, 100])],
)
async def test_a_backend_is_slowed_as_long_as_nginx_waits_for_it(
    tmp_path: Path, read_timeout_ms: float, steps: list[float]
) -> None:
    """A longer step would be a failure to nginx, and no slowness; after the last one it is as fast as at first."""
    backend = a_backend(tmp_path, BackendState.UP, has_ended=False)

    async def obey(fault: Fault | None) -> None:
        pass

    backend._process = cast(
        "BackendProcess", SimpleNamespace(pid=1, has_ended=False, is_stopped=lambda: None, fail=obey)
    )
    seen = []
    for _ in steps:
        await backend.slow_down(below_ms=read_timeout_ms)
        seen.append(backend.service_time_ms)
    assert seen == steps


def test_a_process_is_known_by_the_pid_that_it_tells() -> None:
    """What was started may be a launcher, as the python.exe of Windows' venv is; what answers is its child."""
    process = BackendProcess(71)
    process._child = cast("Child", SimpleNamespace(pid=1))
    assert process.pid == 1
    process._hear({"event": "ready", "pid": 4711})
    assert process.pid == 4711


async def test_a_backend_that_starts_cant_be_frozen(tmp_path: Path) -> None:
    """It would never listen, and the start would fail for no reason that a person sees."""
    backend = a_backend(tmp_path, BackendState.STARTING, has_ended=False)
    with pytest.raises(LabError, match="still starting: wait a moment"):
        await backend.toggle_freeze()
    assert (backend.state, backend.fault) == (BackendState.STARTING, None)


async def test_a_backend_that_the_system_lets_no_process_start_has_failed(tmp_path: Path, refusals: list[int]) -> None:
    """It isn't starting for ever: its note says why, and undoing tries again."""
    ended: list[PortLife] = []
    backend = a_dead_backend(tmp_path, ended.append)
    for command in (backend.restart, backend.undo):
        with pytest.raises(NotReadyError, match="doesn't let a further process"):
            await command()
        assert (backend.state, backend.pid, backend.has_failed) == (BackendState.EXITED, None, True)
        assert backend.note == NO_ROOM
    assert refusals == [71, 71]
    assert ended == [backend, backend]


def test_a_system_that_lets_no_process_start_is_asked_five_times(tmp_path: Path, refusals: list[int]) -> None:
    """As often as a process that doesn't live long is started."""

    async def scenario() -> Backend:
        reviver = Reviver(lambda _: None, lambda _: None)
        backend = a_dead_backend(tmp_path, reviver.consider)
        reviver.consider(backend)
        await asyncio.sleep(60)
        return backend

    backend = in_virtual_time(scenario())
    assert refusals == [71] * TRIES
    assert backend.note == f"left alone after 5 tries: {NO_ROOM}"


def test_a_backend_is_as_the_system_says_and_does_wrong_what_it_did(tmp_path: Path) -> None:
    """Whoever stops it and lets it go on: its fault is of the lab's making, and stays."""
    backend = a_backend(tmp_path, BackendState.UP, has_ended=False)
    backend.fault = Fault(FaultKind.SLOW, 20)
    backend.note_status(is_stopped=True, looked_at=10)
    assert (backend.state, backend.note) == (BackendState.FROZEN, "stopped by somebody else: accepts, never answers")
    backend.note_status(is_stopped=False, looked_at=11)
    assert (backend.state, backend.note, backend.fault) == (BackendState.UP, None, Fault(FaultKind.SLOW, 20))


async def test_what_was_seen_before_the_labs_own_freeze_or_thaw_had_its_effect_counts_for_nothing(
    tmp_path: Path,
) -> None:
    """A look takes a moment, and so does a signal; what is seen later counts."""
    backend = a_backend(tmp_path, BackendState.UP, has_ended=False)
    nothing = SimpleNamespace(pid=1, has_ended=False, is_stopped=lambda: None, freeze=lambda: None, thaw=lambda: None)
    backend._process = cast("BackendProcess", nothing)
    for state, is_stopped in ((BackendState.FROZEN, False), (BackendState.UP, True)):
        before = time.monotonic()
        await backend.toggle_freeze()
        for looked_at in (before, time.monotonic()):
            backend.note_status(is_stopped=is_stopped, looked_at=looked_at)
            assert backend.state is state
    backend.note_status(is_stopped=True, looked_at=time.monotonic() + OBEDIENCE_SECONDS)
    assert backend.state is BackendState.FROZEN


@pytest.mark.parametrize(
    "state", [state for state in BackendState if state not in (BackendState.UP, BackendState.FROZEN)]
)
def test_one_that_starts_or_ends_or_is_dead_is_that_whether_it_is_stopped_or_not(
    tmp_path: Path, state: BackendState
) -> None:
    """Being stopped is the smaller news."""
    backend = a_backend(tmp_path, state, has_ended=False)
    for is_stopped in (True, False):
        backend.note_status(is_stopped=is_stopped, looked_at=10)
        assert (backend.state, backend.note) == (state, None)
