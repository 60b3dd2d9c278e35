"""Follows the real nginx by its log with a model that foretells each pick, and keeps count of how often it is right."""

from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass
from math import inf

from lab.algorithms import BY_KEY
from lab.balancing.decision import Decision
from lab.balancing.hash_consistent import POINTS_PER_WEIGHT
from lab.balancing.upstream import HOME, Request
from lab.logs.access_log import LogLine
from lab.logs.batch import Batch
from lab.logs.moments import LATE_SECONDS, Event, Flight, Moments, flight_of
from lab.nginx.render import Upstream
from lab.witnesses import Attempt
from lab.xray.first_come import fits, whom_it_fits
from lab.xray.portrait import Record, pick_of, portrait
from lab.xray.score import Score
from lab.xray.twin import Twin
from lab.xray.view import Pick, XRay

BUSY_RPS = 1000
"""More requests a second are not followed: that would cost the lab too much."""
MOST_POINTS = 20_000
"""A ring of more is not built: that would hold up all else that the lab does."""
PICKS_KEPT = 20


@dataclass(slots=True)
class Sight:
    """A pick that was watched."""

    at_ms: int
    """Since the epoch."""
    flight: Flight
    decision: Decision | None
    is_compared: bool
    is_lost: bool
    """Whether the model had lost its place then."""
    pick: Pick | None = None
    """What is told of it; made when somebody looks, and once."""


