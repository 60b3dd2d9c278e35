"""One run of a comparison, out of what was counted."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.algorithms import algorithm_named
from lab.comparison.result import Run, Share
from lab.counts.counts import Counts
from lab.counts.fairness import jain
from lab.counts.histogram import Histogram

CURVE_PERCENTS = (0, 5, 10, 25, 50, 75, 80, 85, 90, 92.5, 95, 97.5, 99, 99.5, 99.9, 99.99)


@dataclass(frozen=True, slots=True)
class Entry:
    """One run that is to come.

    Raises:
        UsageError: there is no such algorithm.
    """

    algorithm: str
    is_again: bool = False

    def __post_init__(self) -> None:
        algorithm_named(self.algorithm)

    @property
    def title(self) -> str:
        """For people."""
        title = algorithm_named(self.algorithm).title
        return f"{title}, again" if self.is_again else title


def run_of(entry: Entry, totals: Counts, weights: Sequence[int], ports: Sequence[int]) -> Run:
    """What was counted while this algorithm ran over these backends."""
    whole = Histogram.of(totals.latencies.values())
    shares = tuple(
        Share(str(port), weight, totals.hits[port], totals.latencies[port].summary().p95_ms)
        for port, weight in zip(ports, weights, strict=True)
    )
    curve = zip(CURVE_PERCENTS, whole.percentiles_us(*CURVE_PERCENTS), strict=True)
    return Run(
        algorithm=entry.algorithm,
        title=entry.title,
        sent=totals.answered + totals.failed,
        answered=totals.answered,
        failed=totals.failed,
        retried=totals.retried,
        latency=whole.summary(),
        shares=shares,
        fairness=jain([share.hits for share in shares], weights),
        percentiles_ms=tuple((percent, value / 1000) for percent, value in curve if value is not None),
        errors=tuple(totals.errors.most_common()),
        is_again=entry.is_again,
    )
