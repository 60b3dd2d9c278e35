"""The backend on one port, and what can be done to it: faults, and their undoing."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lab.backends.backend_process import BackendProcess
from lab.backends.behaviour import Behaviour
from lab.backends.port_life import LAST_ANSWERS, PortLife
from lab.errors import LabError
from lab.faults.fault import Fault, FaultKind
from lab.states import BackendState

SLOW_STEPS_MS = (20.0, 100.0, 300.0, 1000.0, 3000.0)
OBEDIENCE_SECONDS = 0.5
"""For so long after the lab has frozen or thawed a process the system may still tell the opposite."""


class Backend(PortLife):
    """A port of the fleet; its commands raise a `LabError` when no process can carry them out, or it doesn't obey."""

    _signalled_at = -math.inf
    """When the lab froze or thawed it last, in seconds of `time.monotonic`."""

    @property
    def service_time_ms(self) -> float:
        """What each request is made to take."""
        if self.fault is not None and self.fault.kind is FaultKind.SLOW:
            return self.fault.service_time_ms
        return self.behaviour.service_time_ms

    @property
    def is_slowed(self) -> bool:
        return self.service_time_ms > self.behaviour.service_time_ms

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
