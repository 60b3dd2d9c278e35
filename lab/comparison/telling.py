"""How comparisons are told, real or simulated: the options of their reports, and the progress on stderr."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lab.commandline.output import write

if TYPE_CHECKING:
    from lab.comparison.result import Comparison

USUAL_COLUMNS = 80
"""Of a terminal that doesn't tell."""

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


RunTeller = Callable[[int, int, str, float | None], None]
"""Is told the number of the run under way, how many there are, its title, and the seconds that the rest takes."""


@contextlib.contextmanager
def told_runs() -> Iterator[RunTeller]:
    """On stderr: on a terminal in one line that is written anew and goes in the end, else in a line for each run."""
    if not sys.stderr.isatty():
        yield _LinePerRun()
        return
    line = _OneLine()
    try:
        yield line
    finally:
        line.show("")


class _LinePerRun:
    def __init__(self) -> None:
        self._told = 0

    def __call__(self, number: int, count: int, title: str, seconds_left: float | None) -> None:
        if number != self._told:
            self._told = number
            click.echo(_run(number, count, title, seconds_left), err=True)


class _OneLine:
    def __init__(self) -> None:
        self._shown = ""

    def __call__(self, number: int, count: int, title: str, seconds_left: float | None) -> None:
        self.show(_run(number, count, title, seconds_left))

    def show(self, text: str) -> None:
        """In place of what is shown; a line that is wider than the terminal couldn't be taken back."""
        text = text[: _columns() - 1]
        if text != self._shown:
            sys.stderr.write(f"\r{' ' * len(self._shown)}\r{text}")
            sys.stderr.flush()
            self._shown = text


def _columns() -> int:
    """How wide the terminal is that stderr goes to; stdout may go elsewhere."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_COLUMNS
    except OSError:
        return USUAL_COLUMNS


def _run(number: int, count: int, title: str, seconds_left: float | None) -> str:
    left = "" if seconds_left is None else f", {seconds_left:.0f} s left"
    return f"lablb: run {number} of {count}, {title}{left}"
