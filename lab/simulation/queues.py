"""Lets time pass: requests arrive, are picked a backend for, wait there for a free place, are worked on, and leave."""

from array import array
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass

from lab.simulation.picking import picker_for
from lab.simulation.plan import Plan
from lab.simulation.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Passage:
    """What came of the traffic under one algorithm, request by request in the order of arrival."""

    responses_ms: "array[float]"
    """From arrival to answer."""
    places: "array[int]"
    """The backend that each was given to."""
    max_in_flight: int
    """The most requests that one backend had at once."""


def passage(plan: Plan, algorithm: str, traffic: Traffic) -> Passage:
    """Run this traffic through the plan's balancers and backends.

    A backend serves in the order of arrival, so that it is known on arrival when a request will be done, and all that
    has to be kept of a backend is when it is done with what it was given, ascending: it is free for another request
    once it is done with all but `capacity - 1` of them.
    """
    weights, slowness, capacity = plan.peer_weights, plan.slowness, plan.capacity
    pickers = [picker_for(algorithm, weights, f"{plan.seed} {number}", plan.keys) for number in range(plan.balancers)]
    picks = [picker.pick for picker in pickers]
    notes = [picker.note for picker in pickers if picker.note is not None]
    dones = [[0.0] * capacity for _ in weights]
    enter: Callable[[list[float], float], None] = list.append if capacity == 1 else insort
    responses_ms, places = array("d"), array("i")
    respond, go = responses_ms.append, places.append
    most = 0
    for now, service, balancer in zip(traffic.arrivals_ms, traffic.services_ms, traffic.balancers, strict=True):
        place = picks[balancer](now)
        before = dones[place]
        start = before[-capacity]
        if start < now:  # noqa: PLR1730 - max() takes longer
            start = now
        done = start + service * slowness[place]
        enter(before, done)
        if notes:
            notes[balancer](place, now, done)
        if len(before) > most and before[-most - 1] > now:  # one more than ever is still there
            most += 1
        respond(done - now)
        go(place)
    return Passage(responses_ms, places, most)
