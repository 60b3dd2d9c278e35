"""Wakes the event loop at due times: a thread, since event loops round their timers to whole milliseconds."""

import asyncio
import threading
import time
from collections.abc import Callable

from lab.machine.lead import AIMED_EARLY_SECONDS, Lead, spin_until

MOST_LEAD_SECONDS = 0.0005


class Metronome:
    """Calls `beat` in the event loop at the time that was set last. All times are seconds of `time.perf_counter`."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Condition()
        self._lead = Lead(MOST_LEAD_SECONDS)
        """Waking a thread, and the event loop by it, takes its time."""
        self._next: float | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="metronome", daemon=True)
        self._thread.start()

    def set(self, at: float | None) -> None:
        """Beat once, at that time; never, for None."""
        with self._changed:
            self._next = at
            self._changed.notify()

    def stop(self) -> None:
        """Beat no more."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        has_waited = False
        with self._changed:
            while not self._is_over:
                if self._next is None:
                    self._changed.wait()
                elif (wait_seconds := self._next - self._lead.seconds - time.perf_counter()) > 0:
                    self._changed.wait(wait_seconds)
                    has_waited = True
                else:
                    self._loop.call_soon_threadsafe(self._arrive, self._next, has_waited)
                    self._next, has_waited = None, False

    def _arrive(self, at: float, has_waited: bool) -> None:
        if has_waited:
            self._lead.learn(time.perf_counter() - at + AIMED_EARLY_SECONDS)
        spin_until(at)
        self._beat()
