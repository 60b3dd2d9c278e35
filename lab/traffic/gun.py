"""When to fire: by the clock (open loop), or as answers come back (closed loop)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from lab.config import TrafficSpec
from lab.traffic.lane import Lane
from lab.traffic.outcome import Outcome

MOST_LANES = 10_000
MOST_OPEN_LOOP_LANES = 256
"""How many requests an open loop has under way at once, unless `-c` says otherwise."""

RATE_CHECK_SECONDS = 0.1
"""How soon a changed rate or number of connections takes hold at the latest."""


class LanePool:
    """Lanes that are free, and new ones as long as there may be more."""

    def __init__(self, make: Callable[[], Lane], most: int) -> None:
        self._make = make
        self._all: list[Lane] = []
        self._free: list[Lane] = []
        self._room = asyncio.Semaphore(most)

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[Lane]:
        """The free lane that was used last, so that an idle lab keeps few connections; waits while all are busy."""
        async with self._room:
            if not self._free:
                self._all.append(self._make())
                self._free.append(self._all[-1])
            lane = self._free.pop()
            try:
                yield lane
            finally:
                self._free.append(lane)

    async def close(self) -> None:
        await asyncio.gather(*(lane.close() for lane in self._all))


class Gun:
    """Fires what a `TrafficSpec` asks for and hands over each outcome. Rate and connections may change meanwhile."""

    def __init__(
        self,
        spec: TrafficSpec,
        name: str,
        tasks: asyncio.TaskGroup,
        make_lane: Callable[[], Lane],
        record: Callable[[Outcome], None],
    ) -> None:
        self.sent = 0
        """Requests that fell due; those that still wait for a free lane are among them."""
        self.finished = 0
        self.started_at: float | None = None
        """When it was first told to fire, in seconds of `time.perf_counter`."""
        self.rate_rps = spec.rate_rps
        """None for a closed loop."""
        self.connections = spec.connections or 1
        """How many requests a closed loop has under way."""
        self._spec = spec
        self._name = name
        self._tasks = tasks
        self._record = record
        most = MOST_LANES if spec.rate_rps is None else spec.connections or MOST_OPEN_LOOP_LANES
        self._pool = LanePool(make_lane, most)
        self._go = asyncio.Event()
        self._shots: set[asyncio.Task[None]] = set()
        self._ends_at: float | None = None

    def pause(self) -> None:
        """Let nothing further fall due."""
        self._go.clear()

    def resume(self) -> None:
        """Let requests fall due, from now on."""
        self.started_at = self.started_at or time.perf_counter()
        self._go.set()

    def fire_once(self) -> None:
        """One request, due now, apart from the plan."""
        self._release(time.perf_counter())

    async def run(self) -> None:
        """Fire until the plan is at its end and every request has its outcome. Waits for `resume` first."""
        await self._go.wait()
        if self._spec.duration_seconds is not None:
            self._ends_at = time.perf_counter() + self._spec.duration_seconds
        await (self._run_open() if self.rate_rps is not None else self._run_closed())
        while self._shots:
            await asyncio.wait(self._shots)

    def abort(self) -> None:
        """Give up what is under way."""
        for shot in self._shots:
            shot.cancel()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    def _is_over(self, at: float) -> bool:
        is_enough = self._spec.requests is not None and self.sent >= self._spec.requests
        return is_enough or (self._ends_at is not None and at >= self._ends_at)

    async def _run_open(self) -> None:
        due = time.perf_counter()
        while not self._is_over(due):
            if not self._go.is_set():
                await self._go.wait()
                due = time.perf_counter()
            wait_seconds = due - time.perf_counter()
            if wait_seconds > 0:
                await asyncio.sleep(min(wait_seconds, RATE_CHECK_SECONDS))
                continue
            self._release(due)
            assert self.rate_rps is not None
            due += 1 / self.rate_rps

    async def _run_closed(self) -> None:
        loops: set[asyncio.Task[None]] = set()
        while not self._is_over(time.perf_counter()):
            while len(loops) < self.connections:
                loops.add(self._tasks.create_task(self._loop(len(loops))))
            await asyncio.wait(loops, timeout=RATE_CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            loops = {loop for loop in loops if not loop.done()}
        if loops:
            await asyncio.wait(loops)

    async def _loop(self, number: int) -> None:
        """One connection's worth of a closed loop: the next request falls due when the last has its outcome."""
        await self._go.wait()
        while number < self.connections and not self._is_over(due := time.perf_counter()):
            await self._release(due)
            await self._go.wait()

    def _release(self, due: float) -> asyncio.Task[None]:
        self.sent += 1
        shot = self._tasks.create_task(self._shoot(f"{self._name}-{self.sent}", due))
        self._shots.add(shot)
        shot.add_done_callback(self._shots.discard)
        return shot

    async def _shoot(self, shot: str, due: float) -> None:
        async with self._pool.lane() as lane:
            outcome = await lane.fire(shot, due)
        self.finished += 1
        self._record(outcome)
