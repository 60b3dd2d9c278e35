"""When to fire: by the clock (open loop), or as answers come back (closed loop)."""

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import Callable

from lab.machine.waker import Waker, make_waker
from lab.traffic.lane import Lane, Owner
from lab.traffic.outcome import UNFINISHED, UNSENT, Shot, failed
from lab.traffic.plan import TrafficSpec
from lab.traffic.schedule import Schedule

MOST_LANES = 10_000
MOST_AT_ONCE = 100
REMEMBERED = 4096
"""How many of the latest requests can still be asked about."""
MOST_OPEN_LOOP_LANES = 1024
"""How many requests an open loop has under way at once, unless `-c` says otherwise."""
PATIENCE_CHECK_SECONDS = 0.02
ROUNDING_SECONDS = 1e-6
"""So that 5 s at 200 a second are 1,000 requests, though a thousand times 1/200 isn't quite 5."""
END_SLACK_SECONDS = 0.005
"""Event loops may call a little early, and the end must have come when it is looked for."""


class Gun:
    """Fires what a `TrafficSpec` asks for and hands over each outcome. Rate and connections may change meanwhile.

    Nothing here is a task: a busy client fires the next request from the callback that took the last answer.
    """

    def __init__(
        self,
        spec: TrafficSpec,
        make_lane: Callable[[Owner], Lane],
        record: Callable[[Shot], None],
        make_waker: Callable[[Callable[[], None]], Waker] = make_waker,
        numbered_after: int = 0,
    ) -> None:
        self._numbered_after = numbered_after
        """The number before that of the first request."""
        self.sent = 0
        """Requests that fell due; those that still wait for a free lane are among them."""
        self.finished = 0
        self.started_at: float | None = None
        """When it was first told to fire, in seconds of `time.perf_counter`."""
        self.is_done = asyncio.Event()
        """The plan is at its end and every request has its outcome."""
        self._spec = spec
        self._make_lane = make_lane
        self._record = record
        self._schedule: Schedule | None = None
        """None for a closed loop."""
        if spec.rate_rps is not None:
            self._schedule = Schedule(spec.rate_rps, spec.arrivals, random.Random(spec.seed), spec.ramp)  # noqa: S311
        self._connections = spec.connections or 1
        self._most_lanes = MOST_LANES if self._schedule is None else spec.connections or MOST_OPEN_LOOP_LANES
        self._is_paused = True
        self._wound_up_at: float | None = None
        self._is_giving_up = False
        """What is noted just now was ended by the gun itself."""
        self._latest = 0.0
        self._next_due = 0.0
        self._free: list[Lane] = []
        self._busy: dict[Lane, float] = {}
        """The requests' due times, the oldest first."""
        self._recent: list[Shot | None] = [None] * REMEMBERED
        self._waiting: deque[tuple[int, float]] = deque()
        self._waker = make_waker(self._beat)
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_CHECK_SECONDS, self._check_patience)

    @property
    def elapsed_seconds(self) -> float:
        """From the first `resume` to the latest outcome; what is given up after `wind_up` counts as of then."""
        return 0.0 if self.started_at is None else max(0.0, self._latest - self.started_at)

    def resume(self) -> None:
        """Let requests fall due, from now on."""
        now = time.perf_counter()
        if self.started_at is None:
            self.started_at = now
            if self._spec.duration_seconds is not None:
                end = self._spec.duration_seconds + END_SLACK_SECONDS
                asyncio.get_running_loop().call_later(end, self._look_for_the_end)
        if self._is_paused:
            self._is_paused = False
            self._next_due = now
            self._go_on()

    def pause(self) -> None:
        """Let nothing further fall due."""
        self._is_paused = True
        self._waker.set(None)

    def wind_up(self) -> None:
        """Let nothing further fall due: with what is under way the plan is at its end."""
        self.pause()
        self._wound_up_at = time.perf_counter()
        self._look_for_the_end()

    def give_up(self) -> None:
        """Wait no longer for what is under way once all was wound up: it has failed."""
        self._give_up(math.inf, UNFINISHED)

    def set_rate(self, rate_rps: float) -> None:
        """Go on at this rate."""
        assert self._schedule is not None
        self._schedule.set_rate(rate_rps)
        self._next_due = time.perf_counter()
        self._go_on()

    def set_connections(self, connections: int) -> None:
        """Keep so many requests under way from now on."""
        self._connections = connections
        self._go_on()

    def fire_once(self) -> None:
        """One request, due now, apart from the plan."""
        self._release(time.perf_counter())

    def recall(self, number: int) -> Shot | None:
        """What was seen of a request, while it is remembered."""
        found = self._recent[number % REMEMBERED]
        return found if found is not None and found.number == number else None

    def close(self) -> None:
        """Close all connections and beat no more."""
        self._waker.stop()
        self._patience.cancel()
        for lane in (*self._free, *self._busy):
            lane.close()

    def finish(self, lane: Lane, shot: Shot) -> None:
        """Take what a lane tells of its request, and give it the next one if there is one."""
        del self._busy[lane]
        if lane.is_open:
            self._free.append(lane)
        self._note(shot)
        if self._waiting:
            self._fire(*self._waiting.popleft())
        elif self._schedule is None:
            self._refill(shot.done)
        self._look_for_the_end()

    def resend(self, lane: Lane, number: int, due: float) -> None:
        """Send a request again, on a connection of its own."""
        del self._busy[lane]
        self._fire_on(self._make_lane(self), number, due, is_resent=True)

    def _check_patience(self) -> None:
        """Give up the requests that have taken too long, counted from when they were due."""
        self._give_up(time.perf_counter() - self._spec.timeout_seconds, "timeout")
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_CHECK_SECONDS, self._check_patience)

    def _give_up(self, due_before: float, error: str) -> None:
        """Give up the requests that fell due before; those that found no free connection were never sent."""
        self._is_giving_up = True
        while self._waiting and self._waiting[0][1] <= due_before:
            number, due = self._waiting.popleft()
            now = time.perf_counter()
            self._note(Shot(number, due, now, None, now, failed(UNSENT)))
        while self._busy:
            lane, due = next(iter(self._busy.items()))
            if due > due_before:
                break
            lane.give_up(error)
        self._is_giving_up = False
        self._look_for_the_end()

    def _is_over(self, at: float) -> bool:
        spec = self._spec
        if spec.requests is not None and self.sent >= spec.requests:
            return True
        return (
            spec.duration_seconds is not None
            and self.started_at is not None
            and at >= self.started_at + spec.duration_seconds - ROUNDING_SECONDS
        )

    def _look_for_the_end(self) -> None:
        if self.finished != self.sent:
            return
        at = time.perf_counter() if self._schedule is None else self._next_due
        if self._wound_up_at is not None or (self.started_at is not None and self._is_over(at)):
            self.is_done.set()

    def _go_on(self) -> None:
        """Let fall due what is due."""
        if self._schedule is None:
            self._refill(time.perf_counter())
        else:
            self._beat()

    def _refill(self, now: float) -> None:
        """Keep as many requests under way as a closed loop has connections."""
        while not self._is_paused and len(self._busy) < self._connections and not self._is_over(now):
            self._release(now)

    def _note(self, shot: Shot) -> None:
        self.finished += 1
        ended_at = self._wound_up_at if self._is_giving_up else None
        self._latest = max(self._latest, shot.done if ended_at is None else ended_at)
        self._recent[shot.number % REMEMBERED] = shot
        self._record(shot)

    def _beat(self) -> None:
        """Release all that is due by the clock, and set the time of the next.

        What can't be caught up with at once is caught up with in turns, so that answers and orders get through.
        """
        now = time.perf_counter()
        before = self.sent
        schedule, started = self._schedule, self.started_at
        assert schedule is not None
        assert started is not None
        while not self._is_paused and not self._is_over(self._next_due):
            if self._next_due > now or self.sent - before >= MOST_AT_ONCE:
                self._waker.set(self._next_due)
                return
            self._release(self._next_due)
            self._next_due += schedule.gap_seconds(self._next_due - started)
        self._look_for_the_end()

    def _release(self, due: float) -> None:
        self.sent += 1
        self._fire(self._numbered_after + self.sent, due)

    def _fire(self, number: int, due: float) -> None:
        while self._free:
            lane = self._free.pop()
            if lane.is_open:  # nginx may have closed it meanwhile
                self._fire_on(lane, number, due)
                return
        if len(self._busy) < self._most_lanes:
            self._fire_on(self._make_lane(self), number, due)
        else:
            self._waiting.append((number, due))

    def _fire_on(self, lane: Lane, number: int, due: float, *, is_resent: bool = False) -> None:
        self._busy[lane] = due
        lane.fire(number, due, is_resent=is_resent)
