"""One port of the fleet, and the processes that serve it one after the other."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lab.backends.backend_process import BackendProcess
from lab.backends.behaviour import Behaviour
from lab.backends.port_counts import PortCounts
from lab.backends.tenures import Tenures
from lab.errors import LabError, NotReadyError
from lab.faults.fault import Fault
from lab.states import BackendState

if TYPE_CHECKING:
    from lab.witnesses import BackendWitness

LAST_ANSWERS = "told to end: answers what it has on its hands"
POLL_SECONDS = 0.02
LAST_WORDS_LINES = 5
LAST_WORDS_WIDTH = 300
"""Characters of a line that are kept."""

PidListener = Callable[[int], None]


class PortLife:
    """A port, and the fate of its process: how it starts, ends, and is followed by another one."""

    def __init__(  # noqa: PLR0913 - all but the first three are named where it is made
        self,
        port: int,
        folder: Path,
        behaviour: Behaviour,
        *,
        on_start: PidListener,
        on_end: "Callable[[PortLife], None]",
        user: str | None = None,
    ) -> None:
        self.port = port
        self.behaviour = behaviour
        """Of a process that nothing was done to."""
        self.state = BackendState.STARTING
        self.note: str | None = None
        self.fault: Fault | None = None
        """What was done to its process. A new process does nothing wrong."""
        self.has_failed = False
        """Its process has ended, and neither because it was told to nor with code 0; or none could be started."""
        self.last_words: tuple[str, ...] = ()
        """The latest lines that its process said on stderr, once it has ended."""
        self.revivals = 0
        """How often it was brought back: another process followed one that had failed, and listened."""
        self.left_alone: tuple[str, ...] | None = None
        """Why it isn't revived any more, and its last words; None while it would be."""
        self.counts = PortCounts(folder, port)
        """Over all its processes."""
        self.tenures = Tenures()
        """Of its processes."""
        self.end: asyncio.Task[None]
        """Done when the current process has ended; set by `spawn`."""
        self._user = user
        self._on_start = on_start
        self._on_end = on_end
        self._process: BackendProcess | None = None
        self._one_change_at_a_time = asyncio.Lock()
        """A kill is none: it may always come."""
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """None unless a process runs."""
        return self._process.pid if self._process is not None and self.state.is_alive else None

    @property
    def in_flight(self) -> int | None:
        """None unless a process runs."""
        return self.counts.in_flight if self.state.is_alive else None

    async def start(self) -> None:
        """Start a process and wait until it listens; raises what `wait_until_ready` does."""
        await self.spawn()
        await self.wait_until_ready()

    async def spawn(self) -> None:
        """Start a process.

        Raises:
            NotReadyError: the system has no room for one.
        """
        self.state, self.note, self.fault, self.has_failed = BackendState.STARTING, None, None, False
        self.last_words, self.left_alone = (), None
        self.counts.begin()
        try:
            process = await BackendProcess.spawn(self.port, self.counts.file, self.behaviour, self._user)
        except NotReadyError as error:
            self._note_stillbirth(error)
            raise
        if self._is_closed:
            await process.stop()
            raise LabError(f"There is no backend on port {self.port} any more.")
        self._process = process
        self.tenures.begin(process)
        self._on_start(process.pid)
        self.end = asyncio.create_task(self._see_end(process))

    async def wait_until_ready(self) -> None:
        """Return once its process listens.

        Raises:
            NotReadyError: it ended before it did, or took too long; the sentence has its last words.
        """
        process = self._process
        assert process is not None
        await process.wait_until_ready()
        self._on_start(process.pid)  # now that it has said who it is
        if self.state is BackendState.STARTING:
            self.state = BackendState.UP

    async def restart(self) -> None:
        """Give the port a new process, whatever became of the old one; raises what `wait_until_ready` does."""
        async with self._one_change_at_a_time:
            await self._restart()

    async def revive(self) -> bool:
        """Give the port a new process unless one lives, and say so; raises what `wait_until_ready` does."""
        async with self._one_change_at_a_time:
            if self.state.is_alive:
                return False
            await self._restart()
            return True

    async def leave(self, grace_seconds: float) -> None:
        """End it for good, as soon as it has answered what it has on its hands, or after so long."""
        async with self._one_change_at_a_time:
            if self.state is BackendState.UP:
                self.state, self.note = BackendState.ENDING, LAST_ANSWERS
                deadline = time.monotonic() + grace_seconds
                while self.in_flight and time.monotonic() < deadline and not self._is_closed:
                    await asyncio.sleep(POLL_SECONDS)
            await self.close()

    async def stop(self) -> None:
        """End it, however it fares."""
        if self._process is None:
            return
        if self.state is BackendState.FROZEN:
            self._process.kill()
        if self.state.is_alive:
            self.state = BackendState.ENDING
        await self._process.stop()
        await self.end

    async def close(self) -> None:
        """End it for good."""
        self._is_closed = True
        await self.stop()
        self.counts.close()

    async def recall(self, request_id: str) -> "BackendWitness | None":
        """What its process saw of a request; None if it has forgotten, is another one by now, or can't say."""
        if self._process is None or self.state is not BackendState.UP:
            return None
        return await self._process.recall(request_id)

    async def _restart(self) -> None:
        await self.stop()
        await self.start()

    def _note_stillbirth(self, error: NotReadyError) -> None:
        """The system let no process start."""
        self.state, self.note, self.has_failed = BackendState.EXITED, str(error).rstrip("."), True
        if self._process is not None:  # the first one's failure is that of the lab, or of what adds a backend
            self._on_end(self)

    async def _see_end(self, process: BackendProcess) -> None:
        ending = asyncio.create_task(self._see_that_it_ends(process))
        code = await process.wait()
        ending.cancel()
        self.tenures.end(process)
        if process is not self._process:
            return
        self.counts.note_end()
        self.last_words = tuple(line[:LAST_WORDS_WIDTH] for line in process.last_words[-LAST_WORDS_LINES:])
        self.has_failed = code != 0 and self.state is not BackendState.ENDING
        if self.state is not BackendState.KILLED:
            is_told = self.state is BackendState.ENDING
            how = _how_it_ended(code) + (", as it was told" if is_told else "")
            self.state, self.note = BackendState.EXITED, ": ".join([how, *self.last_words[-1:]])
            if not is_told:
                self.fault = None
        self._on_end(self)

    async def _see_that_it_ends(self, process: BackendProcess) -> None:
        """Whoever told it to."""
        await process.is_ending.wait()
        if process is self._process and self.state.is_alive:
            self.state, self.note = BackendState.ENDING, LAST_ANSWERS


def _how_it_ended(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
