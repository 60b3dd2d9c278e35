"""One process of a backend, and how the lab speaks with it."""

import asyncio
import contextlib
import itertools
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from lab.backends.behaviour import Behaviour
from lab.errors import LabError, NotReadyError
from lab.faults.fault import Fault
from lab.machine.processes import Child, Recollections

if TYPE_CHECKING:
    from lab.witnesses import BackendWitness

READY_SECONDS = 15.0
OBEDIENCE_SECONDS = 3.0
"""How long a process may take to do as it is told."""


class BackendProcess:
    """A process of `lab.backend`, from its start to its end."""

    def __init__(self, port: int) -> None:
        self.is_ending = asyncio.Event()
        """It was told to end (SIGTERM), by whomever, and lets nobody in any more."""
        self._port = port
        self._pid: int | None = None
        """As it says itself: what was started may have started it in turn, as the python.exe of Windows' venv does."""
        self._is_ready = asyncio.Event()
        self._recollections = Recollections()
        self._orders = itertools.count()
        self._obeyed: dict[int, asyncio.Event] = {}
        self._child: Child
        self._end: asyncio.Task[int]

    @classmethod
    async def spawn(cls, port: int, score_file: Path, behaviour: Behaviour, user: str | None) -> Self:
        """Start one."""
        process = cls(port)
        arguments = [str(port), "--lab", "--scoreboard", str(score_file)]
        if user is not None:
            arguments += ["--user", user]
        process._child = await Child.spawn("lab.backend", *arguments, listener=process._hear)
        process.behave(behaviour)
        process._end = asyncio.create_task(process._child.wait())
        return process

    @property
    def pid(self) -> int:
        return self._child.pid if self._pid is None else self._pid

    @property
    def has_ended(self) -> bool:
        """Its last words may still be on their way."""
        return self._child.returncode is not None

    @property
    def last_words(self) -> list[str]:
        """What it said last on stderr."""
        return list(self._child.stderr)

    async def wait(self) -> int:
        """Its exit code, once it has ended and its last words are read."""
        return await asyncio.shield(self._end)

    async def wait_until_ready(self) -> None:
        """Return once it listens.

        Raises:
            NotReadyError: it ended before it did, or took too long; the sentence has its last words.
        """
        if not await self._comes(self._is_ready, READY_SECONDS):
            await self._child.stop(grace_seconds=0)
            words = " ".join(self.last_words) or "it said nothing"
            raise NotReadyError(f"The backend on port {self._port} didn't start: {words}")

    def behave(self, behaviour: Behaviour) -> None:
        """Have it work like this from the next request on."""
        self._child.send({"order": "behave", **asdict(behaviour)})

    async def fail(self, fault: Fault | None) -> None:
        """Have it fail like this, or no more, and return when it does, or has ended.

        Raises:
            LabError: it doesn't obey.
        """
        number = next(self._orders)
        obeyed = self._obeyed[number] = asyncio.Event()
        self._child.send({"order": "fail", "number": number, "fault": None if fault is None else asdict(fault)})
        try:
            if not await self._comes(obeyed, OBEDIENCE_SECONDS) and not self._end.done():
                raise LabError(f"The backend on port {self._port} doesn't obey: restart it.")
        finally:
            del self._obeyed[number]

    async def terminate(self) -> None:
        """SIGTERM it, and return when it lets nobody in any more; raises a `LabError` when it has ended."""
        self._system().terminate()
        await self._comes(self.is_ending, OBEDIENCE_SECONDS)

    def freeze(self) -> None:
        """SIGSTOP it; raises a `LabError` when it has ended."""
        self._system().suspend()

    def thaw(self) -> None:
        """SIGCONT it; raises a `LabError` when it has ended."""
        self._system().resume()

    def is_stopped(self) -> bool | None:
        """Whether the system says so, whoever stopped it; None if it has ended."""
        with contextlib.suppress(LabError, psutil.Error):
            return self._system().status() == psutil.STATUS_STOPPED
        return None

    def kill(self) -> None:
        """SIGKILL it."""
        self._child.kill()

    async def stop(self) -> None:
        """End it: ask, then kill, and always reap."""
        await self._child.stop()

    async def recall(self, request_id: str) -> "BackendWitness | None":
        """What it saw of a request; None if it has forgotten, or can't say."""
        from lab.witnesses import BackendWitness  # noqa: PLC0415 - nobody asks before there was a request

        self._child.send({"order": "recall", "id": request_id})
        witness = await self._recollections.ask(request_id)
        return None if witness is None else BackendWitness(**witness)

    def _system(self) -> psutil.Process:
        """The process as the system knows it; a PID that was given away again is nobody's."""
        if not self.has_ended:
            with contextlib.suppress(psutil.NoSuchProcess):
                return psutil.Process(self.pid)
        raise LabError(f"The backend on port {self._port} has just ended: restart it first.")

    async def _comes(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until the event has come, or can't come any more."""
        coming = asyncio.create_task(event.wait())
        await asyncio.wait((self._end, coming), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        coming.cancel()
        return event.is_set()

    def _hear(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "ready", "pid": pid}:
                self._pid = pid
                self._is_ready.set()
            case {"event": "obeyed", "number": number}:
                if (obeyed := self._obeyed.get(number)) is not None:
                    obeyed.set()
            case {"event": "ending"}:
                self.is_ending.set()
            case {"event": "recalled", "key": key, "witness": witness}:
                self._recollections.answer(key, witness)
