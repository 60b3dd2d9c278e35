"""What arrives: drawn once from the seed, so that each algorithm is given the same."""

import math
from array import array
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from lab.simulation.plan import Plan, Service


@dataclass(frozen=True, slots=True)
class Traffic:
    """Request by request, in the order of arrival."""

    arrivals_ms: "array[float]"
    services_ms: "array[float]"
    """How long a backend that isn't slow works on it."""
    balancers: "array[int]"
    """Which one it comes to."""


def drawn(plan: Plan) -> Traffic:
    """The traffic of this plan."""
    rng = Random(f"traffic {plan.seed}")  # noqa: S311 - a die, not a key
    log, random = math.log, rng.random
    mean_gap_ms = 1 / plan.rate_per_ms
    count = range(plan.requests)
    arrivals = array("d", accumulate([-log(1 - random()) * mean_gap_ms for _ in count]))
    match plan.service:
        case Service.FIXED:
            services = array("d", [plan.service_time_ms]) * plan.requests
        case Service.EXPONENTIAL:
            services = array("d", [-log(1 - random()) * plan.service_time_ms for _ in count])
        case Service.HEAVY:
            sigma = math.sqrt(math.log(1 + Service.HEAVY.squared_variation))
            mu = math.log(plan.service_time_ms) - sigma * sigma / 2
            services = array("d", [rng.lognormvariate(mu, sigma) for _ in count])
    if plan.balancers == 1:
        balancers = array("i", [0]) * plan.requests
    else:
        balancers = array("i", [int(random() * plan.balancers) for _ in count])
    return Traffic(arrivals, services, balancers)
