"""Whether two counts of the same events differ for good, while one of them is told later."""

import random
from collections import deque

import pytest

from lab.counts.drift import PROOFS, SAMPLE_SECONDS, TOLD_SECONDS, Drift
from tests.unit.clock import FakeClock

MORNING = 1_721_000_000.0
NOTICED_SECONDS = TOLD_SECONDS + 2 * SAMPLE_SECONDS * PROOFS
"""Who looks five times a second takes every second or third look as a sample."""
STEP_SECONDS = 0.002


class Traffic:
    """Events, each counted at once and told up to 0.3 seconds later, and somebody who looks five times a second."""

    def __init__(self) -> None:
        self.clock, self.rng = FakeClock(), random.Random(1)
        self.set_by_seconds = MORNING
        self.drift = Drift(self.clock, self.time_of_day)
        self.counted = self.told = self.lost = 0
        self.seen: list[int] = []
        self._untold: deque[float] = deque()
        self._steps = 0

    def time_of_day(self) -> float:
        return self.set_by_seconds + self.clock()

    def run(self, rate_rps: float, seconds: float, *, lose: int = 0) -> list[int]:
        """What was seen meanwhile; the first so many events are never told."""
        self.seen = []
        for _ in range(round(seconds / STEP_SECONDS)):
            self.clock.advance(STEP_SECONDS)
            self._steps += 1
            if self.rng.random() < rate_rps * STEP_SECONDS:
                self.counted += 1
                if lose:
                    lose, self.lost = lose - 1, self.lost + 1
                else:
                    self._untold.append(self.time_of_day())
            if self._steps % 100 == 0:
                self.seen.append(self.drift.look(self.counted, self.told))
            if self._steps % 150 == 0:
                self.told += len(self._untold)
                while self._untold:
                    self.drift.note(self._untold.popleft())
        return self.seen


@pytest.mark.parametrize("rate_rps", [0, 1, 20, 450])
def test_what_is_only_told_later_is_no_drift(rate_rps: float) -> None:
    """At any rate, for a minute."""
    assert set(Traffic().run(rate_rps, 60)) == {0}


def test_what_is_never_told_is_found_and_stays_found_when_much_more_is_on_the_way() -> None:
    """Three lost at 20 a second are still three at 450 a second, of which a hundred are on the way."""
    traffic = Traffic()
    traffic.run(20, 10, lose=3)
    assert traffic.run(20, 5)[-1] == 3
    assert set(traffic.run(450, 30)) == {3}
    assert set(traffic.run(0, 10)) == {3}


def test_a_loss_under_load_is_found_as_far_as_it_is_sure_and_wholly_at_rest() -> None:
    """As many as come within a few hundredths of a second can't be told from it before."""
    traffic = Traffic()
    traffic.run(450, 10, lose=60)
    assert 40 <= traffic.run(450, NOTICED_SECONDS)[-1] <= 60
    assert traffic.run(0, 2 * NOTICED_SECONDS)[-1] == 60


def test_what_is_told_after_all_is_no_drift_any_more() -> None:
    """A stopped nginx writes what it has once it goes on."""
    traffic = Traffic()
    traffic.run(20, 10, lose=5)
    assert traffic.run(0, NOTICED_SECONDS)[-1] == 5
    traffic.told += 5
    assert traffic.run(0, NOTICED_SECONDS)[-1] == 0


def test_more_told_than_counted_is_negative() -> None:
    """A count may be lost as well."""
    traffic = Traffic()
    traffic.run(20, 5)
    traffic.counted -= 4
    assert traffic.run(20, NOTICED_SECONDS)[-1] == -4


@pytest.mark.parametrize("by_seconds", [-3600, 3600])
def test_a_clock_that_is_set_is_no_drift(by_seconds: float) -> None:
    """What is told of the time before has other times of day."""
    traffic = Traffic()
    traffic.run(300, 5)
    traffic.set_by_seconds += by_seconds
    assert set(traffic.run(300, 20)) == {0}
