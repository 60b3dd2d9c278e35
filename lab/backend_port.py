"""One port of the fleet, and the processes that serve it one after the other."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.backend_process import BackendProcess
from lab.behaviour import Behaviour
from lab.errors import LabError, NotReadyError
from lab.faults import Fault, FaultKind
from lab.scoreboard import Scoreboard
from lab.states import BackendState
from lab.tenures import Tenures

if TYPE_CHECKING:
    from lab.witnesses import BackendWitness

SLOW_STEPS_MS = (20.0, 100.0, 300.0, 1000.0, 3000.0)
LAST_ANSWERS = "told to end: answers what it has on its hands"
POLL_SECONDS = 0.02
LAST_WORDS_LINES = 5
LAST_WORDS_WIDTH = 300
"""Characters of a line that are kept."""
OBEDIENCE_SECONDS = 0.5
"""For so long after the lab has frozen or thawed a process the system may still tell the opposite."""

PidListener = Callable[[int], None]


class Backend:
    """A port, the fate of its process, and what all its processes have answered.

    Its commands raise a `LabError` when there is no process to carry them out, or when it doesn't obey.
    """

    def __init__(  # noqa: PLR0913 - all but the first three are named where it is made
        self,
        port: int,
        folder: Path,
        behaviour: Behaviour,
        *,
        on_start: PidListener,
        on_end: "Callable[[Backend], None]",
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
        """How often a process of its was started because the one before had failed."""
        self.left_alone: tuple[str, ...] | None = None
        """Why it isn't revived any more, and its last words; None while it would be."""
        self.in_doubt = 0
        """Answers in the middle of which a process was killed: it can't be known from it whether they were sent."""
        self.tenures = Tenures()
        """Of its processes."""
        self.end: asyncio.Task[None]
        """Done when the current process has ended; set by `spawn`."""
        self._user = user
        self._on_start = on_start
        self._on_end = on_end
        self._score_file = folder / f"scores-{port}"
        self._scores = Scoreboard(self._score_file)
        self._served_before = self._direct_before = 0
        self._process: BackendProcess | None = None
        self._one_change_at_a_time = asyncio.Lock()
        """A kill is none: it may always come."""
        self._signalled_at = -math.inf
        """When the lab froze or thawed it last, in seconds of `time.monotonic`."""
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """None unless a process runs."""
        return self._process.pid if self._process is not None and self.state.is_alive else None

    @property
    def served(self) -> int:
        """What all its processes say they answered to nginx, together."""
        return self._served_before + self._scores.served

    @property
    def direct(self) -> int:
        """What they say they answered to those who came past nginx."""
        return self._direct_before + self._scores.direct

    @property
    def in_flight(self) -> int | None:
        """None unless a process runs."""
        return self._scores.in_flight if self.state.is_alive else None

    @property
    def service_time_ms(self) -> float:
        """What each request is made to take."""
        if self.fault is not None and self.fault.kind is FaultKind.SLOW:
            return self.fault.service_time_ms
        return self.behaviour.service_time_ms

    @property
    def is_slowed(self) -> bool:
        return self.service_time_ms > self.behaviour.service_time_ms

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
        self._served_before, self._direct_before = self.served, self.direct
        self._scores.clear()
        try:
            process = await BackendProcess.spawn(self.port, self._score_file, self.behaviour, self._user)
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

    def behave(self, behaviour: Behaviour) -> None:
        """Have its processes work like this from now on, when nothing was done to them."""
        self.behaviour = behaviour
        if self._process is not None and self.state.is_alive:
            self._process.behave(behaviour)

    def note_status(self, *, is_stopped: bool, looked_at: float) -> None:
        """Its process was stopped or not when somebody looked, at that time of `time.monotonic`, whoever did it."""
        if looked_at < self._signalled_at + OBEDIENCE_SECONDS:
            return
        if is_stopped and self.state is BackendState.UP:
            self.state, self.note = BackendState.FROZEN, "stopped by somebody else: accepts, never answers"
        elif not is_stopped and self.state is BackendState.FROZEN:
            self._note_thaw()

    async def kill(self) -> None:
        """SIGKILL it, and return when it is gone."""
        process = self._living()
        self.state, self.note, self.fault = BackendState.KILLED, "killed with SIGKILL", Fault(FaultKind.KILL)
        process.kill()
        await self.end

    async def inject(self, fault: Fault) -> None:
        """Have its process fail like this, instead of what was done to it before."""
        if fault.kind is FaultKind.KILL:
            await self.kill()
            return
        async with self._changing():
            await self._inject(fault)

    async def undo(self, fault: Fault | None = None) -> bool:
        """Thaw it, let it do nothing wrong, restart it if it is dead or ending.

        With a fault it does so, and says so, only if that is what was done last.
        """
        async with self._changing():
            if fault is not None and fault != self.fault:
                return False
            if self.state.is_alive and self.state is not BackendState.ENDING:
                await self._recover()
            else:
                await self._restart()
            return True

    async def toggle_freeze(self) -> None:
        """SIGSTOP it, so that it keeps its port and its connections and answers nothing; or SIGCONT it."""
        async with self._changing():
            if self.state is BackendState.FROZEN:
                self._thaw()
            else:
                await self._inject(Fault(FaultKind.FREEZE))

    async def slow_down(self, below_ms: float) -> None:
        """Give it the next longer service time below that, and after the longest its own again."""
        async with self._changing():
            longer = [step for step in SLOW_STEPS_MS if self.service_time_ms < step < below_ms]
            if longer:
                await self._inject(Fault(FaultKind.SLOW, longer[0]))
            else:
                await self._recover()

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
        self._scores.close()
        self._score_file.unlink(missing_ok=True)

    async def recall(self, request_id: str) -> "BackendWitness | None":
        """What its process saw of a request; None if it has forgotten, is another one by now, or can't say."""
        if self._process is None or self.state is not BackendState.UP:
            return None
        return await self._process.recall(request_id)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[None]:
        """Make one change at a time, and know first what the system says of the process."""
        async with self._one_change_at_a_time:
            process, now = self._process, time.monotonic()
            if process is not None and self.state in (BackendState.UP, BackendState.FROZEN):
                is_stopped = await asyncio.to_thread(process.is_stopped)
                if is_stopped is not None and process is self._process:
                    self.note_status(is_stopped=is_stopped, looked_at=now)
            yield

    def _living(self) -> BackendProcess:
        if self._process is None or not self.state.is_alive or self._process.has_ended:
            raise LabError(f"The backend on port {self.port} isn't running: restart it first.")
        return self._process

    async def _restart(self) -> None:
        await self.stop()
        await self.start()

    async def _inject(self, fault: Fault) -> None:
        process = self._living()
        if self.state is BackendState.ENDING:
            raise LabError(f"The backend on port {self.port} is ending: restart it first.")
        if fault.kind is FaultKind.FREEZE:
            if self.state is BackendState.STARTING:
                raise LabError(f"The backend on port {self.port} is still starting: wait a moment.")
            await self._recover()
            process.freeze()
            self._signalled_at = time.monotonic()
            self.state, self.note = BackendState.FROZEN, "frozen with SIGSTOP: accepts, never answers"
        elif fault.kind is FaultKind.TERMINATE:
            self._thaw()
            self.state, self.note = BackendState.ENDING, LAST_ANSWERS
            await process.terminate()
        else:
            self._thaw()
            await process.fail(fault)
            self._living()  # it may have been killed meanwhile
        self.fault = fault

    async def _recover(self) -> None:
        process = self._living()
        self._thaw()
        if self.fault is not None:
            await process.fail(None)
        if self.state.is_alive:  # it may have been killed meanwhile
            self.fault = None

    def _thaw(self) -> None:
        if self.state is BackendState.FROZEN:
            self._living().thaw()
            self._signalled_at = time.monotonic()
            self._note_thaw()

    def _note_thaw(self) -> None:
        """It does wrong again what it did before somebody else stopped it."""
        self.state, self.note = BackendState.UP, None
        if self.fault is not None and self.fault.kind is FaultKind.FREEZE:
            self.fault = None

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
        self.in_doubt += self._scores.begun - self._scores.served
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
