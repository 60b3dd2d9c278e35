"""The steps that rate and connections go by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.config import TrafficSpec
from lab.errors import LabError
from lab.models import LoopKind
from lab.traffic.driver import CONNECTION_STEPS, RATE_STEPS_RPS, TrafficDriver, _stepped


@pytest.mark.parametrize(
    ("value", "steps", "expected"),
    [
        (20, 1, 50),
        (20, -1, 10),
        (20, 2, 100),
        (33, 1, 50),
        (33, -1, 20),
        (33, 2, 100),
        (1, -1, 1),
        (5000, 1, 5000),
        (20, 100, 5000),
        (20, -100, 1),
    ],
)
def test_a_step_goes_to_the_next_rung(value: float, steps: int, expected: int) -> None:
    """From between two rungs too, and not beyond either end."""
    assert _stepped(RATE_STEPS_RPS, value, steps) == expected


@given(value=st.floats(0.01, 20_000), steps=st.integers(1, 20))
def test_up_never_lowers_and_down_never_raises(value: float, steps: int) -> None:
    """Whatever rate was given on the command line, beyond the ladder's ends included."""
    assert _stepped(RATE_STEPS_RPS, value, steps) >= value
    assert _stepped(RATE_STEPS_RPS, value, -steps) <= value


@pytest.mark.parametrize("ladder", [RATE_STEPS_RPS, CONNECTION_STEPS], ids=["rate", "connections"])
def test_the_ladders_ascend(ladder: tuple[int, ...]) -> None:
    """Each rung is above the one before, so that one step up and one down lead back."""
    assert sorted(set(ladder)) == list(ladder)
    for rung in ladder[1:-1]:
        assert _stepped(ladder, _stepped(ladder, rung, 1), -1) == rung


def test_a_rate_makes_an_open_loop_and_none_a_closed_one() -> None:
    """The spec alone decides."""
    assert TrafficDriver(TrafficSpec(rate_rps=5), "us", lambda outcomes: None).loop is LoopKind.OPEN
    closed = TrafficDriver(TrafficSpec(connections=4), "us", lambda outcomes: None)
    assert (closed.loop, closed.connections) == (LoopKind.CLOSED, 4)


def test_a_client_that_doesnt_run_refuses_orders() -> None:
    """An order into the void would be lost without a word."""
    driver = TrafficDriver(TrafficSpec(), "us", lambda outcomes: None)
    assert driver.pid is None
    with pytest.raises(LabError, match="client has ended"):
        driver.fire_once()