class Shadow:
    """A twin for each configuration and each worker of nginx, one after the other."""

    def __init__(self, upstreams: dict[int, Upstream], workers: int) -> None:
        """`upstreams` has what was balanced under each generation of the configuration, the newest last."""
        self.score = Score()
        self.is_resting = False
        self.worker_pid = 0
        """Of nginx's worker that is followed; 0 while there is none."""
        self._upstreams = upstreams
        self._workers = workers
        self._moments = Moments()
        self._second, self._in_second = 0, 0
        self._generation = 0
        self._twin: Twin | None = None
        self._visit = HOME
        self._sights: deque[Sight] = deque(maxlen=PICKS_KEPT)
        self._hits: Counter[int] = Counter()
        self._zeroed_at = 0
        """How many requests had been filed then: none of them counts any more."""

    def note_lines(self, batch: Batch) -> None:
        """nginx has logged requests."""
        if self._rests_through(batch):
            self._in_second += len(batch.lines)
            return
        for line in batch.lines:
            self.note_line(line)

    def note_line(self, line: LogLine) -> None:
        """nginx has logged a request."""
        if self._workers > 1 or not line.attempts or line.generation < self._generation:
            return
        if line.generation > self._generation or line.worker_pid != self.worker_pid:
            self._begin_anew(line.generation, line.worker_pid)
        self._watch_rate(int(line.time))
        if not self.is_resting and self._twin is not None:
            self._moments.file(flight_of(line, self._upstreams[line.generation]))

    def zero(self) -> None:
        """Count anew: of what is logged from now on."""
        self.score.zero()
        self._hits.clear()
        self._zeroed_at = self._moments.filed

    def forget(self, pids: Collection[int]) -> None:
        """These workers of nginx have ended, and all that they logged was told: what they knew is gone with them."""
        if self.worker_pid in pids:
            self._begin_anew(self._generation, 0)

    def settle(self, now: float) -> None:
        """Have the model go through all that is surely complete at this time of day, or wake if all is quiet."""
        if self.is_resting and now > self._second + 2 + LATE_SECONDS:
            self._wake()
        self._catch_up(now)

    def _catch_up(self, now: float) -> None:
        for moment, is_late in self._moments.complete(now):
            self._go_through(moment, is_late=is_late)

    def view(self, now: float) -> XRay | None:
        """What is known at this time of day; None before nginx has a configuration."""
        if not self._upstreams:
            return None
        generation, upstream = next(reversed(self._upstreams.items()))
        if why_not := self._why_not(upstream):
            is_told = generation == self._generation
            return XRay(upstream.algorithm, why_not, self.score.foretold * is_told, self.score.right * is_told)
        if generation != self._generation:
            return portrait(Twin(upstream), Record(), (), HOME)
        record = Record(self.score.foretold, self.score.right, self._hits, self.score.rule)
        if self._twin is None:
            return portrait(Twin(upstream), record, (), HOME)
        with self._twin.at(int(now)):
            picks = tuple([sight.pick or self._told(sight) for sight in self._sights])
            return portrait(self._twin, record, picks, self._visit)

    def _new_twin(self) -> Twin | None:
        """None while there is no worker, or for a configuration that can't be followed."""
        upstream = self._upstreams.get(self._generation) if self.worker_pid else None
        return None if upstream is None or _ring_points(upstream) > MOST_POINTS else Twin(upstream)

    def _why_not(self, upstream: Upstream) -> str | None:
        if self._workers > 1:
            return f"each of nginx's {self._workers} workers picks for itself, so there is no X-ray"
        if (points := _ring_points(upstream)) > MOST_POINTS:
            return f"the ring has {points:,} points, and the X-ray takes {MOST_POINTS:,} at most: lower the weights"
        return f"the X-ray rests above {BUSY_RPS:,} req/s" if self.is_resting else None

    def _begin_anew(self, generation: int, worker_pid: int) -> None:
        """The configuration, or its worker, is a new one, or none (0): it knows nothing of what was."""
        self._catch_up(inf)
        if generation > self._generation:
            self.zero()
        self._generation, self.worker_pid = generation, worker_pid
        self._sights.clear()
        self._visit = HOME
        self._twin = self._new_twin()

    def _rests_through(self, batch: Batch) -> bool:
        """Whether nothing in it could wake the model."""
        seconds = {self._second, int(batch.lines[0].time), int(batch.lines[-1].time)}
        return self.is_resting and len(seconds) == 1 and batch.is_plain(self._generation, self.worker_pid)

    def _watch_rate(self, second: int) -> None:
        if second != self._second:
            if self.is_resting and (self._in_second <= BUSY_RPS or second > self._second + 1):
                self._wake()
            self._second, self._in_second = second, 0
        self._in_second += 1
        if self._in_second > BUSY_RPS and not self.is_resting:
            self.is_resting = True
            self._moments.clear()
            self._sights.clear()

    def _wake(self) -> None:
        self.is_resting = False
        self.zero()
        self._twin = self._new_twin()
        if self._twin is not None:
            self._twin.lose()

    def _go_through(self, moment: list[Event], *, is_late: bool) -> None:
        """All events of one millisecond."""
        twin = self._twin
        assert twin is not None
        twin.second = moment[0][0] // 1000
        ended: list[int | None] = []
        for place, (*_, number, flight) in enumerate(moment):
            if number == 0:
                self._begin(twin, moment, place, ended, is_late=is_late)
                continue
            attempts = flight.line.attempts
            if flight.request is not None:
                self._finish(flight.request, attempts[number - 1], is_failure=flight.failures[number - 1])
                ended.append(attempts[number - 1].port)
                if number < len(attempts):
                    self._try_again(twin, flight.request, attempts[number])

    def _begin(self, twin: Twin, moment: list[Event], place: int, ended: list[int | None], *, is_late: bool) -> None:
        """A pick; `ended` are the backends that were done with a request earlier in this millisecond, or later."""
        flight = moment[place][-1]
        request = twin.begin(flight.line)
        decision = None if twin.is_by_chance else twin.choose(request, flight.line.attempts[0].port, ended)
        if not fits(flight, decision) and twin.algorithm not in BY_KEY:
            flight = whom_it_fits(decision, moment, place) or flight
        port = flight.line.attempts[0].port
        is_compared = not (is_late or twin.is_by_chance or twin.is_lost)
        is_right = fits(flight, decision)
        is_lost = twin.is_lost
        if is_late:
            self._take_back(moment[place][0])
        if moment[place][2] > self._zeroed_at:
            self._count_hit(flight.line)
            if is_compared:
                self.score.note(moment[place][0], decision, port, is_right=is_right)
        twin.follow(request, port, decision)
        if not (is_late or twin.is_by_chance):
            twin.note_record(port, is_right=is_right)
        flight.request = request
        self._sights.append(Sight(moment[place][0], flight, decision, is_compared, is_lost))
        if twin.algorithm in BY_KEY:
            self._visit = twin.visit_of(flight.line)

    def _take_back(self, since_ms: int) -> None:
        """What was judged since then said nothing of nginx: a request that began then has only now been told of."""
        self.score.take_back(since_ms)
        for sight in self._sights:
            if sight.at_ms >= since_ms:
                sight.is_compared, sight.pick = False, None

    def _count_hit(self, line: LogLine) -> None:
        answered = line.attempts[-1]
        if answered.is_answer and answered.port is not None:
            self._hits[answered.port] += 1

    def _try_again(self, twin: Twin, request: Request, attempt: Attempt) -> None:
        """nginx tries another one: it could be foretold, too, but a pick a request is enough to look at."""
        decision = None if twin.is_by_chance else request.choose()
        twin.follow(request, attempt.port, decision)

    def _finish(self, request: Request, attempt: Attempt, *, is_failure: bool) -> None:
        if request.peer is None:
            return
        if is_failure:
            request.failed()
        else:
            header_seconds = attempt.header_seconds
            request.succeeded(None if header_seconds is None else round(header_seconds * 1000))

    def _told(self, sight: Sight) -> Pick:
        assert self._twin is not None
        line, is_compared, is_lost = sight.flight.line, sight.is_compared, sight.is_lost
        sight.pick = pick_of(line, sight.decision, self._twin, is_compared=is_compared, is_lost=is_lost)
        return sight.pick


def _ring_points(upstream: Upstream) -> int:
    """How many points nginx makes; 0 where there is no ring."""
    weights = sum(spec.weight for _, spec in upstream.backends)
    return weights * POINTS_PER_WEIGHT if upstream.algorithm == "hash_consistent" else 0
