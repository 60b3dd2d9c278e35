"""One algorithm in front of a fleet: the passage of its traffic, summed up."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain, count, pairwise
from operator import mul

from lab.algorithms import BY_CHANCE, BY_KEY, COUNTING
from lab.comparison.inside import Inside, Start
from lab.comparison.result import Run, Share
from lab.comparison.runs import CURVE_PERCENTS, Entry
from lab.counts.fairness import jain
from lab.counts.latency import LatencySummary
from lab.simulation.herding import bunching
from lab.simulation.plan import Plan
from lab.simulation.queues import Passage, passage
from lab.simulation.theory import theory_of
from lab.simulation.traffic import Traffic

SLICES = 40
"""Of the requests, for the p99 over time."""
WARM_UP_SLICES = 4
"""The first requests find empty queues, and their latencies don't count."""
ROUNDS_OF_THE_START = 2
STANDARD_ERRORS = 4.0
"""That a backend's hits may be above what it would get in the long run."""


def fleet_run(plan: Plan, algorithm: str, traffic: Traffic) -> Run:
    """Run this traffic under the algorithm."""
    passed = passage(plan, algorithm, traffic)
    bounds = [plan.requests * part // SLICES for part in range(SLICES + 1)]
    slices = [sorted(passed.responses_ms[begin:end]) for begin, end in pairwise(bounds)]
    warm_up = bounds[WARM_UP_SLICES]
    ascending = sorted(chain.from_iterable(slices[WARM_UP_SLICES:]))
    latency = _summary(ascending)
    assert latency.mean_ms is not None
    work_ms = sum(map(mul, traffic.services_ms[warm_up:], map(plan.slowness.__getitem__, passed.places[warm_up:])))
    counts = Counter(passed.places)
    hits = [counts[place] for place in range(plan.backends)]
    return Run(
        algorithm=algorithm,
        title=Entry(algorithm).title,
        sent=plan.requests,
        answered=plan.requests,
        failed=0,
        retried=0,
        latency=latency,
        shares=tuple(map(Share, map(str, count(1)), plan.peer_weights, hits)),
        fairness=jain(hits, plan.peer_weights),
        percentiles_ms=tuple((percent, _percentile(ascending, percent)) for percent in CURVE_PERCENTS),
        inside=Inside(
            wait_ms=max(0.0, latency.mean_ms - work_ms / len(ascending)),
            max_in_flight=passed.max_in_flight,
            overloaded=_overloaded(plan, algorithm, hits),
            bunching=bunching(traffic.arrivals_ms[warm_up:], passed.places[warm_up:], plan.service_time_ms),
            start=_start(plan, traffic, passed, warm_up) if plan.balancers > 1 else None,
            p99_over_time_ms=tuple(
                (traffic.arrivals_ms[end - 1] / 1000, _percentile(part, 99))
                for end, part in zip(bounds[1:], slices, strict=True)
                if part
            ),
            theory=theory_of(plan, algorithm),
        ),
    )


def _start(plan: Plan, traffic: Traffic, passed: Passage, warm_up: int) -> Start | None:
    """The first rounds, or as much of them as belongs to the warm-up."""
    count = min(ROUNDS_OF_THE_START * plan.backends * plan.balancers, warm_up)
    if count == 0:
        return None
    return Start(
        seconds=traffic.arrivals_ms[count - 1] / 1000,
        p99_ms=_percentile(sorted(passed.responses_ms[:count]), 99),
        bunching=bunching(traffic.arrivals_ms[:count], passed.places[:count], plan.service_time_ms),
    )


def _overloaded(plan: Plan, algorithm: str, hits: Sequence[int]) -> int:
    """How many get more than they can serve, if this goes on.

    Where all backends are alike and keys don't part them, or active requests are counted and so held even, the load
    decides, for all. Elsewhere hits do, without what they may owe to where this run ends: each balancer may be within
    a round that gives a backend one more; what is drawn or hashed is off by chance, as a Poisson count is by its square
    root.
    """
    if algorithm in COUNTING or (plan.is_even and algorithm not in BY_KEY):
        return plan.backends if plan.load > 1 else 0
    arrivals_ms = plan.rate_per_ms * plan.service_time_ms / plan.capacity / plan.requests
    errors = STANDARD_ERRORS if algorithm in BY_CHANCE | BY_KEY else 0.0
    least = [hit - max(plan.balancers, errors * math.sqrt(hit)) for hit in hits]
    return sum(hit * factor * arrivals_ms > 1 for hit, factor in zip(least, plan.slowness, strict=True))


def _summary(ascending: Sequence[float]) -> LatencySummary:
    return LatencySummary(
        count=len(ascending),
        min_ms=ascending[0],
        mean_ms=sum(ascending) / len(ascending),
        p50_ms=_percentile(ascending, 50),
        p90_ms=_percentile(ascending, 90),
        p95_ms=_percentile(ascending, 95),
        p99_ms=_percentile(ascending, 99),
        p99_9_ms=_percentile(ascending, 99.9),
        max_ms=ascending[-1],
    )


def _percentile(ascending: Sequence[float], percent: float) -> float:
    """By nearest rank."""
    return ascending[max(1, math.ceil(len(ascending) * percent / 100 - 1e-9)) - 1]
