"""Where a report goes: into a file, or to stdout; and what is said beside it, on stderr."""

from pathlib import Path

import click

from lab.errors import LabError, NotReadyError
from lab.inert import inert_line


def say(sentence: str) -> None:
    """One line on stderr, whatever foreign text is in it."""
    click.echo(f"lablb: {inert_line(sentence)}", err=True)


def require_writable(path: Path) -> None:
    """Before the work is done.

    Raises:
        NotReadyError: the report can't be written there.
    """
    try:
        is_new = not path.exists()
        with path.open("a", encoding="utf-8"):
            pass
        if is_new:  # a run that fails leaves no empty report
            path.unlink()
    except OSError as error:
        raise NotReadyError(f"{path} can't be written ({error.strerror}): give another file with -o.") from None


def write(text: str, path: Path | None) -> None:
    """Into the file, or to stdout where there is none, or where the disk refuses by now: nothing is thrown away.

    Raises:
        LabError: the disk refused.
    """
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(text, nl=False)
        raise LabError(f"{path} can't be written ({error.strerror}): the report is on stdout instead.") from None
