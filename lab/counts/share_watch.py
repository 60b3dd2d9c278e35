"""Holds what the backends got against what the algorithm promises, anew whenever the promise changes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.algorithms import BY_CHANCE
from lab.balancing.odds import expected_shares
from lab.balancing.peer import PeerSpec
from lab.counts.fairness import Comparison, compare, jain
from lab.counts.noise import Finding, Noise, Outlier
from lab.models import BackendView, Reload
from lab.nginx.belief import Standing
from lab.states import BackendState

PROMISING = BY_CHANCE | {"round_robin"}
"""The algorithms that promise shares; those of the others follow load or keys."""
SETTLING_SECONDS = 1.0
"""After a change, what was picked before it is still being answered and logged."""
LOOK_SECONDS = 1.0
"""A verdict that changed more often could not be read."""
_TAKING = (Standing.IN_USE, Standing.FAILING, Standing.SPARE)
SURE, LIKELY = 0.00001, 0.0002
"""Stricter than for a single look: who looks once a second sees every p that is rare, sooner or later.

Of 2,000 fair half-hours at 20 requests a second, p came below 0.005 in 11 of 100, below LIKELY in 1 of 100, and below
SURE in 1 of 400. More requests or hours hardly change that, since each look is at all requests so far: 1.25 of 100 in
four hours.
"""
_RELAPSE = {Finding.NO_CHANCE: 10 * SURE, Finding.HARDLY_CHANCE: 10 * LIKELY}
"""A finding stays until p has risen to this, so that one that wavers round a limit doesn't flicker."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the expectation depends on: when any of it changes, counting begins anew."""

    algorithm: str
    generation: int
    """Of nginx's configuration."""
    backends: tuple[tuple[int, bool, float, str | None], ...]
    """Port, whether it can take requests, service time and fault of each."""


class ShareWatch:
    """Looks at counts that others keep, so that requests cost nothing here. The clock is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._situation: Situation | None = None
        self._settled_at = 0.0
        self._shares: tuple[float, ...] | None = None
        self._before: tuple[int, ...] = ()
        """What each backend had got when counting began."""
        self._shown: tuple[tuple[int, float], ...] = ()
        """The latest shares; those from before the configuration changed were of another rule or other backends."""
        self._looked_at = 0.0
        self._noise = Noise(Finding.TOO_FEW)

    def zero(self) -> None:
        """The hits are about to be counted anew."""
        self._situation = None

    def look(self, algorithm: str, backends: Sequence[BackendView], reload: Reload | None) -> Noise:
        """What can be said now, of these backends under this algorithm since the latest change of configuration."""
        generation = 1 if reload is None else reload.generation
        is_handing_over = reload is not None and bool(reload.finishing)
        now, situation = self._clock(), _situation_of(algorithm, generation, backends)
        is_new = situation != self._situation
        if is_new:
            if self._situation is None or self._situation.generation != generation:
                self._shown = ()
            self._situation = situation
            self._settled_at = now + SETTLING_SECONDS
            self._shares = _shares(algorithm, backends)
        if is_new or is_handing_over or now < self._settled_at:
            self._before = self._picked(backends)
            self._noise = self._judge(backends, Finding.TOO_FEW)
            self._looked_at = now
        elif now >= self._looked_at + LOOK_SECONDS:
            self._noise = self._judge(backends, self._noise.finding)
            self._looked_at = now
        return self._noise

    def _picked(self, backends: Sequence[BackendView]) -> tuple[int, ...]:
        """How often each was picked: what it answered, and what it still has on its hands if it should have any."""
        shares = self._shares or (1.0,) * len(backends)
        return tuple(
            backend.hits + (backend.in_flight or 0 if share else 0)
            for backend, share in zip(backends, shares, strict=True)
        )

    def _judge(self, backends: Sequence[BackendView], before: Finding) -> Noise:
        hits = [max(now - then, 0) for now, then in zip(self._picked(backends), self._before, strict=True)]
        takes = [_can_take(backend) and not backend.is_backup for backend in backends]
        per_weight = [
            (count, backend.weight) for count, backend, does in zip(hits, backends, takes, strict=True) if does
        ]
        fairness = jain([count for count, _ in per_weight], [weight for _, weight in per_weight])
        if total := sum(hits):
            self._shown = tuple((each.port, got / total) for each, got in zip(backends, hits, strict=True))
        if self._shares is None:
            return Noise(Finding.NOTHING_EXPECTED, self._shown, jain=fairness)
        found = compare(hits, self._shares)
        return Noise(
            _finding(found.p, before),
            self._shown,
            tuple(zip((backend.port for backend in backends), self._shares, strict=True)),
            _outlier(found, backends) if found.p is not None else None,
            found.p,
            fairness,
        )


def _situation_of(algorithm: str, generation: int, backends: Sequence[BackendView]) -> Situation:
    facts = ((each.port, _can_take(each), each.service_time_ms, each.fault) for each in backends)
    return Situation(algorithm, generation, tuple(facts))


def _can_take(backend: BackendView) -> bool:
    """Whether nginx would give it requests, and it could answer them."""
    is_trusted = backend.belief is None or backend.belief.standing in _TAKING
    return backend.state is BackendState.UP and not backend.is_down and is_trusted


def _shares(algorithm: str, backends: Sequence[BackendView]) -> tuple[float, ...] | None:
    """What each is to get; the part of those that can't take requests falls to the others."""
    if algorithm not in PROMISING or not backends:
        return None
    servers = [
        PeerSpec(str(each.port), each.weight, is_down=not _can_take(each), is_backup=each.is_backup)
        for each in backends
    ]
    return expected_shares(algorithm, servers)


def _finding(p: float | None, before: Finding) -> Finding:
    if p is None:
        return Finding.TOO_FEW
    if p < SURE or (before is Finding.NO_CHANCE and p < _RELAPSE[before]):
        return Finding.NO_CHANCE
    if p < LIKELY or (before is Finding.HARDLY_CHANCE and p < _RELAPSE[before]):
        return Finding.HARDLY_CHANCE
    return Finding.CHANCE


def _outlier(found: Comparison, backends: Sequence[BackendView]) -> Outlier:
    """By its part in chi-square; whoever got something where nothing was expected is the farthest of all."""

    def distance(place: int) -> float:
        hits, expected = found.hits[place], found.expected[place]
        if not expected:
            return math.inf if hits else 0.0
        return (hits - expected) ** 2 / expected

    place = max(range(len(backends)), key=distance)
    total = sum(found.hits)
    return Outlier(backends[place].port, found.hits[place] / total, found.expected[place] / total)
