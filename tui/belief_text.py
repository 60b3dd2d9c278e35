"""What nginx believes of a backend, in a word or two: inferred, so it is always shown as such."""

import math

from lab.nginx.belief import Belief, Standing
from tui.formatting import UNKNOWN
from tui.ink import Ink, Span

_LONG_SECONDS = 100
_INKS = {
    Standing.IN_USE: Ink.PLAIN,
    Standing.FAILING: Ink.WARNING,
    Standing.BENCHED: Ink.BAD,
    Standing.DUE: Ink.ACCENT,
    Standing.TESTING: Ink.ACCENT,
    Standing.SPARE: Ink.MUTED,
    Standing.OUT: Ink.MUTED,
}


def belief_of(belief: Belief | None, now: float) -> Span:
    """`in use`, `fails 1/3`, `benched, ~6 s`, …; `now` is seconds since the epoch."""
    if belief is None:
        return UNKNOWN, Ink.MUTED
    standing = _standing_at(belief, now)
    return _words(belief, standing, now), _INKS[standing]


def _standing_at(belief: Belief, now: float) -> Standing:
    is_over = belief.retry_at is not None and belief.retry_at <= now
    return Standing.DUE if belief.standing is Standing.BENCHED and is_over else belief.standing


def _words(belief: Belief, standing: Standing, now: float) -> str:
    if standing is Standing.FAILING:
        return f"fails {belief.fails}/{belief.max_fails}" if belief.max_fails else f"fails {belief.fails}"
    if standing is Standing.BENCHED and belief.retry_at is not None:
        return f"benched, ~{_left(belief.retry_at - now)}"
    return standing.value


def _left(seconds: float) -> str:
    return f"{math.ceil(seconds)} s" if seconds < _LONG_SECONDS else f"{math.ceil(seconds / 60)} m"
