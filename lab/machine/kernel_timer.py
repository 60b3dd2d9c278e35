"""Wakes the event loop at due times by a timer that is a file to wait for, as Linux has it (timerfd_create(2))."""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable

from lab.machine.lead import AIMED_EARLY_SECONDS, Lead, spin_until

MOST_LEAD_SECONDS = 0.001
CLOCK_MONOTONIC, TFD_TIMER_ABSTIME = 1, 1


class _Setting(ctypes.Structure):
    """The kernel's `struct itimerspec`."""

    _fields_ = (
        ("interval_seconds", ctypes.c_long),
        ("interval_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class KernelTimer:
    """Calls `beat` in the event loop at the time that was set last. All times are seconds of `time.perf_counter`.

    Raises:
        OSError: this process may open no more files.
    """

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._lead = Lead(MOST_LEAD_SECONDS)
        """Waking the event loop takes its time."""
        self._at: float | None = None
        self._has_to_wait = False
        self._setting = _Setting()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file: int = self._libc.timerfd_create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._file, self._arrive)

    def set(self, at: float | None) -> None:
        """Beat once, at that time; never, for None."""
        self._at = at
        if at is None:
            self._ring_at(0)
            return
        aim = at - self._lead.seconds
        self._has_to_wait = aim > time.perf_counter()
        self._ring_at(aim)

    def stop(self) -> None:
        """Beat no more."""
        self._loop.remove_reader(self._file)
        os.close(self._file)

    def _ring_at(self, at: float) -> None:
        """Have the kernel ring then; at once if that is past, and never for 0."""
        seconds = int(at)
        self._setting.seconds, self._setting.nanoseconds = seconds, int((at - seconds) * 1e9)
        self._libc.timerfd_settime(self._file, TFD_TIMER_ABSTIME, ctypes.byref(self._setting), None)

    def _arrive(self) -> None:
        try:
            os.read(self._file, 8)
        except BlockingIOError:  # it was set anew meanwhile
            return
        at = self._at
        assert at is not None
        if self._has_to_wait:
            self._lead.learn(time.perf_counter() - at + AIMED_EARLY_SECONDS)
        if spin_until(at):
            self._at = None
            self._beat()
        else:
            self._has_to_wait = False
            self._ring_at(at - AIMED_EARLY_SECONDS)
