"""Wakes the event loop at points of time, more exactly than its own timers, which are rounded to whole milliseconds."""

import sys
import time
from collections.abc import Callable
from typing import Protocol

from lab.machine.kernel_timer import KernelTimer
from lab.machine.metronome import Metronome

HAS_KERNEL_TIMERS = (
    sys.platform == "linux" and time.get_clock_info("perf_counter").implementation == "clock_gettime(CLOCK_MONOTONIC)"
)
"""Whether timers are files that an event loop can wait for, by the clock that `time.perf_counter` reads."""


class Waker(Protocol):
    """Calls back in the event loop at the time that was set last.

    Who is called looks at the clock: a call may be early by less than a millisecond, or have been on its way already
    when another time was set.
    """

    def set(self, at: float | None) -> None:
        """Call once, at that time (seconds of `time.perf_counter`); never, for None."""

    def stop(self) -> None:
        """Call no more."""


def make_waker(beat: Callable[[], None]) -> Waker:
    """What wakes with the least effort here: with a thread, firing on time takes the client twice the CPU time."""
    return KernelTimer(beat) if HAS_KERNEL_TIMERS else Metronome(beat)
