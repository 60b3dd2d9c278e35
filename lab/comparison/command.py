"""The command `lablb compare`."""

import asyncio
from pathlib import Path
from typing import Any

import click

from lab.commandline.option_types import Duration
from lab.commandline.output import require_writable
from lab.comparison.scenarios import SCENARIOS, scenario_named
from lab.comparison.telling import report_options, tell, told_runs
from lab.config import LabConfig

EPILOG = """\b
Scenarios:
""" + "\n".join(f"  {scenario.name:<11} {scenario.description}" for scenario in SCENARIOS)
EPILOG += """

\b
Examples:
  lablb compare --scenario one-slow
  lablb compare --scenario heavy-tail --algorithms round_robin,least_conn,random_two --format html -o tail.html
"""
DEFAULT_ALGORITHMS = "round_robin,least_conn,random,random_two"


@click.command(epilog=EPILOG)
@click.option(
    "--scenario",
    type=click.Choice([scenario.name for scenario in SCENARIOS]),
    default=SCENARIOS[0].name,
    show_default=True,
    help="What they are compared under.",
)
@click.option(
    "--algorithms", default=DEFAULT_ALGORITHMS, metavar="A,B,…", show_default=True, help="Which, in this order."
)
@click.option(
    "--duration",
    "-z",
    type=Duration(),
    metavar="T",
    help="How long each gets, like 20s.  [default: the scenario's own]",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of arrivals and service times.")
@click.option("--port", type=int, metavar="PORT", help="nginx's port.  [default: 70, or 8070 where 70 isn't allowed]")
@click.option("--base-port", type=int, metavar="PORT", help="The first backend's port.  [default: 71, or 8071]")
@click.option("--nginx", default="bundled", metavar="WHICH", show_default=True, help="bundled, system, or a PATH.")
@report_options
def compare(format_: str, output: Path | None, **options: Any) -> None:
    """Replay the same traffic through the real nginx under one algorithm after the other.

    The same arrivals, and each request as heavy under each algorithm; the first algorithm runs twice, which shows how
    much is chance. Progress goes to stderr, the report alone to stdout.
    """
    if output is not None:
        require_writable(output)
    from lab.comparison import race  # noqa: PLC0415 - takes 0.1 s, which only this command needs

    scenario = scenario_named(options["scenario"])
    plan = race.Race(
        scenario,
        options["algorithms"].replace(" ", "").split(","),
        seconds=scenario.seconds if options["duration"] is None else options["duration"],
        seed=options["seed"],
    )
    lab = LabConfig(port=options["port"], base_port=options["base_port"], nginx=options["nginx"])
    with told_runs() as tell_run:

        def listen(progress: race.Progress) -> None:
            tell_run(progress.number, progress.count, progress.title, progress.seconds_left)

        comparison = asyncio.run(race.compare(plan, lab, listen))
    tell(comparison, format_, output)
