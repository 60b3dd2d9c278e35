"""By how much two counts of the same events differ for good, though one of them is told later than the other."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

TOLD_SECONDS = 2.0
"""Within that, all that happened has been told."""
SAMPLE_SECONDS = 0.4
AT_ONCE_SECONDS = 0.02
"""What is counted and what happened may be so far apart: which was first, nobody can tell."""
PROOFS = 4
"""Samples in a row that contradict what was believed, until it is believed no longer."""
CLOCK_JUMP_SECONDS = 0.1


@dataclass(slots=True)
class _Sample:
    taken: float
    at: float
    """The same moment, by the clock of those who tell."""
    counted: int
    fewest: int
    """Told, by now, to have happened by then; for sure."""
    most: int
    """The same, with what may have happened a little later."""


class Drift:
    """Holds a count that is known at any time against events that are told later, each with its time of day.

    At rest the two must be the same; while something happens a sample tells only between which bounds the difference
    lies. So what was known at rest stays believed until samples contradict it.
    """

    def __init__(self, clock: Callable[[], float], time_of_day: Callable[[], float]) -> None:
        self._clock = clock
        self._time_of_day = time_of_day
        self._offset = time_of_day() - clock()
        self._pending: deque[_Sample] = deque()
        self._least = self._most = 0
        """Between these lies what was counted beyond what was told."""
        self._contradictions = 0

    def note(self, at: float) -> None:
        """An event is told now to have happened at that time of day."""
        for sample in reversed(self._pending):
            if at > sample.at + AT_ONCE_SECONDS:
                return
            sample.most += 1
            if at <= sample.at - AT_ONCE_SECONDS:
                sample.fewest += 1

    def look(self, counted: int, told: int) -> int:
        """How many more were counted than told, for good and at least; negative when there were fewer."""
        now, at = self._clock(), self._time_of_day()
        if abs(at - now - self._offset) > CLOCK_JUMP_SECONDS:
            self._offset = at - now
            self._pending.clear()
        while self._pending and self._pending[0].taken <= now - TOLD_SECONDS:
            self._weigh(self._pending.popleft())
        if not self._pending or self._pending[-1].taken <= now - SAMPLE_SECONDS:
            self._pending.append(_Sample(now, at, counted, told, told))
        return max(self._least, 0) + min(self._most, 0)

    def _weigh(self, sample: _Sample) -> None:
        least, most = sample.counted - sample.most, sample.counted - sample.fewest
        if most >= self._least and least <= self._most:
            self._least, self._most = max(least, self._least), min(most, self._most)
            self._contradictions = 0
            return
        self._contradictions += 1
        if self._contradictions >= PROOFS:
            self._least, self._most = least, most
            self._contradictions = 0
