"""Joins what nginx logged with what the lab's client saw of the same request: the feed, and the ledger's counts."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from lab.logs.access_log import CLIENT_GONE, LogLine
from lab.logs.shot_number import shot_number
from lab.traffic.outcome import Outcome
from lab.witnesses import RequestView

FEED_LENGTH = 500
SETTLING_SECONDS = 2.0
"""How long the other witness of a request may take to speak."""
MOST_OVERDUE = 10_000
"""How many requests are remembered beyond that time: a stall of nginx may last longer."""


@dataclass(slots=True)
class Entry:
    """One request: what nginx logged of it, what the lab's client saw of it, or both."""

    since: float
    """When the first of the two told, on the journal's clock."""
    line: LogLine | None = None
    outcome: Outcome | None = None
    number: int = 0
    """Counts nginx's lines."""
    shot: int | None = None
    """The lab's client's number for it; None if somebody else sent it."""
    pid: int | None = None
    """Of the process that had the answering backend's port when nginx had sent the answer."""
    view: RequestView | None = None
    """What the feed shows of it; made when it is wanted, and made anew when a witness has told more."""


class Journal:
    """The requests of all clients, as they come.

    The lab's client numbers its shots, and nginx logs that number; lines and outcomes come in any order.
    """

    def __init__(self, shot_name: str, clock: Callable[[], float], pid_of: Callable[[int, float], int | None]) -> None:
        self.on_forwarded: Callable[[float], None] = lambda _: None
        """Is told, for each attempt that a backend answered, when it ended, in seconds since the epoch."""
        self.client_answered = 0
        self.nginx_logged = 0
        self.nginx_forwarded = 0
        self.other_clients = 0
        self.crossed = 0
        """Answers that nginx logged as sent, and that the lab's client had no longer waited for."""
        self.broken_off = 0
        """Attempts of nginx that ended without a response header, though a backend may have got the request."""
        self._prefix = f"{shot_name}-"
        self._clock = clock
        self._pid_of = pid_of
        self._dead_up_to = -1
        """The highest number that a client which has died may have given."""
        self._lines = 0
        self._feed: deque[Entry] = deque(maxlen=FEED_LENGTH)
        self._unpaired: dict[int, Entry] = {}
        """What only one witness has told of, the oldest first; the other may still speak."""
        self._overdue: dict[int, Entry] = {}
        """What only one witness has told of, and the other should have."""

    def number_of(self, line: LogLine) -> int | None:
        """The lab's client's number for the request; None if somebody else sent it."""
        digits = line.shot.removeprefix(self._prefix)
        return shot_number(digits) if len(digits) < len(line.shot) else None

    def note_line(self, line: LogLine) -> bool:
        """nginx has logged a request. Returns whether the lab's client sent it."""
        self._lines += 1
        ended_at = line.time
        for attempt in reversed(line.attempts):
            if attempt.is_answer:
                self.nginx_forwarded += 1
                self.on_forwarded(ended_at)
            elif attempt.may_have_arrived:
                self.broken_off += 1
            ended_at -= attempt.seconds or 0.0
        shot = self.number_of(line)
        if shot is None:
            self.other_clients += 1
            entry = Entry(self._clock())
        else:
            self.nginx_logged += line.status != CLIENT_GONE
            entry = self._pair(shot)
            if shot <= self._dead_up_to and entry.outcome is None:
                self._unpaired.pop(shot, None)
                self._count_unreceived(line)
        entry.line, entry.number = line, self._lines
        self._count_crossing(entry)
        if line.attempts and line.attempts[-1].is_answer and (port := line.attempts[-1].port) is not None:
            entry.pid = self._pid_of(port, line.time)
        self._feed.append(entry)
        return shot is not None

    def note_outcome(self, outcome: Outcome) -> None:
        """The lab's client has told what became of a request."""
        self.client_answered += outcome.fate.is_answer
        entry = self._pair(outcome.number)
        entry.outcome = outcome
        self._count_crossing(entry)
        entry.view = None

    def note_client_death(self, numbers_end: int) -> None:
        """The client that gave the numbers up to this one has died: of what it didn't tell it has received nothing."""
        self._dead_up_to = numbers_end
        for entries in (self._unpaired, self._overdue):
            for number, entry in list(entries.items()):
                if entry.line is not None:
                    del entries[number]
                    self._count_unreceived(entry.line)

    def feed(self) -> tuple[RequestView, ...]:
        """The latest requests, oldest first."""
        return tuple([entry.view or _view_of(entry) for entry in self._feed])

    def moving(self) -> int:
        """How many more answers the client has than nginx (fewer, when negative) only as the other may still speak."""
        self._give_up_waiting(self._clock())
        told_by_client = told_by_nginx = 0
        for entry in self._unpaired.values():
            if entry.outcome is not None:
                told_by_client += entry.outcome.fate.is_answer
            elif entry.line is not None:
                told_by_nginx += entry.line.status != CLIENT_GONE
        return told_by_client - told_by_nginx

    def _give_up_waiting(self, now: float) -> None:
        """Remember what has waited for too long as overdue."""
        unpaired, overdue = self._unpaired, self._overdue
        while unpaired and unpaired[shot := next(iter(unpaired))].since < now - SETTLING_SECONDS:
            overdue[shot] = unpaired.pop(shot)
            if len(overdue) > MOST_OVERDUE:
                del overdue[next(iter(overdue))]

    def _count_crossing(self, entry: Entry) -> None:
        """An answer that nginx sent in full while the client gave up was received by nobody."""
        line, outcome = entry.line, entry.outcome
        if line is not None and outcome is not None and not outcome.fate.is_answer:
            self._count_unreceived(line)

    def _count_unreceived(self, line: LogLine) -> None:
        if line.status != CLIENT_GONE:
            self.nginx_logged -= 1
            self.crossed += 1

    def _pair(self, shot: int) -> Entry:
        """What the other witness has told of this shot; a new entry, which waits for the other, if nothing yet."""
        entry = self._unpaired.pop(shot, None) or self._overdue.pop(shot, None)
        if entry is None:
            now = self._clock()
            self._give_up_waiting(now)
            entry = self._unpaired[shot] = Entry(now, shot=shot)
        return entry


def _view_of(entry: Entry) -> RequestView:
    """What the feed shows of a request."""
    line, outcome = entry.line, entry.outcome
    assert line is not None
    entry.view = RequestView(
        number=entry.number,
        time=line.time,
        method=line.method,
        uri=line.uri,
        status=line.status,
        attempts=line.attempts,
        worker_pid=line.worker_pid,
        generation=line.generation,
        seconds=line.seconds,
        shot=entry.shot,
        pid=outcome.fate.pid if outcome is not None and outcome.fate.pid is not None else entry.pid,
        latency_ms=_latency_ms(entry),
        client=line.agent if entry.shot is None else None,
        request_id=line.request_id,
        is_cut=line.is_cut,
    )
    return entry.view


def _latency_ms(entry: Entry) -> float | None:
    """As the client saw it: what nginx says of the lab's own request may be a small part of that."""
    if entry.outcome is not None:
        return entry.outcome.latency_us / 1000
    return entry.line.seconds * 1000 if entry.shot is None and entry.line is not None else None
