"""Faults by the clock, as a person writes them: `kill:73@2s`, `slow:72:300ms@3s..6s`, `errors:#1:503:30%@1s`."""

import re
from dataclasses import dataclass
from typing import Any

from lab.durations import seconds_of
from lab.errors import UsageError
from lab.faults.fault import Fault, FaultKind

_FIGURES: dict[FaultKind, tuple[str, ...]] = {
    FaultKind.SLOW: ("service_time_ms",),
    FaultKind.TAIL: ("service_time_ms",),
    FaultKind.ERRORS: ("status", "share"),
    FaultKind.RESET: ("share",),
    FaultKind.SILENCE: ("share",),
}
"""Which figures of a `Fault` may be given; none for the other kinds."""
_EXAMPLES = {
    FaultKind.SLOW: "slow:72:300ms@3s",
    FaultKind.TAIL: "tail:72:20ms@3s",
    FaultKind.ERRORS: "errors:71:503:30%@1s",
    FaultKind.RESET: "reset:71:50%@1s",
    FaultKind.SILENCE: "silence:71:50%@1s",
}


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One fault of one backend, and when."""

    fault: Fault
    port: int
    """As it was written; 0 if a place was."""
    place: int | None
    """Counted from 0; None if a port was written."""
    start_seconds: float
    """Since the first request fell due."""
    end_seconds: float | None
    """When it is undone; None for never."""
    text: str
    """As it was written."""


def planned(text: str) -> PlannedFault:
    """What the text asks for.

    Raises:
        UsageError: it can't be understood, or makes no sense; the sentence says how to write it.
    """
    what, at, when = text.strip().partition("@")
    name, _, rest = what.partition(":")
    target, *figures = rest.split(":")
    if name not in list(FaultKind):
        raise UsageError(f"{text!r} begins with no fault: give one of {', '.join(FaultKind)}.")
    kind = FaultKind(name)
    example = _EXAMPLES.get(kind, f"{kind}:73@2s")
    backend = re.fullmatch(r"(#?)(\d{1,5})", target, re.ASCII)
    if backend is None:
        raise UsageError(f"{text!r} names no backend: write its port or its place, like {example} or {kind}:#2@2s.")
    if not at:
        raise UsageError(f"{text!r} doesn't say when: write it like {example}, or with its end like {kind}:73@2s..6s.")
    start_seconds, end_seconds = _times(text, when)
    return PlannedFault(
        fault=Fault(kind, **_figures(text, kind, figures, example)),
        port=0 if backend[1] else int(backend[2]),
        place=int(backend[2]) - 1 if backend[1] else None,
        start_seconds=start_seconds,
        end_seconds=end_seconds,
        text=text.strip(),
    )


def _times(text: str, when: str) -> tuple[float, float | None]:
    start, dots, end = when.partition("..")
    try:
        start_seconds, end_seconds = seconds_of(start), seconds_of(end) if dots else None
    except ValueError as error:
        raise UsageError(f"{text!r} can't be read: {error}") from None
    if end_seconds is not None and end_seconds <= start_seconds:
        raise UsageError(f"{text!r} would end before it begins: give a later end.")
    return start_seconds, end_seconds


def _figures(text: str, kind: FaultKind, written: list[str], example: str) -> dict[str, Any]:
    """The figures by the names of a `Fault`'s fields. Each looks different, so that their order doesn't matter."""
    figures: dict[str, Any] = {}
    for word in written:
        name, value = _figure(word)
        if name not in _FIGURES.get(kind, ()) or name in figures:
            raise UsageError(f"{text!r} has a {word!r} too many: write it like {example}.")
        figures[name] = value
    return figures


def _figure(word: str) -> tuple[str, float]:
    """Which figure a word is, and its value; its name is empty if it is none."""
    if re.fullmatch(r"\d+(\.\d+)?%", word, re.ASCII):
        return "share", float(word[:-1]) / 100
    if re.fullmatch(r"\d{3}", word, re.ASCII):
        return "status", int(word)
    if re.fullmatch(r"\d+(\.\d+)?(ms|s|m|h)", word, re.ASCII):
        return "service_time_ms", seconds_of(word) * 1000
    return "", 0.0
