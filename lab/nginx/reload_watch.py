"""What has happened since nginx's configuration was changed: who took over, who still finishes, what failed."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import psutil

from lab.logs.access_log import CLIENT_GONE, LogLine
from lab.logs.batch import Batch
from lab.models import OldWorker, Reload
from lab.traffic.outcome import Outcome

TELLING_SECONDS = 0.5
"""How long after a handover one may still be told of requests that failed in it."""
JUST_BEFORE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Handover:
    """How the workers of one configuration were followed by those of the next."""

    seconds: float
    before: frozenset[int]
    """PIDs of all workers that ran, those included that were finishing their last requests already."""
    after: frozenset[int]


@dataclass(slots=True)
class Since:
    """What was counted since a change was asked for."""

    generation: int
    change: str
    time: float
    """Of day: what nginx's log tells, too."""
    asked_at: float
    """By a clock that nobody sets."""
    finished_by_old: int = 0
    answered: int = 0
    failed: int = 0
    failed_meanwhile: int = 0
    was_failing: bool = False
    hits: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    old_pids: tuple[int, ...] = ()
    new_pids: tuple[int, ...] = ()

    def count_lines(self, batch: Batch) -> None:
        """Count what nginx logged, unless it was before: that tells only what failed already."""
        if all(line.generation >= self.generation for line, _ in batch.kinds):
            for line, count in batch.kinds:
                self._count(line, count)
            return
        for line in batch.lines:
            if self.covers(line):
                self._count(line, 1)
        self.was_failing |= any(line.is_failure and self._just_follows(line) for line in batch.others)

    def covers(self, line: LogLine) -> bool:
        """Whether nginx logged it since; its clock ticks in whole milliseconds."""
        return line.generation >= self.generation or line.time >= math.floor(self.time * 1000) / 1000

    def _just_follows(self, line: LogLine) -> bool:
        """Whether nginx logged it shortly before, though it is read only now."""
        return not self.covers(line) and self.time - line.time < JUST_BEFORE_SECONDS

    def _count(self, line: LogLine, count: int) -> None:
        self.answered += count * (line.status != CLIENT_GONE)
        self.finished_by_old += count * (line.generation < self.generation)
        for attempt in line.attempts:
            if attempt.is_answer and attempt.port is not None:
                self.hits[attempt.port] += count


class ReloadWatch:
    """Watches the latest change. One that nginx refused is forgotten, and the one before it stays the latest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        """`wall` tells the time of day, which somebody may set; `clock` how much of it passes."""
        self._clock = clock
        self._wall = wall
        self._latest: Since | None = None
        self._asked: Since | None = None
        """The one that nginx is being told of."""
        self._last_failure = -math.inf
        """When one was last told of."""
        self._retired: frozenset[int] = frozenset()
        """Workers that were told to end, as far as they still run."""
        self._retired_before: frozenset[int] = frozenset()
        """The same when nginx was last asked to change; some of them may end before it has."""
        self._finishing: tuple[OldWorker, ...] = ()

    def begin(self, generation: int, change: str) -> None:
        """nginx is about to be told of a new configuration."""
        now = self._clock()
        was_failing = now - self._last_failure < JUST_BEFORE_SECONDS
        self._asked = Since(generation, change, self._wall(), now, was_failing=was_failing)
        self._retired_before = self._retired

    def finish(self, handover: Handover) -> None:
        """nginx has taken it on."""
        assert self._asked is not None
        self._latest, self._asked = self._asked, None
        self._latest.seconds = handover.seconds
        self._latest.old_pids = tuple(sorted(handover.before - self._retired_before))
        self._latest.new_pids = tuple(sorted(handover.after - handover.before))
        known = {worker.pid: worker for worker in self._finishing}
        self._retired = handover.before & handover.after
        self._finishing = tuple(known.get(pid, OldWorker(pid)) for pid in sorted(self._retired))

    def note_lines(self, batch: Batch) -> None:
        """nginx has logged requests."""
        for since in (self._latest, self._asked):
            if since is not None:
                since.count_lines(batch)
        if batch.others_failed:
            failures = [line for line in batch.others if line.is_failure]
            self._note_failures(lambda since: sum(map(since.covers, failures)))

    def note_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """The lab's client has told what became of its requests."""
        if failed := sum(outcome.fate.failure is not None for outcome in outcomes):
            self._note_failures(lambda _: failed)

    def _note_failures(self, failed_since: Callable[[Since], int]) -> None:
        now = self._last_failure = self._clock()
        for since in (self._latest, self._asked):
            if since is not None:
                failed = failed_since(since)
                since.failed += failed
                is_over = since is self._latest and now - since.asked_at - since.seconds > TELLING_SECONDS
                since.failed_meanwhile += failed * (not is_over or bool(self._retired))

    async def look(self, port: int) -> None:
        """See which of the old workers still run, and how many clients are connected to each at nginx's port."""
        retired = self._retired
        found = await asyncio.to_thread(lambda: tuple(_finishing(retired, port))) if retired else ()
        if self._retired is retired:
            self._finishing, self._retired = found, frozenset(worker.pid for worker in found)

    def view(self) -> Reload | None:
        """The latest change and what has happened since; None before the first."""
        since = self._latest
        if since is None:
            return None
        return Reload(
            since.generation,
            since.change,
            since.time,
            since.seconds,
            since.old_pids,
            since.new_pids,
            self._finishing,
            since.finished_by_old,
            since.answered,
            since.failed,
            since.failed_meanwhile,
            since.was_failing,
            tuple(sorted(since.hits.items())),
        )


def _finishing(pids: Iterable[int], port: int) -> Iterator[OldWorker]:
    for pid in sorted(pids):
        try:
            connections = psutil.Process(pid).net_connections("tcp")
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            yield OldWorker(pid)
        else:
            ends = [each.laddr.port for each in connections if each.laddr and each.status != psutil.CONN_LISTEN]
            yield OldWorker(pid, ends.count(port))
