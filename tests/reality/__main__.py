"""`make reality`: scenarios through the real nginx and through the simulation, side by side.

`python -m tests.reality one-slow weighted --seconds 60` does only these, for longer. It ends with exit code 1 if
something isn't held.
"""

import argparse
import asyncio
import sys

from lab.comparison.command import DEFAULT_ALGORITHMS
from lab.comparison.race import Race, compare
from lab.comparison.scenarios import SCENARIOS, scenario_named
from lab.config import LabConfig
from tests.integration.facts import free_ports
from tests.reality.holding import hold


async def main() -> int:
    """A table for each scenario."""
    parser = argparse.ArgumentParser(prog="python -m tests.reality", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="which [all]")
    parser.add_argument("--seconds", type=float, help="how long each algorithm gets [the scenario's own]")
    parser.add_argument("--seed", type=int, default=1, help="of arrivals and service times [%(default)s]")
    given = parser.parse_args()
    missed = 0
    for name in given.scenarios or [scenario.name for scenario in SCENARIOS]:
        scenario = scenario_named(name)
        seconds = given.seconds or scenario.seconds
        port = free_ports(6)
        race = Race(scenario, DEFAULT_ALGORITHMS.split(","), seconds=seconds, seed=given.seed)
        real = await compare(race, LabConfig(port=port, base_port=port + 1), lambda _: None)
        noise = "unknown" if real.noise is None else f"{real.noise:.1%}"
        print(
            f"{name}, {seconds:g} s, {real.runs[0].sent} requests; the same algorithm twice differs by {noise} at p95"
        )
        for held in hold(real, scenario, seconds):
            missed += not held.is_held
            if not held.is_held or held.figure.startswith("p"):
                print(f"  {held}", flush=True)
    return 1 if missed else 0


sys.exit(asyncio.run(main()))
