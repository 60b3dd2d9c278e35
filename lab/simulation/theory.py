"""What queueing theory knows exactly: the means that a simulation has to meet."""

import math
from dataclasses import dataclass

from lab.comparison.inside import Theory
from lab.simulation.plan import Plan, Service

FEWEST_RELAXATIONS = 10
"""That a run takes, its warm-up included: after them the mean lacks 2 % or less."""
RELAXATIONS_OF_ALL = 450
"""Of all queues together: chance moves the mean of r of them by about 1.06 / sqrt(r), a twentieth here."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One backend, where its arrivals are known to be Poisson."""

    share: float
    """Of all requests."""
    service_ms: float
    load: float
    """Arrivals to what it can serve."""

    def relaxation_ms(self, plan: Plan) -> float:
        """The time in which it forgets how it began, as a single server does.

        Of M/M/1: Cohen, "The Single Server Queue", 1969; other service times by their heavy-traffic limit.
        """
        spread = (1 + plan.service.squared_variation) / 2
        return spread * self.service_ms / plan.capacity / (1 - math.sqrt(self.load)) ** 2


def theory_of(plan: Plan, algorithm: str) -> Theory | None:
    """The truth, where it is known and there is a steady state."""
    queues = _queues(plan, algorithm)
    if queues is None:
        return None
    mean_ms = wait_ms = 0.0
    for queue in queues:
        load, service_ms = queue.load, queue.service_ms
        if plan.capacity == 1:
            one_ms = single_wait_ms(load, service_ms, plan.service.squared_variation)
        else:
            one_ms = erlang_c(plan.capacity, load * plan.capacity) * service_ms / (plan.capacity * (1 - load))
        wait_ms += queue.share * one_ms
        mean_ms += queue.share * (one_ms + service_ms)
    kind = {Service.FIXED: "M/D/1", Service.EXPONENTIAL: "M/M/1", Service.HEAVY: "M/G/1"}[plan.service]
    return Theory(kind if plan.capacity == 1 else "M/M/c", mean_ms, wait_ms)


def steady_requests(plan: Plan, algorithm: str) -> int | None:
    """How many requests a run takes to be in the steady state that theory speaks of; None where it speaks of none.

    So many that the means are at most 2 % too low because queues began empty (tried at loads of 0.5 to 0.95), and
    chance moves them by a tenth in 1 run of 20. With a heavy tail chance moves them by more.
    """
    queues = _queues(plan, algorithm)
    if queues is None:
        return None
    relaxations_ms = [queue.relaxation_ms(plan) for queue in queues]
    longest_ms = max(relaxations_ms)
    as_many = sum(relaxations_ms) / longest_ms
    requests = max(FEWEST_RELAXATIONS, RELAXATIONS_OF_ALL / as_many) * longest_ms * plan.rate_per_ms
    unit = 10.0 ** max(0, math.floor(math.log10(requests)) - 1)
    return int(math.ceil(requests / unit) * unit)


def _queues(plan: Plan, algorithm: str) -> list[Queue] | None:
    """Of which theory knows the means.

    With one backend all algorithms are alike; `random` splits Poisson arrivals into Poisson arrivals, so that each
    backend is a queue of its own.
    """
    if plan.capacity > 1 and plan.service is not Service.EXPONENTIAL:
        return None
    if plan.backends > 1 and algorithm != "random":
        return None
    total, rate_per_ms = sum(plan.peer_weights), plan.rate_per_ms
    queues = []
    for weight, factor in zip(plan.peer_weights, plan.slowness, strict=True):
        share, service_ms = weight / total, plan.service_time_ms * factor
        queues.append(Queue(share, service_ms, rate_per_ms * share * service_ms / plan.capacity))
    return queues if max(queue.load for queue in queues) < 1 else None


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
