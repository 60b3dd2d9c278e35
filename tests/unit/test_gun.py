"""When requests fall due, on a clock that jumps: every figure is exact."""

import asyncio
import itertools
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import cast

import pytest

from lab.config import Arrivals, Ramp, TrafficSpec
from lab.traffic.gun import Gun
from lab.traffic.lane import Lane, Owner
from lab.traffic.outcome import Fate, Shot, answered, failed
from tests.unit.clock import LoopWaker, in_virtual_time, virtual_seconds


@dataclass
class Range:
    """What a gun fires at: lanes that take a fixed time, and notes of what they did."""

    seconds: float = 0.0
    dues: list[float] = field(default_factory=list)
    """When each request fell due, in the order they were sent."""
    numbers: list[int] = field(default_factory=list)
    lanes: int = 0
    closed: int = 0
    under_way: int = 0
    most_under_way: int = 0

    def make_lane(self, owner: Owner) -> Lane:
        self.lanes += 1
        return cast("Lane", RangeLane(self, owner))


class RangeLane:
    """A lane that answers after the range's time."""

    is_open = True

    def __init__(self, target: Range, owner: Owner) -> None:
        self._range = target
        self._owner = owner
        self._answer: asyncio.TimerHandle | None = None

    def fire(self, number: int, due: float, *, is_resent: bool = False) -> None:
        assert self._answer is None, "a lane fires one request at a time"
        target = self._range
        target.dues.append(due)
        target.numbers.append(number)
        target.under_way += 1
        target.most_under_way = max(target.most_under_way, target.under_way)
        answer = (number, due, virtual_seconds(), answered(200, b"", b"", False))
        self._answer = asyncio.get_running_loop().call_later(target.seconds, self._finish, *answer)

    def give_up(self, error: str) -> None:
        assert self._answer is not None
        number, due, sent, *_ = self._answer._args
        self._answer.cancel()
        self.is_open = False
        self._finish(number, due, sent, failed(error))

    def close(self) -> None:
        self._range.closed += 1

    def _finish(self, number: int, due: float, sent: float, fate: Fate) -> None:
        self._answer = None
        self._range.under_way -= 1
        done = virtual_seconds()
        self._owner.finish(cast("Lane", self), Shot(number, due, sent, done, done, fate))


def a_gun(spec: TrafficSpec, target: Range, record: Callable[[Shot], None]) -> Gun:
    """A gun whose target is the range."""
    return Gun(spec, target.make_lane, record, LoopWaker)


@dataclass
class Fired:
    """A gun that has fired, and all it told."""

    gun: Gun
    shots: list[Shot]
    seconds: float
    """How long it fired."""


Script = Callable[[Gun], Awaitable[None]]


@pytest.fixture(autouse=True)
def _virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gun reads the virtual loop's clock."""
    monkeypatch.setattr("lab.traffic.gun.time", SimpleNamespace(perf_counter=virtual_seconds))


async def let_it_be(gun: Gun) -> None:
    """Fire by the plan alone."""
    gun.resume()


def fire(spec: TrafficSpec, target: Range, script: Script = let_it_be) -> Fired:
    """Fire the plan to its end, with endless patience, while the script gives orders."""

    async def scenario() -> Fired:
        shots: list[Shot] = []
        start = virtual_seconds()
        gun = a_gun(replace(spec, timeout_seconds=100_000), target, shots.append)
        orders = asyncio.ensure_future(script(gun))
        await gun.is_done.wait()
        seconds = virtual_seconds() - start
        await orders
        gun.close()
        return Fired(gun, shots, seconds)

    return in_virtual_time(scenario())


def test_an_open_loop_fires_by_the_clock_whatever_the_answers_take() -> None:
    """Fifty requests at 100/s fall due 10 ms apart, the first at once."""
    target = Range(seconds=0.5)
    fired = fire(TrafficSpec(rate_rps=100, requests=50), target)
    assert target.dues == pytest.approx([number / 100 for number in range(50)])
    assert [shot.late_us for shot in fired.shots] == pytest.approx([0] * 50, abs=1)
    assert fired.seconds == pytest.approx(0.49 + 0.5)
    assert len(fired.shots) == fired.gun.sent == fired.gun.finished == 50


def test_an_open_loop_counts_latency_from_the_moment_a_request_was_due() -> None:
    """Behind one slow connection each request waits for those before it, and that wait is part of its latency."""
    fired = fire(TrafficSpec(rate_rps=100, requests=10, connections=1), Range(seconds=0.1))
    assert [shot.latency_us / 1e6 for shot in fired.shots] == pytest.approx(
        [0.1 * (number + 1) - 0.01 * number for number in range(10)]
    )
    assert [shot.late_us / 1e6 for shot in fired.shots] == pytest.approx([0.09 * n for n in range(10)])


def test_an_open_loop_has_no_more_under_way_than_it_may() -> None:
    """The others wait, due since long, and are sent all the same."""
    target = Range(seconds=1.0)
    fired = fire(TrafficSpec(rate_rps=1000, requests=40, connections=8), target)
    assert target.most_under_way == target.lanes == 8
    assert len(fired.shots) == 40


