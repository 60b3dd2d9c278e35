"""What wakes at points of time, on real clocks."""

import asyncio
import statistics
import time
from collections.abc import Callable

import psutil
import pytest

from lab.machine.kernel_timer import KernelTimer
from lab.machine.lead import STEP, Lead, spin_until
from lab.machine.metronome import Metronome
from lab.machine.waker import HAS_KERNEL_TIMERS, Waker

MakeWaker = Callable[[Callable[[], None]], Waker]

WAKERS = [
    pytest.param(Metronome, id="thread"),
    pytest.param(
        KernelTimer,
        id="kernel",
        marks=pytest.mark.skipif(not HAS_KERNEL_TIMERS, reason="this system has no timers that are files"),
    ),
]
MOST_EARLY_SECONDS = 0.001


class Bell:
    """Remembers when it was rung."""

    def __init__(self) -> None:
        self.rung: list[float] = []
        self._is_rung = asyncio.Event()

    def __call__(self) -> None:
        self.rung.append(time.perf_counter())
        self._is_rung.set()

    async def wait(self) -> float:
        """Return when it was rung next."""
        self._is_rung.clear()
        await asyncio.wait_for(self._is_rung.wait(), timeout=10)
        return self.rung[-1]


async def after(seconds: float, make_waker: MakeWaker) -> None:
    """Return when another waker of the same kind has rung."""
    bell = Bell()
    fence = make_waker(bell)
    fence.set(time.perf_counter() + seconds)
    await bell.wait()
    fence.stop()


@pytest.mark.parametrize("make_waker", WAKERS)
async def test_it_rings_once_and_not_before_its_time(make_waker: MakeWaker) -> None:
    """A time that is set is rung for once."""
    bell = Bell()
    waker = make_waker(bell)
    at = time.perf_counter() + 0.03
    waker.set(at)
    assert await bell.wait() >= at - MOST_EARLY_SECONDS
    await after(0.03, make_waker)
    assert len(bell.rung) == 1
    waker.stop()


@pytest.mark.parametrize("make_waker", WAKERS)
async def test_a_time_that_is_past_is_rung_for_at_once(make_waker: MakeWaker) -> None:
    """A client that has fallen behind catches up."""
    bell = Bell()
    waker = make_waker(bell)
    waker.set(time.perf_counter() - 1)
    await bell.wait()
    waker.stop()


@pytest.mark.parametrize("make_waker", WAKERS)
async def test_the_time_that_was_set_last_counts(make_waker: MakeWaker) -> None:
    """Earlier than the one before, or later, or none at all."""
    bell = Bell()
    waker = make_waker(bell)
    now = time.perf_counter()
    waker.set(now + 60)
    waker.set(now + 0.02)
    assert await bell.wait() < now + 60
    waker.set(time.perf_counter() + 0.02)
    waker.set(None)
    await after(0.05, make_waker)
    assert len(bell.rung) == 1
    waker.set(time.perf_counter() + 0.02)
    await bell.wait()
    waker.stop()


@pytest.mark.parametrize("make_waker", WAKERS)
async def test_a_stopped_one_rings_no_more(make_waker: MakeWaker) -> None:
    """Whatever it was set to."""
    bell = Bell()
    waker = make_waker(bell)
    waker.set(time.perf_counter() + 0.02)
    waker.stop()
    await after(0.05, make_waker)
    assert bell.rung == []


@pytest.mark.clock
@pytest.mark.parametrize("make_waker", WAKERS)
async def test_it_learns_to_be_on_time(make_waker: MakeWaker) -> None:
    """Of 200 times, 3 ms apart, the middle one is met within a quarter of a millisecond."""
    bell = Bell()
    waker = make_waker(bell)
    late_seconds = []
    at = time.perf_counter()
    for _ in range(200):
        at = max(at + 0.003, time.perf_counter() + 0.002)
        waker.set(at)
        late_seconds.append(await bell.wait() - at)
    waker.stop()
    assert abs(statistics.median(late_seconds)) < 0.00025


@pytest.mark.skipif(not HAS_KERNEL_TIMERS, reason="this system has no timers that are files")
async def test_a_kernel_timer_leaves_no_file_open() -> None:
    """Nor does it keep the event loop looking at one."""
    process = psutil.Process()
    before = process.num_fds()
    timer = KernelTimer(lambda: None)
    timer.stop()
    assert process.num_fds() == before


def test_a_hiccup_does_not_throw_the_aim() -> None:
    """A second late counts as the most that is made good, and of that a tenth is, at once."""
    lead = Lead(most_seconds=0.002)
    lead.learn(1.0)
    assert lead.seconds == pytest.approx(STEP * 0.002)


def test_the_lead_stays_between_none_and_its_most() -> None:
    """What is always late is aimed at early, but no earlier than that."""
    lead = Lead(most_seconds=0.002)
    for _ in range(100):
        lead.learn(0.01)
    assert lead.seconds == 0.002
    for _ in range(100):
        lead.learn(-0.01)
    assert lead.seconds == 0.0


def test_only_little_is_spun_away() -> None:
    """Up to a tenth of a millisecond; more is left to who asked."""
    at = time.perf_counter() + 0.00005
    assert spin_until(at)
    assert time.perf_counter() >= at
    assert not spin_until(time.perf_counter() + 60)
