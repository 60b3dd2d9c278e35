"""What queueing theory knows exactly: the means that a simulation has to meet."""

import math

from lab.comparison.inside import Theory
from lab.simulation.plan import Plan, Service


def theory_of(plan: Plan, algorithm: str) -> Theory | None:
    """The truth, where it is known and there is a steady state.

    With one backend all algorithms are alike; `random` splits Poisson arrivals into Poisson arrivals, so that each
    backend is a queue of its own.
    """
    weights, rate_per_ms = plan.peer_weights, plan.rate_per_ms
    if plan.backends == 1:
        shares = [1.0]
    elif algorithm == "random":
        total = sum(weights)
        shares = [weight / total for weight in weights]
    else:
        return None
    if plan.capacity > 1 and plan.service is not Service.EXPONENTIAL:
        return None
    mean_ms = wait_ms = 0.0
    for share, factor in zip(shares, plan.slowness, strict=True):
        service_ms = plan.service_time_ms * factor
        load = rate_per_ms * share * service_ms / plan.capacity
        if load >= 1:
            return None
        if plan.capacity == 1:
            one_ms = single_wait_ms(load, service_ms, plan.service.squared_variation)
        else:
            one_ms = erlang_c(plan.capacity, load * plan.capacity) * service_ms / (plan.capacity * (1 - load))
        wait_ms += share * one_ms
        mean_ms += share * (one_ms + service_ms)
    kind = {Service.FIXED: "M/D/1", Service.EXPONENTIAL: "M/M/1", Service.HEAVY: "M/G/1"}[plan.service]
    return Theory(kind if plan.capacity == 1 else "M/M/c", mean_ms, wait_ms)


def single_wait_ms(load: float, service_ms: float, squared_variation: float) -> float:
    """The mean wait in a queue with one server (Pollaczek and Khinchine, 1930)."""
    return load / (1 - load) * (1 + squared_variation) / 2 * service_ms


def erlang_c(servers: int, offered: float) -> float:
    """The part of requests that has to wait in a queue with so many servers (Erlang, 1917).

    By the recursion of Erlang B, which doesn't overflow.
    """
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = offered * blocked / (busy + offered * blocked)
    load = offered / servers
    return blocked / (1 - load * (1 - blocked)) if load < 1 else math.nan
