"""Holds nginx's picks against the model's own, where the rule decides and nothing is left to chance.

A chi-square test has nothing to say there: turns are far more even than chance, and keys and load are
as uneven as they are.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from lab.balancing.decision import Decision, Refused, port_of
from lab.balancing.peer import Refusal
from lab.xray.view import Deviation, RuleCheck

ROUNDING = 2
"""Turns that are under way make a backend differ by no more picks than this from what its weight says."""
UNSURE = 0.05
"""Of the picks: so many may be the model's own mistakes, since nobody knows who was first within a millisecond."""
_WHY = {
    Refusal.PUT_ASIDE: "it was put aside",
    Refusal.DOWN: "it is down",
    Refusal.FULL: "it was full",
    Refusal.TRIED: "it had been tried",
}


class Judged(NamedTuple):
    """What counts of a pick. The whole decision may have a long URI in it, and thousands of picks are remembered."""

    foretold: int | None
    """The port that the model had picked; None when it found nobody."""
    refused: tuple[Refused, ...]
    """Whom it passed over."""
    picked: int | None
    """The port that nginx picked."""


def judged(decision: Decision | None, picked: int | None) -> Judged:
    """The model's decision against nginx's pick."""
    return Judged(None, (), picked) if decision is None else Judged(decision.port, decision.refused, picked)


class RuleWatch:
    """Counts the requests whose first pick had been foretold, rightly or not."""

    def __init__(self) -> None:
        self._picked: Counter[int] = Counter()
        self._foretold: Counter[int] = Counter()
        self._passed_over: Counter[tuple[int, Refusal]] = Counter()

    @property
    def foretold(self) -> Mapping[int, int]:
        """How often the model had picked each backend, by port."""
        return self._foretold

    def zero(self) -> None:
        """Count anew."""
        for counts in (self._picked, self._foretold, self._passed_over):
            counts.clear()

    def note(self, judged: Judged, by: int = 1) -> None:
        """The model decided so, and nginx picked that backend; a `by` of -1 takes that back."""
        if judged.picked is not None:
            self._picked[judged.picked] += by
        if judged.foretold is not None:
            self._foretold[judged.foretold] += by
        for refused in judged.refused:
            self._passed_over[port_of(refused.server), refused.refusal] += by

    def check(self, shares: Mapping[int, float]) -> RuleCheck:
        """What can be said; `shares` are those that the weights promise, and empty where they promise none."""
        picks = sum(self._foretold.values())
        off_rule = {port: self._picked[port] - self._foretold[port] for port in self._picked | self._foretold}
        off_weight = {port: round(self._picked[port] - share * picks) for port, share in shares.items()}
        return RuleCheck(picks, _farthest(off_rule, max(ROUNDING, UNSURE * picks)), self._shortest(off_weight))

    def _shortest(self, differences: Mapping[int, int]) -> Deviation | None:
        """Whoever was passed over falls short; the others only share what it left."""
        port = min(differences, key=lambda port: differences[port], default=None)
        if port is None or differences[port] >= -ROUNDING:
            return None
        reasons = {why: count for (refused, why), count in self._passed_over.items() if refused == port}
        reason = max(reasons, key=lambda why: reasons[why], default=None)
        return Deviation(port, differences[port], None if reason is None else _WHY[reason])


def _farthest(differences: Mapping[int, int], beyond: float) -> Deviation | None:
    port = max(differences, key=lambda port: abs(differences[port]), default=None)
    return None if port is None or abs(differences[port]) <= beyond else Deviation(port, differences[port])
