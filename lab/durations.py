"""How a person writes a duration, `500ms`, `5s`, `2m`, and how one is told."""

import re

MAX_SECONDS = 7 * 24 * 3600
"""A week: nginx and the event loops count longer times wrongly, or not at all."""
_UNITS_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def seconds_of(text: str) -> float:
    """Seconds from the text; a bare number is seconds.

    Raises:
        ValueError: it is no duration; the message says so, and how to write one.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|)", text, re.ASCII)
    if found is None:
        raise ValueError(f"{text!r} is no duration: write it like 500ms, 5s or 2m.")
    return float(found[1]) * _UNITS_SECONDS[found[2]]


def brief_seconds(seconds: float) -> str:
    """A time that was measured or simulated, to two digits or to the second: `25 ms`, `3.1 s`, `172 s`."""
    if seconds < 0.1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def milliseconds(value_ms: float | None) -> str:
    """A latency, to the tenth below 100 ms; a dash for what isn't known."""
    if value_ms is None:
        return "–"
    return f"{value_ms:.1f} ms" if value_ms < 99.95 else f"{value_ms:,.0f} ms"
