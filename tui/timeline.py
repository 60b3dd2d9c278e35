"""When the witnesses of one request say that it was where: bars over one stretch of time."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.witnesses import RequestDetail
from tui.formatting import exact_duration, fit, whole_milliseconds
from tui.ink import Ink, Line

_NAME_WIDTH, _TIME_WIDTH = 27, 9
_LEAST_BAR = 8


@dataclass(frozen=True)
class Stretch:
    """A part of the request's life, in seconds since the epoch."""

    name: str
    start: float
    end: float
    sign: str
    ink: Ink
    is_exact: bool = True
    """Whether its clock has microseconds; nginx's log has whole milliseconds."""

    @property
    def took(self) -> str:
        seconds = self.end - self.start
        return exact_duration(seconds) if self.is_exact else whole_milliseconds(seconds)


def stretches(detail: RequestDetail) -> list[Stretch]:
    """The client's waiting, then what nginx and the backends were busy with, then the client's reading."""
    return [*_of_client(detail), _of_nginx(detail), *_of_backends(detail)]


def _of_client(detail: RequestDetail) -> Iterator[Stretch]:
    if (client := detail.client) is None:
        return
    yield Stretch("client  due → sent", client.due, client.sent, "▒", Ink.WARNING)
    if client.first_byte is None:
        yield Stretch("client  sent → gave up", client.sent, client.done, "█", Ink.BAD)
    else:
        yield Stretch("client  sent → first byte", client.sent, client.first_byte, "█", Ink.AREA)
        yield Stretch("client  first byte → done", client.first_byte, client.done, "█", Ink.GOOD)


def _of_nginx(detail: RequestDetail) -> Stretch:
    nginx = detail.nginx
    return Stretch(
        "nginx   in all, whole ms", nginx.logged - nginx.seconds, nginx.logged, "░", Ink.MUTED, is_exact=False
    )


def _of_backends(detail: RequestDetail) -> Iterator[Stretch]:
    for witness in detail.backends:
        if witness.done is not None:
            yield Stretch(f"{witness.port:<7} at work", witness.arrived, witness.done, "█", Ink.ACCENT)


def timeline_lines(detail: RequestDetail, width: int) -> list[Line]:
    """One line a stretch: what, how long, and where in the whole; the last line is the axis."""
    every = stretches(detail)
    columns = width - _NAME_WIDTH - _TIME_WIDTH - 5
    # nginx's whole milliseconds would stretch a request of microseconds, so others say how long it was, if any can.
    exact = [stretch for stretch in every if stretch.is_exact] or every
    start, end = min(it.start for it in exact), max(it.end for it in exact)
    if columns < _LEAST_BAR or end <= start:
        columns = 0
    lines: list[Line] = [_stretch_line(stretch, start, end, columns) for stretch in every]
    if columns:
        margin = " " * (_NAME_WIDTH + _TIME_WIDTH + 4)
        whole = exact_duration(end - start)
        lines.append(((f"{margin}└{'─' * (columns - 2)}┘", Ink.MUTED),))
        lines.append(((f"{margin}0{whole:>{columns - 1}}", Ink.MUTED),))
    return lines


def _stretch_line(stretch: Stretch, start: float, end: float, columns: int) -> Line:
    spans: Line = (
        (f"  {fit(stretch.name, _NAME_WIDTH)}", Ink.MUTED),
        (f"{stretch.took:>{_TIME_WIDTH}}  ", Ink.STRONG),
    )
    if not columns:
        return spans
    scale = columns / (end - start)
    first = min(max(round((stretch.start - start) * scale), 0), columns - 1)
    last = min(max(round((stretch.end - start) * scale), first + 1), columns)
    return (*spans, (" " * first, Ink.PLAIN), (stretch.sign * (last - first), stretch.ink))
