"""The steps that rate and connections go by."""

import asyncio

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import LabError
from lab.machine.processes import Child
from lab.states import LoopKind
from lab.traffic.driver import CONNECTION_STEPS, RATE_STEPS_RPS, READY_SECONDS, TrafficDriver, _stepped
from lab.traffic.plan import Ramp, RequestSpec, TrafficSpec
from tests.unit.clock import FakeClock


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


def test_a_ramps_rate_is_what_it_has_come_to_by_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first request on, paused or not; a step goes on from there, and ends the ramp."""
    clock = FakeClock()
    driver = TrafficDriver(TrafficSpec(rate_rps=10, ramp=Ramp(10, 500, 30)), "us", lambda outcomes: None, clock)
    sent: list[tuple[str, float | None]] = []
    monkeypatch.setattr(driver, "_send", lambda order, **values: sent.append((order, values.get("rps"))))
    clock.advance(5)
    assert driver.rate_rps == 10
    driver.resume()
    clock.advance(10)
    driver.pause()
    clock.advance(5)
    driver.resume()
    assert driver.rate_rps == 255
    clock.advance(60)
    assert driver.rate_rps == 500
    driver.step(-1)
    assert (driver.rate_rps, sent[-1]) == (200, ("rate", 200))
    clock.advance(60)
    assert driver.rate_rps == 200


def test_a_client_that_doesnt_run_refuses_orders() -> None:
    """An order into the void would be lost without a word."""
    driver = TrafficDriver(TrafficSpec(), "us", lambda outcomes: None)
    assert driver.pid is None
    with pytest.raises(LabError, match="client has ended"):
        driver.fire_once()


async def test_a_client_that_ends_instead_of_starting_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its last words, and long before it would have taken too long."""
    spawn = Child.spawn
    monkeypatch.setattr(Child, "spawn", lambda _, **options: spawn("lab.no_such_module", **options))
    driver = TrafficDriver(TrafficSpec(), "us", lambda outcomes: None)
    async with asyncio.timeout(READY_SECONDS / 3):
        with pytest.raises(LabError, match=r"didn't start: .*no_such_module"):
            await driver.start(8070)
    await driver.stop()


async def test_a_client_gets_its_plan_where_nobody_else_can_read_it() -> None:
    """Everybody can read a command line, which also has an end; and what guards it is told its PID."""
    guarded: list[int] = []
    plan = TrafficSpec(request=RequestSpec(method="POST", body="x" * 200_000))
    driver = TrafficDriver(plan, "a-secret-name", lambda outcomes: None)
    driver.on_start = guarded.append
    await driver.start(8070)
    try:
        assert [driver.pid] == guarded
        command = " ".join(psutil.Process(guarded[0]).cmdline())
        assert "lab.traffic.worker" in command
        assert "a-secret-name" not in command
        assert "xxx" not in command
    finally:
        await driver.stop()


async def test_a_client_that_doesnt_run_remembers_nothing() -> None:
    """Who asks what it saw of a request gets to know what the others saw."""
    assert await TrafficDriver(TrafficSpec(), "us", lambda outcomes: None).recall(1) is None
