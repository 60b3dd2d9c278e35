"""What only a simulation sees of a run, and what theory knows of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Theory:
    """The exact means."""

    name: str
    """`M/M/1`, `M/M/c`, `M/D/1` or `M/G/1`."""
    mean_ms: float
    wait_ms: float


@dataclass(frozen=True, slots=True)
class Start:
    """The time in which each balancer goes round all backends twice, after all were started, or reloaded, together."""

    seconds: float
    p99_ms: float
    bunching: float | None


@dataclass(frozen=True, slots=True)
class Inside:
    """A simulated run from within."""

    wait_ms: float
    """The mean part of the latency before a backend began to work on the request."""
    max_in_flight: int
    """The most requests that one backend had at once."""
    overloaded: int
    """How many backends are given more than they can serve, so that their queues never settle."""
    bunching: float | None = None
    """How unevenly requests come to a backend, after the start: 1 is chance, less is in turn, more is a herd."""
    start: Start | None = None
    """None for a single balancer, which has nobody to be in step with."""
    p99_over_time_ms: tuple[tuple[float, float], ...] = ()
    """Seconds and the p99 of what came just before, ascending."""
    theory: Theory | None = None
    """None where nothing is known exactly."""
