"""What nginx believes of its backends, inferred from its log by its own rules: nginx itself doesn't tell."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """Whether nginx would give a backend the next request, as far as failures are concerned."""

    IN_USE = "in use"
    FAILING = "failing"
    """It has failures on its account, and fewer than would put it aside."""
    BENCHED = "benched"
    """Put aside until `retry_at`."""
    DUE = "due"
    """Put aside long enough: the next request that comes round to it is its test."""
    TESTING = "testing"
    """One request is its test; all others go elsewhere until that has ended."""
    SPARE = "spare"
    """A backup, which is asked only when no primary can be."""
    OUT = "out"
    """Taken out of rotation: `down`."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What nginx believes of one backend."""

    standing: Standing
    fails: int = 0
    """Failures on its account."""
    max_fails: int = 1
    """With so many it is put aside; 0 for never."""
    retry_at: float | None = None
    """When nginx will try it again, seconds since the epoch; None unless it is benched."""
