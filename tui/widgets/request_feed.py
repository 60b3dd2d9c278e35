"""Every request as nginx logged it, whoever sent it; the newest at the bottom."""

from functools import lru_cache

from rich.cells import cell_len
from textual.content import Content

from lab.models import Attempt, RequestView, Snapshot
from tui.formatting import client_name, duration, fit, shorten, time_of_day
from tui.ink import Ink, Line, Span
from tui.widgets.line_panel import LinePanel

_TIME_WIDTH = 12
_LATENCY_WIDTH = 7
_STATUS_WIDTH = 3
_SERVER_ERROR = 500
_CLIENT_ERROR = 400
_ATTEMPTS_SHOWN = 4
_SCROLL_LINES = 3


class RequestFeed(LinePanel):
    """Follows the newest request; the mouse wheel looks back, and holds the feed still meanwhile."""

    heading = "Requests"

    def __init__(self) -> None:
        super().__init__()
        self._held: int | None = None

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        feed = snapshot.feed
        end = len(feed) if self._held is None else max(self._last_shown(), min(height, len(feed)))
        return [request_line(request, width) for request in feed[max(end - height, 0) : end]]

    def _last_shown(self) -> int:
        held = self._held or 0
        return sum(request.number <= held for request in self.snapshot.feed)

    def on_mouse_scroll_up(self) -> None:
        self._look(-_SCROLL_LINES)

    def on_mouse_scroll_down(self) -> None:
        self._look(_SCROLL_LINES)

    def _look(self, lines: int) -> None:
        feed = self.snapshot.feed
        end = (len(feed) if self._held is None else self._last_shown()) + lines
        end = max(end, min(self.size.height, len(feed)))
        self._held = feed[end - 1].number if 0 < end < len(feed) else None
        self.border_subtitle = Content("held · scroll down to follow" if self._held is not None else "")
        self.draw_again()


@lru_cache(maxsize=1024)
def request_line(request: RequestView, width: int) -> Line:
    """One request in `width` cells: when, what, by which backends, for whom, how long, and with what status."""
    middle = width - _TIME_WIDTH - _LATENCY_WIDTH - _STATUS_WIDTH - 5
    what_width = max(min(middle // 3, 40), 6)
    return (
        (time_of_day(request.time), Ink.MUTED),
        ("  " + fit(f"{request.method} {request.uri}", what_width) + " ", Ink.PLAIN),
        *_way(request, middle - what_width),
        (" " + fit(duration(request.latency_ms), _LATENCY_WIDTH, to_right=True), Ink.PLAIN),
        (f" {request.status:>{_STATUS_WIDTH}}", _status_ink(request.status)),
    )


def _way(request: RequestView, width: int) -> list[Span]:
    """The chain of backends, then the client and the PID as far as there is room, in `width` cells."""
    spans = _chain(request.attempts)
    client = None if request.client is None else f"({client_name(request.client)})"
    pid = None if request.pid is None else f"pid {request.pid}"
    for text, ink in ((client, Ink.ACCENT), (pid, Ink.MUTED)):
        if text and _width(spans) + 1 + cell_len(text) <= width:
            spans.append((" " + text, ink))
    return _cut(spans, width)


def _chain(attempts: tuple[Attempt, ...]) -> list[Span]:
    if not attempts:
        return [("→ nginx itself", Ink.MUTED)]
    spans: list[Span] = []
    skipped = len(attempts) - _ATTEMPTS_SHOWN
    if skipped > 0:
        spans.append((f"→ {skipped} ✗ ", Ink.BAD))
    for attempt in attempts[-_ATTEMPTS_SHOWN:]:
        name = shorten(attempt.upstream, 16) if attempt.port is None else str(attempt.port)
        spans.append((" → " if spans else "→ ", Ink.MUTED))
        spans.append((name, Ink.STRONG) if attempt.is_answer else (f"{name} ✗", Ink.BAD))
    return spans


def _cut(spans: list[Span], width: int) -> list[Span]:
    cut: list[Span] = []
    for text, ink in spans:
        room = width - _width(cut)
        cut.append((shorten(text, room), ink))
    return [*cut, (" " * (width - _width(cut)), Ink.PLAIN)]


def _width(spans: list[Span]) -> int:
    return sum(cell_len(text) for text, _ in spans)


def _status_ink(status: int) -> Ink:
    if status >= _SERVER_ERROR:
        return Ink.BAD
    return Ink.WARNING if status >= _CLIENT_ERROR else Ink.GOOD
