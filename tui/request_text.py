"""A request of the feed as one line."""

from functools import lru_cache

from rich.cells import cell_len

from lab.witnesses import Attempt, RequestView
from tui.formatting import client_name, duration, fit, shorten, time_of_day, whole_milliseconds
from tui.ink import Ink, Line, Span

_TIME_WIDTH = 12
_LATENCY_WIDTH = 7
_STATUS_WIDTH = 3
_SERVER_ERROR = 500
_CLIENT_ERROR = 400
_ATTEMPTS_SHOWN = 4
_UNTOLD = "…"
_NOBODY = "nobody live"
"""nginx logs the upstream's own name when it has no backend left to try."""


@lru_cache(maxsize=128)
def request_line(request: RequestView, width: int, *, is_chosen: bool = False) -> Line:
    """One request in `width` cells: when, what, by which backends, for whom, how long, and with what status."""
    middle = width - _TIME_WIDTH - _LATENCY_WIDTH - _STATUS_WIDTH - 5
    what_width = max(min(middle // 3, 40), 6)
    return (
        (time_of_day(request.time), Ink.MUTED),
        (" ▸" if is_chosen else "  ", Ink.ACCENT),
        (fit(f"{request.method} {request.uri}", what_width) + " ", Ink.PLAIN),
        *_way(request, middle - what_width),
        (" " + fit(_latency(request), _LATENCY_WIDTH, to_right=True), Ink.PLAIN),
        (f" {request.status:>{_STATUS_WIDTH}}", status_ink(request.status)),
    )


def _way(request: RequestView, width: int) -> list[Span]:
    """The chain of backends, then the client and the PID as far as there is room, in `width` cells."""
    spans = chain(request.attempts, is_cut=request.is_cut)
    client = None if request.client is None else f"({client_name(request.client)})"
    pid = None if request.pid is None else f"pid {request.pid}"
    for text, ink in ((client, Ink.ACCENT), (pid, Ink.MUTED)):
        if text and _width(spans) + 1 + cell_len(text) <= width:
            spans.append((" " + text, ink))
    return _cut(spans, width)


def _latency(request: RequestView) -> str:
    """The client's time as precise as it is, nginx's in whole milliseconds, and that the client hasn't told yet."""
    if request.latency_ms is None:
        return _UNTOLD
    return duration(request.latency_ms) if request.client is None else whole_milliseconds(request.latency_ms / 1000)


def chain(attempts: tuple[Attempt, ...], *, is_cut: bool = False) -> list[Span]:
    """The backends that nginx tried, in that order: `→ 74 ✗ → 75`; the last one may have cut its answer."""
    if not attempts:
        return [("→ nginx itself", Ink.MUTED)]
    spans: list[Span] = []
    skipped = len(attempts) - _ATTEMPTS_SHOWN
    if skipped > 0:
        spans.append((f"→ {skipped} ✗ ", Ink.BAD))
    for attempt in attempts[-_ATTEMPTS_SHOWN:]:
        name = _NOBODY if attempt.port is None else str(attempt.port)
        spans.append((" → " if spans else "→ ", Ink.MUTED))
        spans.append((name, Ink.STRONG) if attempt.is_answer else (f"{name} ✗", Ink.BAD))
    if is_cut:
        spans.append((" ✗ cut", Ink.BAD))
    return spans


def _cut(spans: list[Span], width: int) -> list[Span]:
    cut: list[Span] = []
    for text, ink in spans:
        room = width - _width(cut)
        cut.append((shorten(text, room), ink))
    return [*cut, (" " * (width - _width(cut)), Ink.PLAIN)]


def _width(spans: list[Span]) -> int:
    return sum(cell_len(text) for text, _ in spans)


def status_ink(status: int) -> Ink:
    """Whether a status is fine, the client's fault or the server's."""
    if status >= _SERVER_ERROR:
        return Ink.BAD
    return Ink.WARNING if status >= _CLIENT_ERROR else Ink.GOOD
