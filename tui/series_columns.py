"""A series of latencies as one line: its percentiles, and where there is room, how they are spread."""

from collections.abc import Sequence

from lab.counts.latency import LatencySeries, LatencySummary
from tui.formatting import UNKNOWN, count, fit, milliseconds
from tui.ink import Ink, Line, Span
from tui.scales import Scale, log_scale

_NAME_WIDTH, _COUNT_WIDTH, _VALUE_WIDTH = 8, 11, 8
_HEADINGS = ("min ms", "p50", "p90", "p95", "p99", "p99.9", "max")
_LEAST_SPREAD, _WIDEST_SPREAD, _GAP = 20, 80, 3


def name_of(series: LatencySeries) -> str:
    """What a person calls it."""
    return "all" if series.port is None else str(series.port)


def series_heading(width: int) -> Line:
    """The line above the series."""
    cells = [fit("  backend", _NAME_WIDTH + 2), fit("count", _COUNT_WIDTH, to_right=True)]
    cells += [fit(heading, _VALUE_WIDTH, to_right=True) for heading in _HEADINGS]
    if room := _spread_width(width):
        cells.append(" " * _GAP + fit("├ min  ┃ p50  ━ to p99  ┤ max", room))
    return (("".join(cells), Ink.HEADING),)


def series_line(series: LatencySeries, width: int, axis: Scale | None, *, is_chosen: bool = False) -> Line:
    """One series; the axis is that of the spread, the same for all."""
    summary = series.summary
    values = (
        summary.min_ms,
        summary.p50_ms,
        summary.p90_ms,
        summary.p95_ms,
        summary.p99_ms,
        summary.p99_9_ms,
        summary.max_ms,
    )
    spans: list[Span] = [
        ("▸ " if is_chosen else "  ", Ink.ACCENT),
        (fit(name_of(series), _NAME_WIDTH), Ink.STRONG if is_chosen else Ink.PLAIN),
        (fit(count(summary.count, _COUNT_WIDTH), _COUNT_WIDTH, to_right=True), Ink.STRONG),
    ]
    for value in values:
        text = milliseconds(value)
        spans.append((fit(text, _VALUE_WIDTH, to_right=True), Ink.MUTED if text == UNKNOWN else Ink.PLAIN))
    if (room := _spread_width(width)) and axis is not None:
        spans += [(" " * _GAP, Ink.PLAIN), *_spread(summary, axis, room)]
    return tuple(spans)


def spread_axis(every: Sequence[LatencySeries]) -> Scale | None:
    """A logarithmic axis that holds all series; None while there is nothing to hold."""
    lowest = [series.summary.min_ms for series in every if series.summary.min_ms]
    highest = [series.summary.max_ms for series in every if series.summary.max_ms]
    return log_scale(min(lowest), max(highest)) if lowest and highest else None


def _spread_width(width: int) -> int:
    room = width - 2 - _NAME_WIDTH - _COUNT_WIDTH - len(_HEADINGS) * _VALUE_WIDTH - _GAP
    return min(room, _WIDEST_SPREAD) if room >= _LEAST_SPREAD else 0


def _spread(summary: LatencySummary, axis: Scale, width: int) -> list[Span]:
    values = (summary.min_ms, summary.p50_ms, summary.p99_ms, summary.max_ms)
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return []
    low, middle, high, end = (min(int(axis.part(value) * width), width - 1) for value in known)
    cells = [" "] * low + ["─"] * (end - low + 1) + [" "] * (width - end - 1)
    cells[low], cells[end] = "├", "┤"
    cells[middle : high + 1] = "━" * (high + 1 - middle)
    cells[middle] = "┃"
    text = "".join(cells)
    return [
        (text[:middle], Ink.MUTED),
        (text[middle], Ink.ACCENT),
        (text[middle + 1 : high + 1], Ink.LINE),
        (text[high + 1 :], Ink.MUTED),
    ]
