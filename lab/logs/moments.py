"""What nginx logged, put into the order in which it happened: begins, further attempts and ends of requests.

nginx logs a request when it is over, in whole milliseconds. So lines are held back until all that began before has
surely been told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from sys import maxsize

from lab.balancing.upstream import Request
from lab.logs.access_log import LogLine
from lab.nginx.render import Upstream
from lab.nginx.verdict import cases_of

LATE_SECONDS = 0.3
"""So late a line may come: nginx's buffer, and the reading of the file."""
LONGEST_SECONDS = 5.0
"""A request that takes longer is told of too late for its pick to be foretold."""
REMEMBERS_SECONDS = 15
"""So long, and no longer than twice that, the slowest request has the others wait."""


@dataclass(slots=True, eq=False)
class Flight:
    """One request on its way through the model."""

    line: LogLine
    failures: tuple[bool, ...]
    """Of each attempt, whether nginx counts it against the backend."""
    request: Request | None = None


def flight_of(line: LogLine, upstream: Upstream) -> Flight:
    """The request, under what was balanced then."""
    attempts = line.attempts
    if len(attempts) == 1 and attempts[0].is_answer:
        return Flight(line, (False,))
    return Flight(line, tuple(case.is_failure for case in cases_of(line, upstream)))


Event = tuple[int, int, int, int, Flight]
"""When, in milliseconds since the epoch; what orders events of the same millisecond; the number of the attempt that
begins then."""


class Moments:
    """Lines in, moments out: all that happened in one millisecond."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self.filed = 0
        """Lines so far: their number is the order in which nginx finished them."""
        self._reached_ms = 0
        self._slowest = [0.0, 0.0]
        """Seconds of the slowest request lately, and in the span before."""
        self._span = 0

    def _note_slowness(self, line: LogLine) -> None:
        span = int(line.time) // REMEMBERS_SECONDS
        if span != self._span:
            self._slowest = [0.0, self._slowest[0] if span == self._span + 1 else 0.0]
            self._span = span
        self._slowest[0] = max(self._slowest[0], line.seconds)

    def file(self, flight: Flight) -> None:
        """Put down when the request began, when each further attempt did, and when it was over.

        Ends are logged in their order. One that began and ended in the same millisecond began after all that ended
        before it, which is what a client does that waits for its answer.
        """
        line = flight.line
        self._note_slowness(line)
        self.filed += 1
        end_ms = round(line.time * 1000)
        began_ms = end_ms - round(line.seconds * 1000)
        order = self.filed if began_ms == end_ms else _shot_order(line)
        heappush(self._events, (began_ms, 2 * order, self.filed, 0, flight))
        tried_ms = began_ms
        for number, attempt in enumerate(line.attempts[:-1], start=1):
            tried_ms = min(tried_ms + round((attempt.seconds or 0) * 1000), end_ms)
            order = self.filed if tried_ms == end_ms else maxsize
            heappush(self._events, (tried_ms, 2 * order, self.filed, number, flight))
        heappush(self._events, (end_ms, 2 * self.filed + 1, self.filed, len(line.attempts), flight))

    def complete(self, now: float) -> Iterator[tuple[list[Event], bool]]:
        """All moments of which surely everything is told at this time of day, and whether each comes too late."""
        until_ms = (now - LATE_SECONDS - min(max(self._slowest), LONGEST_SECONDS)) * 1000
        events = self._events
        while events and events[0][0] <= until_ms:
            moment_ms = events[0][0]
            is_late = moment_ms < self._reached_ms
            moment = [heappop(events)]
            while events and events[0][0] == moment_ms:
                moment.append(heappop(events))
            self._reached_ms = max(self._reached_ms, moment_ms)
            yield moment, is_late

    def clear(self) -> None:
        """Forget what is held back."""
        self._events.clear()


def _shot_order(line: LogLine) -> int:
    """After all that ended in that millisecond; the lab's own in the order in which they were fired."""
    digits = line.shot.rpartition("-")[2]
    return maxsize // 4 + (min(int(digits), maxsize // 8) if digits.isdecimal() and len(digits) < 19 else 0)
