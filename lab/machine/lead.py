"""How much earlier to aim, so as to be on time."""

import time

STEP = 0.1
"""How much of an error is made good at once: a single hiccup must not throw the aim."""
AIMED_EARLY_SECONDS = 0.00003
SPIN_SECONDS = 0.0001
"""What is left to a due time when a waker comes early is spun away, if it is no more than that."""


class Lead:
    """Learns from how late things were; never more than `most_seconds`."""

    def __init__(self, most_seconds: float) -> None:
        self.seconds = 0.0
        self._most_seconds = most_seconds

    def learn(self, late_seconds: float) -> None:
        """Something was so late, though it was aimed earlier by `seconds`; negative when it was early."""
        error = min(max(late_seconds, -self._most_seconds), self._most_seconds)
        self.seconds = min(max(self.seconds + STEP * error, 0.0), self._most_seconds)


def spin_until(at: float) -> bool:
    """Spin away what little is left to that time (seconds of `time.perf_counter`); False at once if it is more."""
    now = time.perf_counter()
    while now < at <= now + SPIN_SECONDS:
        now = time.perf_counter()
    return now >= at
