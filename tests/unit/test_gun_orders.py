"""What a gun makes of the orders that it gets while it fires, on a clock that jumps."""

import asyncio
import itertools
from collections import Counter
from types import SimpleNamespace

import pytest

from lab.traffic.gun import PATIENCE_CHECK_SECONDS, Gun
from lab.traffic.plan import TrafficSpec
from tests.unit.clock import in_virtual_time
from tests.unit.firing_range import ENDLESS_SECONDS, Range, a_gun, fire

pytestmark = pytest.mark.usefixtures("virtual_clock")


def test_nothing_falls_due_before_the_first_order() -> None:
    """The plan's time begins with it."""

    async def later(gun: Gun) -> None:
        await asyncio.sleep(5)
        assert gun.sent == 0
        gun.resume()

    target = Range()
    fire(TrafficSpec(rate_rps=8, duration_seconds=1), target, later)
    assert target.dues == pytest.approx([5 + number / 8 for number in range(8)])


def test_a_pause_holds_an_open_loop_and_owes_nothing_afterwards() -> None:
    """What would have fallen due in the pause doesn't come as a burst."""

    async def pausing(gun: Gun) -> None:
        gun.resume()
        await asyncio.sleep(1.05)
        gun.pause()
        await asyncio.sleep(10)
        sent = gun.sent
        assert sent == 11
        gun.resume()

    target = Range()
    fire(TrafficSpec(rate_rps=10, requests=21), target, pausing)
    assert target.dues[:11] == pytest.approx([number / 10 for number in range(11)])
    resumed = target.dues[11:]
    assert resumed[0] >= 11.05 - 1e-9
    assert [later - sooner for sooner, later in zip(resumed, resumed[1:], strict=False)] == pytest.approx([0.1] * 9)


def test_a_pause_holds_a_closed_loop() -> None:
    """Requests under way are finished, and no further one is sent until it goes on."""

    async def pausing(gun: Gun) -> None:
        gun.resume()
        await asyncio.sleep(0.45)
        gun.pause()
        await asyncio.sleep(10)
        assert gun.sent == gun.finished == 10
        gun.resume()

    target = Range(seconds=0.1)
    fired = fire(TrafficSpec(connections=2, requests=20), target, pausing)
    assert len(fired.shots) == 20
    assert not [due for due in target.dues if 0.46 < due < 10.44]


def test_a_new_rate_takes_hold_within_a_moment() -> None:
    """From 1/s to 100/s the loop doesn't sleep on until the next slow request."""

    async def faster(gun: Gun) -> None:
        gun.resume()
        await asyncio.sleep(2.5)
        gun.set_rate(100)

    target = Range()
    fire(TrafficSpec(rate_rps=1, requests=103), target, faster)
    assert target.dues[:3] == pytest.approx([0, 1, 2])
    assert target.dues[3] <= 3.0 + 1e-9
    fast = target.dues[3:]
    assert [later - sooner for sooner, later in zip(fast, fast[1:], strict=False)] == pytest.approx([0.01] * 99)


def test_a_raised_rate_doesnt_wait_for_a_request_that_was_due_far_off() -> None:
    """From one request in 100 s to ten a second, the next comes soon."""

    async def faster(gun: Gun) -> None:
        gun.resume()
        await asyncio.sleep(1)
        gun.set_rate(10)

    target = Range()
    fire(TrafficSpec(rate_rps=0.01, requests=5), target, faster)
    assert target.dues[1] <= 2.0


def test_connections_of_a_closed_loop_can_be_raised_and_lowered() -> None:
    """New ones begin at once or nearly so, and those that are too many end with their request."""

    async def changing(gun: Gun) -> None:
        gun.resume()
        await asyncio.sleep(1.95)
        assert target.under_way == 2
        gun.set_connections(5)
        await asyncio.sleep(1)
        assert target.under_way == 5
        gun.set_connections(1)
        await asyncio.sleep(1)
        assert target.under_way == 1

    target = Range(seconds=0.1)
    fire(TrafficSpec(connections=2, duration_seconds=5), target, changing)
    assert target.most_under_way == 5


