"""What a comparison found: one run an algorithm, all of them on the same arrivals and the same service times."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.comparison.inside import Inside, Start, Theory
from lab.counts.latency import LatencySummary

_FEW_BACKENDS = 8


@dataclass(frozen=True, slots=True)
class Share:
    """One backend's part of a run."""

    name: str
    """Its port, or its number in a simulation."""
    weight: int
    hits: int
    p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One algorithm under the scenario."""

    algorithm: str
    title: str
    """For people: `round robin`, or `round robin, again`."""
    sent: int
    answered: int
    failed: int
    retried: int
    latency: LatencySummary
    """Of the answered requests, from the moment each was due."""
    shares: tuple[Share, ...]
    fairness: float | None
    """Jain's index of hits per weight: 1 when all get what their weights say; None without hits."""
    percentiles_ms: tuple[tuple[float, float], ...] = ()
    """Percent and latency, ascending: the curve that charts draw."""
    inside: Inside | None = None
    """None for a real run."""
    errors: tuple[tuple[str, int], ...] = ()
    """How many failed for which reason, the most frequent first."""
    is_again: bool = False
    """The first algorithm a second time: how far it is from the first is how much chance there is in all of them."""

    @property
    def start(self) -> Start | None:
        """None for a real run, and for one without a start."""
        return None if self.inside is None else self.inside.start

    @property
    def theory(self) -> Theory | None:
        """None for a real run, and where nothing is known exactly."""
        return None if self.inside is None else self.inside.theory


@dataclass(frozen=True, slots=True)
class Comparison:
    """All runs of one scenario."""

    scenario: str
    description: str
    plan: str
    """What was fired at what, in a few words."""
    runs: tuple[Run, ...]
    seed: int
    is_simulated: bool = False
    verdict: str | None = None
    """What the figures say, in words; None where that isn't judged."""
    notes: tuple[str, ...] = ()
    """What else should be known."""
    settings: tuple[tuple[str, str | float], ...] = ()
    """What a simulation was given, by the names of its options."""

    @property
    def kind(self) -> str:
        """Whether these are measurements or a model's figures."""
        return "simulated" if self.is_simulated else "measured on a real nginx"

    @property
    def has_few_backends(self) -> bool:
        """So few that a figure for each of them says something."""
        return all(len(run.shares) <= _FEW_BACKENDS for run in self.runs)

    @property
    def noise(self) -> float | None:
        """Between the two runs of the same algorithm at p95, as a part of the first; None without them."""
        return noise_of(self.runs)

    @property
    def noise_in_words(self) -> str | None:
        """A sentence without its full stop; None without two runs of one algorithm."""
        if self.noise is None:
            return None
        differs = f"{self.runs[0].title} twice differs by {self.noise:.0%} at p95"
        return f"{differs}: chance makes that much at least, and more where nginx draws"


def noise_of(runs: Sequence[Run]) -> float | None:
    """How far apart the two runs of the same algorithm are at p95, as a part of the first; None without them."""
    first = runs[0].latency.p95_ms if runs else None
    again = next((run.latency.p95_ms for run in runs if run.is_again), None)
    return abs(again - first) / first if first and again is not None else None
