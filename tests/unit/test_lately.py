"""How much a count has grown lately."""

from lab.counts.lately import Lately
from tests.unit.clock import FakeClock


def test_growth_is_that_of_the_span() -> None:
    """What came earlier is forgotten, though nobody asked for a while."""
    clock = FakeClock(100.0)
    lately = Lately(clock, seconds=1.0)
    assert lately.growth(1) == 1
    clock.advance(0.5)
    assert lately.growth(4) == 4
    clock.advance(0.5)
    assert lately.growth(4) == 3
    clock.advance(60)
    assert lately.growth(4) == 0
    assert lately.growth(9) == 5
