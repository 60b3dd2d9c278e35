"""Lets time pass: requests arrive, are picked a backend for, wait there for a free place, are worked on, and leave."""

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from typing import Any

from lab.simulation.picking import picker_for
from lab.simulation.plan import Plan
from lab.simulation.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Passage:
    """What came of the traffic under one algorithm, request by request in the order of arrival."""

    responses_ms: list[float]
    """From arrival to answer."""
    places: "array[int]"
    """The backend that each was given to."""
    max_in_flight: int
    """The most requests that one backend had at once."""


def passage(plan: Plan, algorithm: str, traffic: Traffic) -> Passage:
    """Run this traffic through the plan's balancers and backends.

    A backend serves in the order of arrival, so that it is known on arrival when a request will be done.
    """
    weights, slowness = plan.peer_weights, plan.slowness
    pickers = [picker_for(algorithm, weights, f"{plan.seed} {number}", plan.keys) for number in range(plan.balancers)]
    picks = [picker.pick for picker in pickers]
    notes = [picker.note for picker in pickers if picker.note is not None]
    free_at = [[0.0] * plan.capacity for _ in weights]
    """Of each place to work at: a heap."""
    enter: Callable[[Any, float], None]
    leave: Callable[[Any], float]
    inside: list[Any]
    """Of each backend, when its requests will leave it: in their order, or where it works on several, in any order."""
    if plan.capacity == 1:
        inside, enter, leave = [deque() for _ in weights], deque.append, deque.popleft
    else:
        inside, enter, leave = [[] for _ in weights], heappush, heappop
    responses_ms: list[float] = []
    places = array("i")
    respond, go = responses_ms.append, places.append
    most = 0
    for now, service, balancer in zip(traffic.arrivals_ms, traffic.services_ms, traffic.balancers, strict=True):
        place = picks[balancer](now)
        free = free_at[place]
        done = (free[0] if free[0] > now else now) + service * slowness[place]  # noqa: FURB136 - max() takes longer
        heapreplace(free, done)
        if notes:
            notes[balancer](place, now, done)
        present = inside[place]
        while present and present[0] <= now:
            leave(present)
        enter(present, done)
        if len(present) > most:  # noqa: PLR1730 - so does this
            most = len(present)
        respond(done - now)
        go(place)
    return Passage(responses_ms, places, most)