def test_a_single_shot_is_fired_although_the_gun_is_paused() -> None:
    """It is due the moment it is ordered."""

    async def once(gun: Gun) -> None:
        await asyncio.sleep(3)
        gun.fire_once()
        await asyncio.sleep(1)
        assert (gun.sent, gun.finished) == (1, 1)
        gun.resume()

    target = Range(seconds=0.1)
    fired = fire(TrafficSpec(rate_rps=8, duration_seconds=1), target, once)
    assert target.dues[0] == 3
    assert len(fired.shots) == 1 + 8


def test_a_rate_beyond_the_machine_doesnt_deafen_the_gun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catching up with the clock lets answers and orders through, or a pause would come too late for ever."""
    looks = itertools.count()
    monkeypatch.setattr("lab.traffic.gun.time", SimpleNamespace(perf_counter=lambda: next(looks) * 1e-6))

    async def scenario() -> int:
        sent_at_first_answer: list[int] = []
        spec = TrafficSpec(rate_rps=1e9, requests=20_000, connections=10)
        gun = a_gun(spec, Range(), lambda shot: sent_at_first_answer.append(gun.sent))
        gun.resume()
        await gun.is_done.wait()
        gun.close()
        return sent_at_first_answer[0]

    assert in_virtual_time(scenario()) < 20_000


def test_winding_up_fires_nothing_more_and_ends_with_what_is_under_way() -> None:
    """Each request that was sent gets its outcome."""

    async def wind_up(gun: Gun) -> None:
        gun.resume()
        await asyncio.sleep(0.105)
        gun.wind_up()

    fired = fire(TrafficSpec(rate_rps=100), Range(seconds=0.5), wind_up)
    assert len(fired.shots) == fired.gun.sent == fired.gun.finished == 11
    assert fired.seconds == pytest.approx(0.6)


def test_what_is_given_up_has_failed() -> None:
    """What was under way is unfinished, what found no connection is unsent, and nothing is without an outcome."""

    async def give_up(gun: Gun) -> None:
        gun.resume()
        await asyncio.sleep(0.105)
        gun.wind_up()
        gun.give_up()

    fired = fire(TrafficSpec(rate_rps=100, connections=4), Range(seconds=50), give_up)
    assert Counter(shot.fate.error for shot in fired.shots) == {"unfinished": 4, "unsent": 7}
    assert fired.gun.sent == fired.gun.finished == 11
    assert fired.seconds == pytest.approx(0.105)


@pytest.mark.parametrize(
    ("patience_seconds", "waited_seconds"), [(ENDLESS_SECONDS, 6), (5, 5)], ids=["given up", "timed out"]
)
@pytest.mark.parametrize(("first_seconds", "elapsed_seconds"), [(0.01, 1.005), (1.5, 1.9), (50, 1.005)])
def test_the_wait_for_what_never_came_is_no_time_of_the_run(
    first_seconds: float, elapsed_seconds: float, patience_seconds: float, waited_seconds: float
) -> None:
    """It ends with its last answer, and no sooner than the firing does; the rate is told by it."""
    target = Range(seconds=first_seconds)

    async def give_up(gun: Gun) -> None:
        gun.resume()
        await asyncio.sleep(0.405)
        target.seconds = 50
        await asyncio.sleep(0.6)
        gun.wind_up()
        await asyncio.sleep(6)
        gun.give_up()

    fired = fire(TrafficSpec(rate_rps=10), target, give_up, patience_seconds)
    assert len(fired.shots) == 11
    assert fired.seconds == pytest.approx(1.005 + waited_seconds, abs=2 * PATIENCE_CHECK_SECONDS)
    assert fired.gun.elapsed_seconds == pytest.approx(elapsed_seconds)


def test_winding_up_at_rest_is_the_end() -> None:
    """Nothing is waited for."""

    async def wind_up(gun: Gun) -> None:
        gun.wind_up()

    assert fire(TrafficSpec(rate_rps=100), Range(seconds=0.5), wind_up).seconds == 0
