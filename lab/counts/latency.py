"""How long requests took, summed up: percentiles, seconds, histogram buckets. Unknown is None, never 0."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Percentiles of a set of latencies, in milliseconds; None where there was none to measure."""

    count: int = 0
    min_ms: float | None = None
    mean_ms: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    p99_9_ms: float | None = None
    max_ms: float | None = None


NOTHING_MEASURED = LatencySummary()


@dataclass(frozen=True, slots=True)
class SecondView:
    """One second of the lab's client, for charts: latencies of what was answered in it, and what failed."""

    second: int
    answered: int = 0
    failed: int = 0
    retried: int = 0
    late: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    others_failed: int = 0
    """Other clients' requests, as nginx logged them."""
    others_retried: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many of the lab's client's answered requests took from `from_ms` to less than `to_ms`."""

    from_ms: float
    to_ms: float
    count: int


@dataclass(frozen=True, slots=True)
class LatencySeries:
    """The latencies of one backend, or of all together."""

    port: int | None
    """None for all together."""
    seconds: tuple[SecondView, ...]
    """The last 60 s, oldest first, without gaps; the last one is still filling."""
    buckets: tuple[Bucket, ...]
    """Since the counters were zeroed, ascending, each 1 % wider than the one before; empty ones are left out."""
    summary: LatencySummary = LatencySummary()
    """Since the counters were zeroed."""
