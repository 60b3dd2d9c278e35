"""Carries out a plan of faults while the lab runs, and keeps a record of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lab.errors import LabError
from lab.faults.fault import Fault, in_words
from lab.faults.plan import PlannedFault


class Victim(Protocol):
    """A backend, as far as faults are concerned."""

    async def inject(self, fault: Fault) -> None:
        """Have it fail like this; raises `LabError` if that can't be."""

    async def undo(self, fault: Fault) -> bool:
        """Undo it, if no other has taken its place; says whether, and raises `LabError` if it can't be undone."""


@dataclass(slots=True)
class Injection:
    """A planned fault, and what has become of it. Times are seconds since the first request fell due."""

    planned: str
    """As a person wrote it."""
    port: int
    fault: str
    """In words."""
    at_seconds: float | None = None
    """None if its time hasn't come."""
    until_seconds: float | None = None
    """When it was undone, or another one of the plan took its place; None if neither has happened."""
    refusal: str | None = None
    """Why it couldn't be injected, or undone."""


class FaultClock:
    """Has the backends fail at their times."""

    def __init__(
        self,
        plan: Sequence[tuple[int, PlannedFault]],
        victim_at: Callable[[int], Victim],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.injections = [Injection(planned.text, port, in_words(planned.fault)) for port, planned in plan]
        self._plan = [planned for _, planned in plan]
        self._victim_at = victim_at
        self._clock = clock
        self._sleep = sleep
        self._acting: dict[int, Injection] = {}
        """The latest of each port."""
        self._turns: dict[int, asyncio.Lock] = {injection.port: asyncio.Lock() for injection in self.injections}
        """One after the other at each port: of two for the same moment the later one in the plan is what acts."""
        self._tell = tell
        """Hears which faults of the plan couldn't be had."""

    async def run(self, has_begun: asyncio.Event) -> None:
        """Inject and undo, each at its time, from `has_begun` on; returns after the last."""
        await has_begun.wait()
        started = self._clock()
        async with asyncio.TaskGroup() as tasks:
            for planned, injection in zip(self._plan, self.injections, strict=True):
                tasks.create_task(self._follow(planned, injection, started))

    async def _follow(self, planned: PlannedFault, injection: Injection, started: float) -> None:
        try:
            injection.at_seconds = await self._wait_until(planned.start_seconds, started)
            async with self._turns[injection.port]:
                await self._victim_at(injection.port).inject(planned.fault)
                self._take_over(injection)
            if planned.end_seconds is not None:
                until_seconds = await self._wait_until(planned.end_seconds, started)
                if self._is_acting(injection) and await self._victim_at(injection.port).undo(planned.fault):
                    injection.until_seconds = until_seconds
        except LabError as refusal:
            injection.refusal = str(refusal)
            self._tell(f"{injection.planned}: {refusal}")

    def _take_over(self, injection: Injection) -> None:
        before = self._acting.get(injection.port)
        if before is not None and before.until_seconds is None:
            before.until_seconds = injection.at_seconds
        self._acting[injection.port] = injection

    def _is_acting(self, injection: Injection) -> bool:
        return self._acting[injection.port] is injection

    async def _wait_until(self, seconds: float, started: float) -> float:
        """Return so many seconds after the start, and say how many there really were."""
        await self._sleep(max(0.0, started + seconds - self._clock()))
        return self._clock() - started
