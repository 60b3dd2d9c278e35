"""How comparisons are told, real or simulated: the options of their reports, and the progress on stderr."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lab.output import write

if TYPE_CHECKING:
    from lab.comparison.result import Comparison

Command = TypeVar("Command", bound=Callable[..., Any])


def report_options(command: Command) -> Command:
    """Adds `--format` and `-o`."""
    command = click.option(
        "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to FILE."
    )(command)
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["text", "json", "csv", "html"]),
        default="text",
        show_default=True,
        help="How to write the report.",
    )(command)


def tell(comparison: "Comparison", format_: str, output: Path | None) -> None:
    """Write the report.

    Raises:
        LabError: the file can't be written by now.
    """
    from lab.comparison import formats, page  # noqa: PLC0415 - takes time that only a report is worth

    form = {"text": formats.as_text, "json": formats.as_json, "csv": formats.as_csv, "html": page.as_html}[format_]
    write(form(comparison), output)


def tell_run(number: int, count: int, title: str, seconds_left: float | None) -> None:
    """A run begins."""
    left = "" if seconds_left is None else f", {seconds_left:.0f} s left"
    click.echo(f"lablb: run {number} of {count}, {title}{left}", err=True)
