"""Where a report goes: into a file, or to stdout; and what is said beside it, on stderr."""

import os
import sys
from pathlib import Path

import click

from lab.errors import LabError, NotReadyError
from lab.inert import inert_line


def say(sentence: str) -> None:
    """One line on stderr, whatever foreign text is in it."""
    click.echo(f"lablb: {inert_line(sentence)}", err=True)


def show(text: str) -> None:
    """On stdout.

    Raises:
        LabError: it can't be written there.
    """
    try:
        click.echo(text, nl=False)
    except OSError as error:
        # What is still in the buffer must not be tried again at the very end, where nobody could say so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise LabError(f"stdout can't be written ({error.strerror}).") from None


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
        show(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        show(text)
        raise LabError(f"{path} can't be written ({error.strerror}): the report is on stdout instead.") from None
