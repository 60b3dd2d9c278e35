"""Simulations as comparisons, so that they are told in the same formats as real ones; each is marked as simulated."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from lab.comparison.conclusion import conclusion
from lab.comparison.result import Comparison, Run
from lab.comparison.runs import Entry, run_of
from lab.simulation.fleet import SLICES, WARM_UP_SLICES, fleet_run
from lab.simulation.herding import verdict
from lab.simulation.plan import MOST_REQUESTS, Plan
from lab.simulation.rehearsal import Rehearsal
from lab.simulation.theory import steady_requests
from lab.simulation.traffic import drawn


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a simulation is."""

    number: int
    """Of the run that begins now, from 1."""
    count: int
    title: str
    seconds_left: float | None
    """None before the first run has shown how long one takes."""


Listener = Callable[[Progress], None]


def fleet(plan: Plan, on_progress: Listener, clock: Callable[[], float] = monotonic) -> Comparison:
    """The same traffic through the plan's fleet under each of its algorithms."""
    traffic = drawn(plan)
    runs = [fleet_run(plan, name, traffic) for name in _told(plan.algorithms, on_progress, clock)]
    slow = f", {plan.slow} of them {plan.slow_factor:g} times slower" if plan.slow else ""
    balancers = "1 balancer" if plan.balancers == 1 else f"{plan.balancers:,} balancers that don't know of each other"
    rate = f"{plan.rate_per_ms * 1000:,.0f} req/s (load {plan.load:.0%})"
    work = f"{plan.service.adjective} service times of {plan.service_time_ms:g} ms, capacity {plan.capacity}"
    return Comparison(
        scenario="fleet",
        description=f"{plan.backends:,} backend{'s' * (plan.backends > 1)}{slow}, behind {balancers}",
        plan=f"Poisson arrivals, {rate}, {plan.requests:,} in all, {work}",
        runs=tuple(runs),
        seed=plan.seed,
        is_simulated=True,
        verdict=verdict(runs, plan),
        notes=tuple(_notes(plan, runs)),
        settings=(
            ("backends", plan.backends),
            ("balancers", plan.balancers),
            ("requests", plan.requests),
            ("load", plan.load),
            ("rate_rps", round(plan.rate_per_ms * 1000, 3)),
            ("service", plan.service.value),
            ("service_time_ms", plan.service_time_ms),
            ("capacity", plan.capacity),
            ("slow", plan.slow),
            ("slow_factor", plan.slow_factor),
        ),
    )


def rehearsed(
    rehearsals: Sequence[Rehearsal], on_progress: Listener, clock: Callable[[], float] = monotonic
) -> Comparison:
    """A scenario of `lablb compare`: a rehearsal for each algorithm."""
    by_name = {rehearsal.algorithm: rehearsal for rehearsal in rehearsals}
    first = rehearsals[0]
    scenario = first.scenario
    numbers = range(1, len(scenario.weights) + 1)
    runs = [
        run_of(Entry(name), by_name[name].run(), scenario.weights, numbers)
        for name in _told(list(by_name), on_progress, clock)
    ]
    return Comparison(
        scenario=scenario.name,
        description=scenario.description,
        plan=f"{scenario.traffic} for {first.seconds:g} s, {scenario.fleet}, {first.overhead_ms:g} ms of overhead",
        runs=tuple(runs),
        seed=first.seed,
        is_simulated=True,
        verdict=conclusion(runs),
        notes=(f"not measured; lablb compare --scenario {scenario.name} fires the same requests at the real nginx",),
        settings=(("seconds", first.seconds), ("overhead_ms", first.overhead_ms)),
    )


def _told(names: Sequence[str], on_progress: Listener, clock: Callable[[], float]) -> Iterator[str]:
    """The names, each once it was told that its run begins."""
    started = clock()
    for done, name in enumerate(names):
        left = (clock() - started) / done * (len(names) - done) if done else None
        on_progress(Progress(done + 1, len(names), Entry(name).title, left))
        yield name


def _notes(plan: Plan, runs: Sequence[Run]) -> Iterator[str]:
    if plan.load > 1:
        yield (
            f"a load of {plan.load * 100:.4g}% is more than all backends together can serve: whatever the algorithm,"
            " the longer this goes on, the longer it takes"
        )
    for run in runs:
        if run.inside is not None and 0 < (many := run.inside.overloaded) < plan.backends:
            backends = "1 backend" if many == 1 else f"{many:,} backends"
            yield (f"{run.title} gives {backends} more than it can serve: the longer this goes on, the longer it takes")
    needed = [needed for run in runs if (needed := steady_requests(plan, run.algorithm)) is not None]
    if needed and plan.requests < max(needed):
        yield f'too short for the steady state that "exact" speaks of: {_remedy(max(needed))}'
    yield f"latencies are without the first {WARM_UP_SLICES / SLICES:.0%} of the requests; nothing here was measured"
    yield "in flight: the most that one backend had at once"
    if plan.balancers > 1:
        yield "bunching, at the start → later: how requests come to a backend; 1 is chance, less in turn, more a herd"


def _remedy(needed: int) -> str:
    if needed > MOST_REQUESTS:
        return f"that takes {needed:,} requests, more than can be simulated"
    return f"give -n {needed} or more"
