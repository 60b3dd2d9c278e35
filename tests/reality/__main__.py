"""`make reality`: scenarios through the real nginx and through the simulation, side by side.

`python -m tests.reality one-slow weighted --seconds 60` does only these, for longer. It ends with exit code 1 if
something isn't held.
"""

import argparse
import asyncio
import sys

from lab.comparison.command import DEFAULT_ALGORITHMS
from lab.comparison.race import Race, compare
from lab.comparison.scenarios import SCENARIOS, Scenario, scenario_named
from lab.config import LabConfig
from tests.integration.facts import free_ports
from tests.reality.holding import hold


async def main() -> int:
    """A table for each try of each scenario: a machine that is busy with something else gets another one."""
    parser = argparse.ArgumentParser(prog="python -m tests.reality", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="which [all]")
    parser.add_argument("--seconds", type=float, help="how long each algorithm gets [the scenario's own]")
    parser.add_argument("--seed", type=int, default=1, help="of arrivals and service times [%(default)s]")
    parser.add_argument("--tries", type=int, default=3, help="until all is held [%(default)s]")
    given = parser.parse_args()
    is_held = True
    for name in given.scenarios or [scenario.name for scenario in SCENARIOS]:
        scenario = scenario_named(name)
        for _ in range(given.tries):
            missed = await beside(scenario, given.seconds or scenario.seconds, given.seed)
            if not missed:
                break
        is_held &= not missed
    return 0 if is_held else 1


async def beside(scenario: Scenario, seconds: float, seed: int) -> int:
    """Run it and print what was found; how many figures aren't held."""
    port = free_ports(6)
    race = Race(scenario, DEFAULT_ALGORITHMS.split(","), seconds=seconds, seed=seed)
    real = await compare(race, LabConfig(port=port, base_port=port + 1), lambda _: None)
    noise = "unknown" if real.noise is None else f"{real.noise:.1%}"
    sent = real.runs[0].sent
    print(f"{scenario.name}, {seconds:g} s, {sent} requests; the same algorithm twice differs by {noise} at p95")
    figures = hold(real, scenario, seconds)
    for held in figures:
        if not held.is_held or held.figure.startswith("p"):
            print(f"  {held}", flush=True)
    return sum(not held.is_held for held in figures)


sys.exit(asyncio.run(main()))
