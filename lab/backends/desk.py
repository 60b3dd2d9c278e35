"""Where a backend's requests are worked on, and what is remembered of them."""

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass

from lab.backends.alarm import Alarm
from lab.backends.behaviour import Behaviour
from lab.backends.scoreboard import Scoreboard
from lab.faults.fault import Fault
from lab.faults.mischief import service_time_ms, what_befalls
from lab.logs.request_id import is_nginxs
from lab.logs.shot_number import shot_number
from lab.machine.lead import Lead

REMEMBERED = 4096
"""How many of the latest requests can still be asked about."""
MOST_RECEPTION_SECONDS = 0.0004
"""As much of the time that was spent on reading a request as counts as service."""
MOST_LEAD_SECONDS = 0.001
"""Before the end of a service time the answering may begin, if it takes so long."""


@dataclass(slots=True)
class Visit:
    """One request as the backend saw it. Times are seconds since the epoch."""

    arrived: float
    in_flight: int
    """With this one."""
    is_direct: bool
    """It came past nginx, which gives each request an ID of its own form."""
    done: float | None = None
    begun: float = 0.0
    """When the work on it began with reading it, in seconds of `time.perf_counter`."""
    number: int | None = None
    """The lab's client's, by which its share of the work is drawn; None for other clients' requests."""
    due: float | None = None
    """When its service time is over, in seconds of `time.perf_counter`; None if it has none."""


class Desk:
    """Where requests are worked on: at most `capacity` at once, each for its service time; the others queue."""

    def __init__(self, scoreboard: Scoreboard | None = None, alarm: Alarm | None = None, seed: int = 0) -> None:
        self._scores = scoreboard or Scoreboard()
        self._alarm = alarm or Alarm()
        self._lead = Lead(MOST_LEAD_SECONDS)
        self._visits: dict[str, Visit] = {}
        self._behaviour = Behaviour()
        self._busy_seconds = time.thread_time()
        """The CPU time of this thread when the last request was dismissed: what it takes from then on is reading."""
        self._fault: Fault | None = None
        self._seed = seed
        self._rng = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._working = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    def behave(self, behaviour: Behaviour) -> None:
        """Work like this from the next request on."""
        self._behaviour = behaviour
        self._call_next()

    def fail(self, fault: Fault | None) -> None:
        """Fail like this from the next request on, each time in the same order; no more, for None."""
        self._fault = fault
        self._rng.seed(self._seed)

    def what_befalls(self) -> Fault | None:
        """The fault that befalls the next request instead of an answer; None if it is answered."""
        return what_befalls(self._fault, self._rng)

    def accept(self, request_id: str = "", shot: str = "") -> "Visit":
        """A request has arrived, with what may be nginx's ID of it; `shot` is what the lab's client calls it."""
        self._scores.note_arrival()
        reception = min(time.thread_time() - self._busy_seconds, MOST_RECEPTION_SECONDS)
        begun = time.perf_counter() - reception
        visit = Visit(time.time(), self._scores.in_flight, is_direct=not is_nginxs(request_id), begun=begun)
        visit.number = shot_number(shot.rpartition("-")[2])
        if not visit.is_direct:
            self._visits[request_id] = visit
            if len(self._visits) > REMEMBERED:
                del self._visits[next(iter(self._visits))]
        return visit

    def begin_answer(self, visit: "Visit") -> None:
        """A request is about to be answered."""
        if not visit.is_direct:
            self._scores.note_answer()

    def dismiss(self, visit: "Visit", *, is_served: bool) -> None:
        """A request was answered, or its client has gone."""
        self._scores.note_departure(is_served=is_served, is_direct=visit.is_direct)
        if is_served:
            visit.done = time.time()
            if visit.due is not None:
                self._lead.learn(time.perf_counter() - visit.due)
        self._busy_seconds = time.thread_time()

    def note_refusal(self, *, is_direct: bool) -> None:
        """Something that is no HTTP came, and was told so."""
        self._scores.note_arrival()
        self._scores.note_departure(is_served=True, is_direct=is_direct)

    def recall(self, request_id: str) -> "Visit | None":
        """What became of a request, while it is remembered."""
        return self._visits.get(request_id)

    async def work(self, visit: Visit) -> None:
        """Queue for a turn, then take the service time, waiting rather than burning it.

        Reading and answering are part of it.
        """
        started = visit.begun
        if self._is_free:
            self._working += 1
        else:
            turn = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            await turn
            started = time.perf_counter()
        try:
            takes_ms = service_time_ms(self._fault, self._behaviour.service_time_of(visit.number), self._rng)
            if takes_ms > 0:
                visit.due = started + takes_ms / 1000
                await self._alarm.wait_until(visit.due - self._lead.seconds)
        finally:
            self._working -= 1
            self._call_next()

    @property
    def _is_free(self) -> bool:
        capacity = self._behaviour.capacity
        return capacity is None or self._working < capacity

    def _call_next(self) -> None:
        while self._queue and self._is_free:
            self._working += 1
            turn = self._queue.popleft()
            if turn.cancelled():
                self._working -= 1
            else:
                turn.set_result(None)
