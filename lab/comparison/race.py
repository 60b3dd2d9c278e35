"""A scenario through the real nginx, under one algorithm after the other, on the same arrivals and the same work."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from lab.algorithms import algorithm_named
from lab.backends.behaviour import Behaviour
from lab.backends.workload import Workload
from lab.comparison.conclusion import conclusion
from lab.comparison.result import Comparison, Run
from lab.comparison.runs import Entry, run_of
from lab.comparison.scenarios import Scenario, lab_for
from lab.config import LabConfig
from lab.errors import LabError, UsageError
from lab.fitness import require_backends, require_nginx
from lab.session import LabSession
from lab.side_by_side import first_of
from lab.traffic.driver import TrafficDriver
from lab.traffic.plan import Arrivals, TrafficSpec

POLL_SECONDS = 0.2
REST_SECONDS = 0.5
"""Between two runs, so that the one doesn't feel the other."""
MOST_LEFTOVER_SECONDS = 120.0
"""How long the backends may be at work on what a run has left behind."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a race is."""

    number: int
    """Of the run, from 1."""
    count: int
    title: str
    seconds_left: float
    done: tuple[Run, ...] = ()
    """The runs that are over."""


class Race:
    """One scenario, several algorithms, and the first of them again: how much that differs is chance."""

    def __init__(self, scenario: Scenario, algorithms: Sequence[str], *, seconds: float, seed: int) -> None:
        """Each algorithm gets so many seconds, on the arrivals and the work of that seed.

        Raises:
            UsageError: an algorithm is unknown or named twice, or there is no time.
        """
        for name in algorithms:
            algorithm_named(name)
            if algorithms.count(name) > 1:
                raise UsageError(f"{name} is named twice: the first algorithm runs a second time anyway.")
        if seconds <= 0:
            raise UsageError("In no time nothing can be compared: give a duration like 10s.")
        self.scenario = scenario
        self.seconds = seconds
        self.seed = seed
        self._entries = [*map(Entry, algorithms), Entry(algorithms[0], is_again=True)]

    def result(self, runs: Sequence[Run]) -> Comparison:
        """What was found by now; only once all runs are over is it known what they say."""
        scenario = self.scenario
        plan = f"{scenario.traffic} for {self.seconds:g} s, {scenario.fleet}"
        verdict = conclusion(runs) if len(runs) == len(self._entries) else None
        return Comparison(scenario.name, scenario.description, plan, tuple(runs), self.seed, verdict=verdict)

    async def run(self, session: LabSession) -> AsyncIterator[Progress]:
        """Every run in turn on a lab of `lab_for` that has started and doesn't fire; the last progress has all of them.

        Raises:
            LabError: the lab broke.
        """
        runs: list[Run] = []
        each_seconds = self.seconds + REST_SECONDS
        for number, entry in enumerate(self._entries, start=1):
            left = each_seconds * (len(self._entries) - number)
            running = asyncio.create_task(self._one(session, entry))
            spent = 0.0
            try:
                while not running.done():
                    remaining = max(each_seconds - spent, 0.0) + left
                    yield Progress(number, len(self._entries), entry.title, remaining, tuple(runs))
                    await asyncio.wait((running,), timeout=POLL_SECONDS)
                    spent += POLL_SECONDS
            finally:
                running.cancel()
                await asyncio.wait((running,))
            runs.append(running.result())
        yield Progress(len(self._entries), len(self._entries), self._entries[-1].title, 0.0, tuple(runs))

    async def _one(self, session: LabSession, entry: Entry) -> Run:
        parts, scenario = session.parts, self.scenario
        self._require_life(session)
        await self._work_off(session)
        await session.use_algorithm(entry.algorithm)
        self._set_up(session)
        await asyncio.sleep(REST_SECONDS)
        session.zero_counters()
        plan = TrafficSpec(
            rate_rps=scenario.rate_rps,
            duration_seconds=self.seconds,
            timeout_seconds=scenario.timeout_seconds,
            arrivals=Arrivals.POISSON,
            seed=self.seed,
        )
        driver = TrafficDriver(plan, session.shot_name, parts.observer.note_outcomes)
        driver.on_start = parts.driver.on_start
        try:
            await driver.start(parts.ports.nginx)
            await self._fire(session, driver)
        finally:
            await driver.stop()
        totals = parts.observer.tally.totals()
        return run_of(entry, totals, scenario.weights, parts.ports.backends)

    async def _fire(self, session: LabSession, driver: TrafficDriver) -> None:
        misfortune = asyncio.create_task(self._misfortune(session))
        try:
            driver.resume()
            await first_of(driver.finish(), session.fail(), self._see_it_die(session))
            await misfortune
            await session.settle()
            self._require_life(session)
        finally:
            misfortune.cancel()
            await asyncio.gather(misfortune, return_exceptions=True)

    async def _work_off(self, session: LabSession) -> None:
        """Wait until the backends have nothing to do: they still work for the clients of the last run that have gone.

        Raises:
            LabError: it takes too long.
        """
        parts = session.parts
        try:
            async with asyncio.timeout(MOST_LEFTOVER_SECONDS):
                while any(parts.fleet[port].in_flight for port in parts.ports.backends):
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise LabError(
                f"After {MOST_LEFTOVER_SECONDS:g} s the backends still work on what a run left behind:"
                " give the runs less time with -z."
            ) from None

    async def _see_it_die(self, session: LabSession) -> None:
        """Run until something has died that shouldn't have."""
        while True:
            self._require_life(session)
            await asyncio.sleep(POLL_SECONDS)

    def _require_life(self, session: LabSession) -> None:
        """Of all but the backend that is to die, so that no algorithm is judged by what isn't its doing.

        Raises:
            LabError: nginx or another backend has died.
        """
        parts, dies = session.parts, self.scenario.dies
        require_nginx(parts)
        require_backends(parts, mortal=() if dies is None else (parts.ports.backends[dies],))

    def _set_up(self, session: LabSession) -> None:
        scenario = self.scenario
        workload = Workload(self.seed, scenario.is_heavy_tailed)
        for port, slowness in zip(session.parts.ports.backends, scenario.slowness, strict=True):
            behaviour = Behaviour(scenario.service_time_ms * slowness, scenario.capacity, workload)
            session.parts.fleet[port].behave(behaviour)

    async def _misfortune(self, session: LabSession) -> None:
        """Kill the backend that is to die, and start it again."""
        if self.scenario.dies is None:
            return
        port = session.parts.ports.backends[self.scenario.dies]
        await asyncio.sleep(self.seconds / 3)
        await session.kill_backend(port)
        await asyncio.sleep(self.seconds / 3)
        await session.restart_backend(port)


Listener = Callable[[Progress], None]


async def compare(race: Race, config: LabConfig, on_progress: Listener) -> Comparison:
    """Start a lab, run the race on it, and end it.

    Raises:
        LabError: the lab couldn't start, or broke.
    """
    session = LabSession(lab_for(race.scenario, config), is_watched=False)
    try:
        await session.start(is_firing=False)
        runs: tuple[Run, ...] = ()
        async for progress in race.run(session):
            on_progress(progress)
            runs = progress.done
        return race.result(runs)
    finally:
        await session.stop()
