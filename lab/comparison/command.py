"""The command `lablb compare`."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.comparison.scenarios import SCENARIOS, scenario_named
from lab.config import LabConfig
from lab.errors import LabError
from lab.option_types import Duration

if TYPE_CHECKING:
    from lab.comparison.race import Progress
    from lab.comparison.result import Comparison

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


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, epilog=EPILOG)
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
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "csv", "html"]),
    default="text",
    show_default=True,
    help="How to write the report.",
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to FILE."
)
def compare(format_: str, output: Path | None, **options: Any) -> None:
    """Replay the same traffic through the real nginx under one algorithm after the other.

    The same arrivals, and each request as heavy under each algorithm; the first algorithm runs twice, which shows how
    much is chance. Progress goes to stderr, the report alone to stdout.
    """
    from lab.comparison import race  # noqa: PLC0415 - takes 0.1 s, which only this command needs

    scenario = scenario_named(options["scenario"])
    plan = race.Race(
        scenario,
        options["algorithms"].replace(" ", "").split(","),
        seconds=options["duration"] or scenario.seconds,
        seed=options["seed"],
    )
    lab = LabConfig(port=options["port"], base_port=options["base_port"], nginx=options["nginx"])
    _write(_formatted(asyncio.run(race.compare(plan, lab, _teller())), format_), output)


def _teller() -> Callable[["Progress"], None]:
    told = 0

    def tell(progress: "Progress") -> None:
        nonlocal told
        if progress.number != told:
            told = progress.number
            left = f"{progress.seconds_left:.0f} s left"
            click.echo(f"lablb: run {progress.number} of {progress.count}, {progress.title}, {left}", err=True)

    return tell


def _formatted(comparison: "Comparison", format_: str) -> str:
    from lab.comparison import formats, page  # noqa: PLC0415 - as above

    write = {"text": formats.as_text, "json": formats.as_json, "csv": formats.as_csv, "html": page.as_html}
    return write[format_](comparison)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(text, nl=False)
        raise LabError(f"{output} can't be written ({error.strerror}), so the report is on stdout.") from None
