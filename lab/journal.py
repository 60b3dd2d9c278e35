"""Joins what nginx logged with what the lab's client saw of the same request: the feed, and the ledger's counts."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.access_log import LogLine
from lab.models import RequestView
from lab.traffic.outcome import Outcome

FEED_LENGTH = 500
SETTLING_SECONDS = 2.0
"""How long the other witness of a request may take to speak."""
CLIENT_GONE = 499
"""nginx's status for a request whose client closed the connection before the answer."""


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A request that one witness has told of."""

    since: float
    outcome: Outcome | None = None
    number: int | None = None
    """Of the feed's entry, when it was nginx that told."""


class Journal:
    """The requests of all clients, as they come.

    The lab's client names each of its shots, and nginx logs that name; lines and outcomes come in any order.
    """

    def __init__(self, shot_name: str, clock: Callable[[], float], pid_of: Callable[[int], int | None]) -> None:
        self.client_answered = 0
        self.nginx_logged = 0
        self.nginx_forwarded = 0
        self.other_clients = 0
        self._prefix = f"{shot_name}-"
        self._clock = clock
        self._pid_of = pid_of
        self._feed: deque[RequestView] = deque(maxlen=FEED_LENGTH)
        self._lines = 0
        self._unpaired: dict[str, Unpaired] = {}

    def is_ours(self, line: LogLine) -> bool:
        """Whether the lab's client sent it."""
        return line.shot.startswith(self._prefix)

    def note_line(self, line: LogLine) -> None:
        """nginx has logged a request."""
        self._lines += 1
        self.nginx_forwarded += sum(attempt.is_answer for attempt in line.attempts)
        is_ours = self.is_ours(line)
        port = line.attempts[-1].port if line.attempts else None
        view = RequestView(
            number=self._lines,
            time=line.time,
            method=line.method,
            uri=line.uri,
            status=line.status,
            attempts=line.attempts,
            pid=None if port is None else self._pid_of(port),
            latency_ms=line.seconds * 1000,
            client=None if is_ours else line.agent,
            request_id=line.request_id,
        )
        if not is_ours:
            self.other_clients += 1
        else:
            self.nginx_logged += line.status != CLIENT_GONE
            witness = self._unpaired.pop(line.shot, None)
            if witness is None:
                self._unpaired[line.shot] = Unpaired(self._clock(), number=view.number)
            elif witness.outcome is not None:
                view = _with_clients_view(view, witness.outcome)
        self._feed.append(view)

    def note_outcome(self, outcome: Outcome) -> None:
        """The lab's client has told what became of a request."""
        self.client_answered += outcome.is_answer
        witness = self._unpaired.pop(outcome.shot, None)
        if witness is None:
            self._unpaired[outcome.shot] = Unpaired(self._clock(), outcome=outcome)
        elif witness.number is not None and witness.number >= (first := self._lines - len(self._feed) + 1):
            index = witness.number - first
            self._feed[index] = _with_clients_view(self._feed[index], outcome)

    def feed(self) -> tuple[RequestView, ...]:
        """The latest requests, oldest first."""
        return tuple(self._feed)

    def settling(self) -> int:
        """How many requests only one witness has told of, so recently that the other may still speak."""
        oldest = self._clock() - SETTLING_SECONDS
        for shot, witness in list(self._unpaired.items()):
            if witness.since >= oldest:
                break
            del self._unpaired[shot]
        return len(self._unpaired)


def _with_clients_view(view: RequestView, outcome: Outcome) -> RequestView:
    return replace(view, latency_ms=outcome.latency_us / 1000, pid=outcome.pid or view.pid)
