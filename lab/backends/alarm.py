"""Waits for points of time more exactly than an event loop does, which rounds to whole milliseconds."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable

from lab.machine.waker import Waker, make_waker


class Alarm:
    """Wakes any number of coroutines, each at its time; nothing counts until somebody has waited."""

    def __init__(self, make_waker: Callable[[Callable[[], None]], Waker] = make_waker) -> None:
        self._make_waker = make_waker
        self._waker: Waker | None = None
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    async def wait_until(self, due: float) -> None:
        """Return at that time, in seconds of `time.perf_counter`."""
        if self._waker is None:
            self._waker = self._make_waker(self._ring)
        wake = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (due, next(self._order), wake))
        self._waker.set(self._sleepers[0][0])
        await wake

    def stop(self) -> None:
        """Wake nobody any more."""
        if self._waker is not None:
            self._waker.stop()

    def _ring(self) -> None:
        assert self._waker is not None
        now = time.perf_counter()
        while self._sleepers and self._sleepers[0][0] <= now:
            _, _, wake = heapq.heappop(self._sleepers)
            if not wake.done():
                wake.set_result(None)
        self._waker.set(self._sleepers[0][0] if self._sleepers else None)
