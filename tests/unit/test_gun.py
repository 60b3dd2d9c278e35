"""When requests fall due, on a clock that jumps: every figure is exact."""

import itertools
import statistics

import pytest

from lab.traffic.outcome import Shot
from lab.traffic.plan import Arrivals, Ramp, TrafficSpec
from tests.unit.clock import in_virtual_time
from tests.unit.firing_range import Range, a_gun, fire

pytestmark = pytest.mark.usefixtures("virtual_clock")


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
