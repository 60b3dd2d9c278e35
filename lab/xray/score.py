"""How often the model that follows nginx was right, and whether nginx's picks keep to the rule."""

from collections import deque

from lab.balancing.decision import Decision
from lab.xray.rule_watch import Judged, RuleWatch, judged

MOST_KEPT = 10_000
"""Of the latest judgements, which may still be taken back."""


class Score:
    """Judges each pick that was foretold; takes back what was judged while nobody could know better.

    nginx logs a request when it is over. Until one that takes unusually long is told of, the model goes without it, and
    what it foretells meanwhile says nothing about nginx.
    """

    def __init__(self) -> None:
        self.foretold = 0
        self.right = 0
        self.rule = RuleWatch()
        self._latest: deque[tuple[int, Judged, bool]] = deque(maxlen=MOST_KEPT)
        """When, in milliseconds since the epoch, what was judged, and whether the model was right."""

    def zero(self) -> None:
        """Count anew."""
        self.foretold = self.right = 0
        self.rule.zero()
        self._latest.clear()

    def note(self, at_ms: int, decision: Decision | None, port: int | None, *, is_right: bool) -> None:
        """The model had decided so, and nginx picked that backend."""
        pick = judged(decision, port)
        self._latest.append((at_ms, pick, is_right))
        self._count(pick, 1, is_right=is_right)

    def take_back(self, since_ms: int) -> None:
        """A request that began then has only now been told of."""
        while self._latest and self._latest[-1][0] >= since_ms:
            _, pick, is_right = self._latest.pop()
            self._count(pick, -1, is_right=is_right)

    def _count(self, pick: Judged, by: int, *, is_right: bool) -> None:
        self.foretold += by
        self.right += by * is_right
        self.rule.note(pick, by)
