"""What is to happen, and the time that passes until it does."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

Deed = Callable[[], object]


class Agenda:
    """Deeds in the order of their time; those of the same time in the order in which they were entered."""

    def __init__(self) -> None:
        self.now_ms = 0.0
        self._deeds: list[tuple[float, int, Deed]] = []
        self._order = count()

    def at(self, time_ms: float, deed: Deed) -> None:
        """Enter what is to happen at that time."""
        heappush(self._deeds, (time_ms, next(self._order), deed))

    def after(self, delay_ms: float, deed: Deed) -> None:
        """Enter what is to happen so long from now."""
        self.at(self.now_ms + delay_ms, deed)

    def run(self) -> None:
        """Let time pass until nothing is left to do."""
        while self._deeds:
            self.now_ms, _, deed = heappop(self._deeds)
            deed()