def test_an_idle_open_loop_keeps_to_one_connection() -> None:
    """A free one is used again before a new one is opened."""
    target = Range(seconds=0.001)
    fire(TrafficSpec(rate_rps=20, requests=40), target)
    assert target.lanes == 1


def test_an_open_loop_ends_after_its_duration() -> None:
    """What is under way then is waited for."""
    fired = fire(TrafficSpec(rate_rps=8, duration_seconds=2), Range(seconds=3))
    assert len(fired.shots) == 16
    assert fired.seconds == pytest.approx(2 - 1 / 8 + 3)


@pytest.mark.parametrize(("rate_rps", "seconds"), [(10, 1), (100, 1), (50, 2), (1000, 3), (3, 10)])
def test_rate_times_duration_is_how_many_it_fires(rate_rps: float, seconds: float) -> None:
    """Ten a second for one second are ten, although a tenth has no exact place in binary."""
    fired = fire(TrafficSpec(rate_rps=rate_rps, duration_seconds=seconds), Range())
    assert len(fired.shots) == rate_rps * seconds


@pytest.mark.parametrize("connections", [1, 4, 7])
def test_a_closed_loop_keeps_its_connections_busy(connections: int) -> None:
    """As many requests under way as there are connections, the next when one comes back, until there were enough."""
    target = Range(seconds=0.1)
    fired = fire(TrafficSpec(connections=connections, requests=28), target)
    assert target.most_under_way == target.lanes == connections
    assert len(fired.shots) == fired.gun.sent == 28
    assert fired.seconds == pytest.approx(28 / connections * 0.1)


def test_a_closed_loop_is_never_late() -> None:
    """A request falls due when the one before it has its shot."""
    fired = fire(TrafficSpec(connections=3, requests=30), Range(seconds=0.1))
    assert [shot.late_us for shot in fired.shots] == pytest.approx([0] * 30, abs=1)
    assert [shot.latency_us for shot in fired.shots] == pytest.approx([100_000] * 30)


def test_a_closed_loop_ends_after_its_duration() -> None:
    """What is under way then is waited for."""
    fired = fire(TrafficSpec(connections=2, duration_seconds=1), Range(seconds=0.3))
    assert len(fired.shots) == 8
    assert fired.seconds == pytest.approx(1.2)


def test_whichever_end_comes_first_ends_it() -> None:
    """Requests and duration may both be given."""
    few = fire(TrafficSpec(rate_rps=8, requests=5, duration_seconds=10), Range())
    short = fire(TrafficSpec(rate_rps=8, requests=500, duration_seconds=1), Range())
    assert (len(few.shots), len(short.shots)) == (5, 8)


def test_every_shot_has_a_number_of_its_own() -> None:
    """So that nginx's log can be joined."""
    target = Range()
    fire(TrafficSpec(connections=4, requests=20), target)
    assert target.numbers == list(range(1, 21))


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


def test_patience_is_counted_from_the_moment_a_request_was_due() -> None:
    """Those that no connection was free for in time were never sent, and say so."""

    async def scenario() -> list[Shot]:
        shots: list[Shot] = []
        spec = TrafficSpec(rate_rps=500, requests=300, connections=2, timeout_seconds=0.1)
        gun = a_gun(spec, Range(seconds=0.06), shots.append)
        gun.resume()
        await gun.is_done.wait()
        gun.close()
        return shots

    shots = in_virtual_time(scenario())
    assert len(shots) == 300
    assert {shot.fate.error for shot in shots} == {None, "timeout", "unsent"}
    assert max(shot.latency_us for shot in shots) <= 121_000


def test_a_ramp_goes_evenly_from_one_rate_to_the_other() -> None:
    """From 10/s to 30/s in 10 s: 200 requests, the first second's about a third of the last one's."""
    target = Range()
    fire(TrafficSpec(rate_rps=10, ramp=Ramp(10, 30, 10), duration_seconds=10), target)
    assert len(target.dues) == pytest.approx(200, abs=2)
    assert sum(due < 1 for due in target.dues) == pytest.approx(11, abs=1)
    assert sum(due >= 9 for due in target.dues) == pytest.approx(29, abs=1)


def test_poisson_arrivals_come_by_chance_and_can_be_repeated() -> None:
    """Their mean rate is the one asked for, their gaps spread as widely as they are long, and a seed repeats them."""
    dues = []
    for seed in (7, 7, 8):
        target = Range()
        fire(TrafficSpec(rate_rps=100, requests=2000, arrivals=Arrivals.POISSON, seed=seed), target)
        dues.append(target.dues)
    assert dues[0] == dues[1] != dues[2]
    gaps = [later - sooner for sooner, later in itertools.pairwise(dues[0])]
    assert statistics.mean(gaps) == pytest.approx(0.01, rel=0.1)
    assert statistics.stdev(gaps) == pytest.approx(0.01, rel=0.1)


def test_closing_closes_every_connection() -> None:
    """Those that are open, not those that may be."""
    target = Range(seconds=0.1)
    fire(TrafficSpec(connections=6, requests=12), target)
    assert target.closed == target.lanes == 6


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


def test_winding_up_at_rest_is_the_end() -> None:
    """Nothing is waited for."""

    async def wind_up(gun: Gun) -> None:
        gun.wind_up()

    assert fire(TrafficSpec(rate_rps=100), Range(seconds=0.5), wind_up).seconds == 0
