"""By how much a count has grown lately."""

from collections import deque
from collections.abc import Callable


class Lately:
    """Remembers a count that only grows for as long as it takes others to learn of it. The clock is passed in."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        """It is 0 now."""
        self._clock = clock
        self._seconds = seconds
        self._samples = deque([(clock(), 0)])
        """When it was how much; the first is the latest from before the span, once there is such a one."""

    def growth(self, count: int) -> int:
        """Of the count, which is so much now, since it was last told before the span began."""
        now = self._clock()
        samples = self._samples
        if samples[-1][1] != count:
            samples.append((now, count))
        while len(samples) > 1 and samples[1][0] <= now - self._seconds:
            samples.popleft()
        return count - samples[0][1]
