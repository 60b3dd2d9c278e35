"""What a backend's port refuses, and leaves as it was."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from lab.backend_port import Backend
from lab.backend_process import BackendProcess
from lab.config import Behaviour
from lab.errors import LabError
from lab.faults import Fault, FaultKind
from lab.models import BackendState

COMMANDS: dict[str, Callable[[Backend], Awaitable[None]]] = {
    "kill": lambda backend: backend.kill(),
    "freeze": lambda backend: backend.toggle_freeze(),
    "slow": lambda backend: backend.slow_down(),
    "terminate": lambda backend: backend.inject(Fault(FaultKind.TERMINATE)),
}


def a_backend(folder: Path, state: BackendState, *, has_ended: bool) -> Backend:
    """With a process that can't be told anything."""
    backend = Backend(71, folder, Behaviour(), on_start=lambda _: None, on_end=lambda _: None)
    backend.state = state
    backend._process = cast("BackendProcess", SimpleNamespace(pid=1, has_ended=has_ended))
    return backend


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_backend_that_has_just_died_refuses_commands_and_stays_as_it_was(tmp_path: Path, command: str) -> None:
    """Its end is known before its last words are: until they are, it still counts as up."""
    backend = a_backend(tmp_path, BackendState.UP, has_ended=True)
    with pytest.raises(LabError, match="isn't running: restart it first"):
        await COMMANDS[command](backend)
    assert (backend.state, backend.fault, backend.note) == (BackendState.UP, None, None)


async def test_a_backend_that_starts_cant_be_frozen(tmp_path: Path) -> None:
    """It would never listen, and the start would fail for no reason that a person sees."""
    backend = a_backend(tmp_path, BackendState.STARTING, has_ended=False)
    with pytest.raises(LabError, match="still starting: wait a moment"):
        await backend.toggle_freeze()
    assert (backend.state, backend.fault) == (BackendState.STARTING, None)
