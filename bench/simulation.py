"""How fast `lablb simulate` is, beside the same model on simpy, and how its cost grows with the number of backends.

Both only compute, so that the processor's time is what counts.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec

from bench.plain_simulation import responses_ms
from bench.ratio import Ratio, compare
from lab.simulation.fleet import fleet_run
from lab.simulation.plan import Plan
from lab.simulation.queues import passage
from lab.simulation.traffic import drawn

ALGORITHMS = ("round_robin", "least_conn", "random", "random_two")
FLEET = Plan(backends=1000, balancers=20, requests=1_000_000)
SIMPYS_REQUESTS = 20_000
"""Fewer, so that a pair is measured in seconds; both are told as a rate."""
FEW, MANY = 100, 10_000


async def simulating() -> AsyncIterator[Ratio]:
    """All algorithms together, which is what the command does unless told otherwise; then each."""
    if find_spec("simpy") is None:
        return
    for names in (ALGORITHMS, *((name,) for name in ALGORITHMS)):
        who, wanted = ("all four algorithms", "≥ 20") if len(names) > 1 else (names[0], "")
        yield await compare(
            f"simulated requests/s of lablb to simpy, {FLEET.backends:,} backends, {FLEET.balancers} balancers, {who}",
            wanted,
            "/s",
            partial(own_rate, names),
            partial(simpys_rate, names),
        )


async def growing() -> AsyncIterator[Ratio]:
    """At most logarithmic: a hundred times the backends may cost twice as much, as log 10,000 is twice log 100."""
    for name in ALGORITHMS:
        what = f"cost of a simulated request at {MANY:,} backends to {FEW}, {name}"
        yield await compare(what, "≤ 2", "µs", partial(cost_us, name, MANY), partial(cost_us, name, FEW))


async def own_rate(names: tuple[str, ...]) -> float:
    """Requests simulated a second, from drawing the traffic to the percentiles."""
    started = time.process_time()
    traffic = drawn(FLEET)
    for name in names:
        fleet_run(FLEET, name, traffic)
    return FLEET.requests * len(names) / (time.process_time() - started)


async def simpys_rate(names: tuple[str, ...]) -> float:
    """The same on simpy."""
    plan = replace(FLEET, requests=SIMPYS_REQUESTS)
    started = time.process_time()
    for name in names:
        responses_ms(plan, name)
    return plan.requests * len(names) / (time.process_time() - started)


async def cost_us(name: str, backends: int) -> float:
    """The time that one request takes to be picked for and served, once each backend has had some."""
    plan = Plan(backends=backends, requests=20 * MANY)
    traffic = drawn(plan)
    started = time.process_time()
    passage(plan, name, traffic)
    return (time.process_time() - started) / plan.requests * 1e6
