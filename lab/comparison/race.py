"""A scenario through the real nginx, under one algorithm after the other, on the same arrivals and the same work."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from lab.algorithms import algorithm_named
from lab.comparison.result import Comparison, Run, Share
from lab.comparison.scenarios import Scenario
from lab.config import Arrivals, BackendSpec, Behaviour, LabConfig, TrafficSpec
from lab.fairness import jain
from lab.histogram import Histogram
from lab.session import LabSession
from lab.tally import Counts
from lab.traffic.driver import TrafficDriver
from lab.workload import Workload

DEFAULT_ALGORITHMS = ("round_robin", "least_conn", "random", "random_two")
CURVE_PERCENTS = (0, 5, 10, 25, 50, 75, 80, 85, 90, 92.5, 95, 97.5, 99, 99.5, 99.9, 99.99)
POLL_SECONDS = 0.2
REST_SECONDS = 0.5
"""Between two runs, so that the one doesn't feel the other."""


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


def lab_for(scenario: Scenario, config: LabConfig) -> LabConfig:
    """The lab that a scenario needs, with the ports and the nginx of `config`."""
    return replace(
        config,
        backends=tuple(BackendSpec(weight=weight, fail_timeout_seconds=1) for weight in scenario.weights),
        behaviour=Behaviour(scenario.service_time_ms, scenario.capacity),
        traffic=TrafficSpec(rate_rps=scenario.rate_rps, timeout_seconds=scenario.timeout_seconds),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One run that is to come."""

    algorithm: str
    title: str
    is_again: bool = False


class Race:
    """One scenario, several algorithms, and the first of them again: how much that differs is chance."""

    def __init__(self, scenario: Scenario, algorithms: Sequence[str], *, seconds: float, seed: int) -> None:
        self.scenario = scenario
        self.seconds = seconds
        self.seed = seed
        self._entries = [Entry(name, algorithm_named(name).title) for name in algorithms]
        first = self._entries[0]
        self._entries.append(Entry(first.algorithm, f"{first.title}, again", is_again=True))

    def result(self, runs: Sequence[Run]) -> Comparison:
        """What was found."""
        scenario = self.scenario
        kind = "heavy-tailed" if scenario.is_heavy_tailed else "exponential"
        backends = f"{len(scenario.slowness)} backends of capacity {scenario.capacity}"
        work = f"{kind} service times of {scenario.service_time_ms:g} ms"
        plan = f"Poisson arrivals, {scenario.rate_rps:g} req/s for {self.seconds:g} s, {backends}, {work}"
        return Comparison(scenario.name, scenario.description, plan, tuple(runs), self.seed)

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
            while not running.done():
                remaining = max(each_seconds - spent, 0.0) + left
                yield Progress(number, len(self._entries), entry.title, remaining, tuple(runs))
                await asyncio.wait((running,), timeout=POLL_SECONDS)
                spent += POLL_SECONDS
            runs.append(running.result())
        yield Progress(len(self._entries), len(self._entries), self._entries[-1].title, 0.0, tuple(runs))

    async def _one(self, session: LabSession, entry: Entry) -> Run:
        parts, scenario = session.parts, self.scenario
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
        await driver.start(parts.ports.nginx)
        misfortune = asyncio.create_task(self._misfortune(session))
        try:
            driver.resume()
            await driver.finish()
            await session.settle()
        finally:
            misfortune.cancel()
            await asyncio.gather(misfortune, return_exceptions=True)
            await driver.stop()
        return _run_of(entry, parts.observer.tally.totals(), scenario, parts.ports.backends)

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


def _run_of(entry: Entry, totals: Counts, scenario: Scenario, ports: Sequence[int]) -> Run:
    whole = Histogram.of(totals.latencies.values())
    shares = tuple(
        Share(str(port), weight, totals.hits[port], totals.latencies[port].summary().p95_ms)
        for port, weight in zip(ports, scenario.weights, strict=True)
    )
    curve = zip(CURVE_PERCENTS, whole.percentiles_us(*CURVE_PERCENTS), strict=True)
    return Run(
        algorithm=entry.algorithm,
        title=entry.title,
        sent=totals.answered + totals.failed,
        answered=totals.answered,
        failed=totals.failed,
        retried=totals.retried,
        latency=whole.summary(),
        shares=shares,
        fairness=jain([share.hits for share in shares], scenario.weights),
        percentiles_ms=tuple((percent, value / 1000) for percent, value in curve if value is not None),
        is_again=entry.is_again,
    )


Listener = Callable[[Progress], None]


async def compare(race: Race, config: LabConfig, on_progress: Listener) -> Comparison:
    """Start a lab, run the race on it, and end it.

    Raises:
        LabError: the lab couldn't start, or broke.
    """
    session = LabSession(lab_for(race.scenario, config))
    try:
        await session.start(is_firing=False)
        runs: tuple[Run, ...] = ()
        async for progress in race.run(session):
            on_progress(progress)
            runs = progress.done
        return race.result(runs)
    finally:
        await session.stop()
