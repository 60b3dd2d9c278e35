"""A real comparison beside many simulations of it.

nginx's dice can't be thrown again, so the simulation throws its own often, and what is real has to lie among what
comes of that.
"""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.comparison.result import Comparison, Run
from lab.comparison.scenarios import Scenario
from lab.counts.counts import Counts
from lab.counts.histogram import Histogram
from lab.simulation.rehearsal import Rehearsal

THROWS = 20
TOLERANCE = 0.15
SIGMAS = 4
"""A share is that many standard deviations off once in 16,000 times."""


@dataclass(frozen=True, slots=True)
class Held:
    """A figure of a real run, and what the simulations say."""

    title: str
    figure: str
    real: float
    simulated: float
    """The median of all throws; their mean for a share."""
    low: float
    high: float
    """Between these it is held: the lowest and highest of all throws, with the tolerance."""

    @property
    def is_held(self) -> bool:
        return self.low <= self.real <= self.high

    def __str__(self) -> str:
        mark = "✓" if self.is_held else "✗"
        apart = f"{self.real / self.simulated - 1:+7.1%}" if self.simulated else f"{'–':>7}"
        return (
            f"{mark} {self.title:<19} {self.figure:<10} real {self.real:>8.4g}   simulated {self.simulated:>8.4g}"
            f"   {apart}   held from {self.low:.4g} to {self.high:.4g}"
        )


def hold(real: Comparison, scenario: Scenario, seconds: float) -> list[Held]:
    """Each run's p50 and p95 within 15 %, and each backend's share within the sampling error."""
    rehearsed: dict[str, list[Counts]] = {}
    for run in real.runs:
        if run.algorithm not in rehearsed:
            rehearsed[run.algorithm] = [
                Rehearsal(scenario, run.algorithm, seconds, real.seed, throw).run() for throw in range(THROWS)
            ]
    return [held for run in real.runs for held in _held(run, rehearsed[run.algorithm])]


def _held(run: Run, throws: Sequence[Counts]) -> Iterator[Held]:
    latencies = [Histogram.of(counts.latencies.values()).summary() for counts in throws]
    for figure in ("p50_ms", "p95_ms"):
        values = [getattr(latency, figure) for latency in latencies]
        low, high = min(values) * (1 - TOLERANCE), max(values) * (1 + TOLERANCE)
        yield Held(run.title, figure, getattr(run.latency, figure) or 0.0, statistics.median(values), low, high)
    answered = sum(share.hits for share in run.shares)
    for number, share in enumerate(run.shares, start=1):
        parts = [counts.hits[number] / counts.answered for counts in throws]
        mean = statistics.mean(parts)
        by_chance = math.sqrt(mean * (1 - mean) / answered)
        margin = SIGMAS * max(by_chance, statistics.stdev(parts))
        yield Held(run.title, f"share {number}", share.hits / answered, mean, mean - margin, mean + margin)
