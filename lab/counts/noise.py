"""Noise or real: whether the backends get the shares that the algorithm promises, or differ by more than chance."""

from dataclasses import dataclass
from enum import StrEnum


class Finding(StrEnum):
    """What can be said of the differences between hits and what was expected."""

    NOTHING_EXPECTED = "nothing is expected"
    """The shares depend on load, on keys or on nobody, so that there is nothing to hold them against."""
    TOO_FEW = "too few"
    """Requests, to tell chance from cause."""
    CHANCE = "chance"
    HARDLY_CHANCE = "hardly chance"
    NO_CHANCE = "no chance"


@dataclass(frozen=True, slots=True)
class Outlier:
    """The backend that is farthest from what was expected of it. Shares are of all requests, 0 to 1."""

    port: int
    share: float
    expected: float


@dataclass(frozen=True, slots=True)
class Noise:
    """What was found since the algorithm, the backends or the counters last changed."""

    finding: Finding
    shares: tuple[tuple[int, float], ...] = ()
    """Port and share, 0 to 1, of each backend since the configuration last changed; empty before any request."""
    expected: tuple[tuple[int, float], ...] = ()
    """Port and the share that is to be expected now; empty where nobody can know."""
    outlier: Outlier | None = None
    """None until there are enough requests to tell."""
    p: float | None = None
    """How often chance alone would make differences as large or larger; None where nobody can tell."""
    jain: float | None = None
    """Jain's fairness index of hits per weight; None before there are any."""
