"""Lets time pass: requests arrive, are picked a backend for, wait there for a free place, are worked on, and leave."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace

from lab.fairness import jain
from lab.simulation.picking import Picker, picker_for
from lab.simulation.plan import Plan
from lab.simulation.traffic import Traffic

WARM_UP_PART = 0.1
"""Of all requests: the first ones find empty queues, and their times don't count."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one algorithm. Times are from arrival to answer, without the first tenth of the requests."""

    algorithm: str
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    wait_ms: float
    """The mean part of it before a backend began to work on the request."""
    max_in_flight: int
    """The most requests that one backend had at once."""
    hits: tuple[int, ...]
    """Of each backend."""
    fairness: float
    """Jain's index of hits per weight."""


def simulated(plan: Plan, algorithm: str, traffic: Traffic) -> Result:
    """Run this traffic through the plan's balancers and backends."""
    weights = plan.peer_weights
    pickers = [picker_for(algorithm, weights, f"{plan.seed} {number}", plan.keys) for number in range(plan.balancers)]
    responses_ms, waits_ms, hits, most = _run(plan, traffic, pickers)
    counted = responses_ms[round(plan.requests * WARM_UP_PART) :]
    waited = waits_ms[len(responses_ms) - len(counted) :]
    mean_ms, wait_ms = sum(counted) / len(counted), sum(waited) / len(waited)
    counted.sort()
    return Result(
        algorithm=algorithm,
        mean_ms=mean_ms,
        p50_ms=_percentile(counted, 50),
        p95_ms=_percentile(counted, 95),
        p99_ms=_percentile(counted, 99),
        max_ms=counted[-1],
        wait_ms=wait_ms,
        max_in_flight=most,
        hits=tuple(hits),
        fairness=jain(hits, weights) or 0.0,
    )


def _run(plan: Plan, traffic: Traffic, pickers: Sequence[Picker]) -> tuple[list[float], list[float], list[int], int]:
    """Response times, waits, hits of each backend, and the most that one had at once.

    A backend serves in the order of arrival, so that it is known on arrival when a request will be done: all that has
    to be kept in order are the departures.
    """
    picks = [picker.pick for picker in pickers]
    releases = [picker.release for picker in pickers]
    slowness = plan.slowness
    free_at = [[0.0] * plan.capacity for _ in slowness]
    for places in free_at:
        heapify(places)
    in_flight, hits = [0] * plan.backends, [0] * plan.backends
    departures: list[tuple[float, int, int, float]] = []
    responses_ms: list[float] = []
    waits_ms: list[float] = []
    most = 0
    for now, service, balancer in zip(traffic.arrivals_ms, traffic.services_ms, traffic.balancers, strict=True):
        while departures and departures[0][0] <= now:
            _, place, left, response = heappop(departures)
            in_flight[place] -= 1
            release = releases[left]
            if release is not None:
                release(place, response)
        place = picks[balancer]()
        places = free_at[place]
        start = places[0]
        start = max(start, now)
        done = start + service * slowness[place]
        heapreplace(places, done)
        heappush(departures, (done, place, balancer, done - now))
        responses_ms.append(done - now)
        waits_ms.append(start - now)
        hits[place] += 1
        in_flight[place] += 1
        most = max(most, in_flight[place])
    return responses_ms, waits_ms, hits, most


def _percentile(ascending: Sequence[float], percent: float) -> float:
    """By nearest rank."""
    return ascending[max(1, math.ceil(len(ascending) * percent / 100)) - 1]
