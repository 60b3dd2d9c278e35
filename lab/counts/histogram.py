"""Latencies as a histogram of logarithmic buckets: mergeable, small, and within half a percent of the truth."""

import math
from collections import Counter
from collections.abc import Iterable
from math import log

from lab.counts.latency import Bucket, LatencySummary

GROWTH = 1.01
"""Each bucket is 1 % wider than the one below it, so its middle is within 0.5 % of all that falls in it."""
_PER_LOG = 1 / math.log(GROWTH)


class Histogram:
    """Counts of latencies in microseconds. Percentiles come from the buckets; count, mean, min and max are exact.

    The idea is DDSketch's (Masson, Rim, Lee: "DDSketch", VLDB 2019).
    """

    __slots__ = ("_buckets", "_max_us", "_min_us", "_sum_us", "count")

    def __init__(self) -> None:
        self.count = 0
        self._buckets: Counter[int] = Counter()
        self._sum_us = 0.0
        self._min_us = math.inf
        self._max_us = 0.0

    @classmethod
    def of(cls, parts: Iterable["Histogram"]) -> "Histogram":
        """All parts together."""
        whole = cls()
        for part in parts:
            whole.merge(part)
        return whole

    def record(self, latencies_us: Iterable[float]) -> None:
        """Count these latencies; what is below one microsecond counts as one."""
        measured = [max(latency, 1) for latency in latencies_us]
        self._buckets.update([int(log(latency) * _PER_LOG) for latency in measured])
        self.count += len(measured)
        self._sum_us += sum(measured)
        self._min_us = min(self._min_us, min(measured, default=math.inf))
        self._max_us = max(self._max_us, max(measured, default=0.0))

    def merge(self, other: "Histogram") -> None:
        """Add the other's counts to these."""
        self._buckets.update(other._buckets)
        self.count += other.count
        self._sum_us += other._sum_us
        self._min_us = min(self._min_us, other._min_us)
        self._max_us = max(self._max_us, other._max_us)

    def percentiles_us(self, *percents: float) -> list[float | None]:
        """The latency that each percentage of requests did not exceed (nearest rank); `percents` must ascend."""
        found: list[float | None] = []
        buckets = iter(sorted(self._buckets.items()))
        bucket, reached = 0, 0
        for percent in percents:
            rank = max(1, math.ceil(self.count * percent / 100 - 1e-9))
            while reached < min(rank, self.count):
                bucket, count = next(buckets)
                reached += count
            found.append(self._middle_us(bucket) if self.count else None)
        return found

    def buckets(self) -> tuple[Bucket, ...]:
        """The buckets that hold something, ascending."""
        return tuple(
            Bucket(GROWTH**bucket / 1000, GROWTH ** (bucket + 1) / 1000, count)
            for bucket, count in sorted(self._buckets.items())
        )

    def summary(self) -> LatencySummary:
        """The figures that reports show, in milliseconds."""
        if not self.count:
            return LatencySummary()
        p50, p90, p95, p99, p99_9 = (
            None if value is None else value / 1000 for value in self.percentiles_us(50, 90, 95, 99, 99.9)
        )
        return LatencySummary(
            count=self.count,
            min_ms=self._min_us / 1000,
            mean_ms=self._sum_us / self.count / 1000,
            p50_ms=p50,
            p90_ms=p90,
            p95_ms=p95,
            p99_ms=p99,
            p99_9_ms=p99_9,
            max_ms=self._max_us / 1000,
        )

    def _middle_us(self, bucket: int) -> float:
        """The bucket's middle, kept within what was really measured."""
        middle = GROWTH**bucket * (1 + GROWTH) / 2
        return min(max(middle, self._min_us), self._max_us)
