"""A histogram of latencies out of characters, over a part of them that can be chosen."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.counts.latency import Bucket, LatencySeries
from tui.drawing import LABEL_WIDTH, columns_of
from tui.formatting import count, duration, round_duration
from tui.ink import BLANK, Ink, Line, Span
from tui.scales import Scale, round_ceiling, round_values

_LEAST_RATIO = 1.25
"""Of the x axis: alike latencies don't need to be told apart any finer."""
_TICKS_ENOUGH = 4
_TICK_GAP = 2
_LINES_AROUND = 4
_MOST_TELLING = ("p50", "p99", "p95")


@dataclass(frozen=True)
class Zoom:
    """A part of the requests, by the percentiles between which they are."""

    title: str
    from_percent: float
    to_percent: float


ZOOMS = (
    Zoom("all requests", 0, 100),
    Zoom("p1 to p99", 1, 99),
    Zoom("p50 to p99.9", 50, 99.9),
    Zoom("p90 to max", 90, 100),
    Zoom("p99 to max", 99, 100),
)
"""From the whole to the slowest few."""


def part_shown(buckets: Sequence[Bucket], zoom: Zoom) -> tuple[Bucket, ...]:
    """The buckets from the one that holds the lower percentile to the one that holds the upper."""
    total = sum(bucket.count for bucket in buckets)
    first, last = total * zoom.from_percent / 100, total * zoom.to_percent / 100
    shown, reached = [], 0
    for bucket in buckets:
        if reached >= last:
            break
        reached += bucket.count
        if reached > first:
            shown.append(bucket)
    return tuple(shown)


def spread(buckets: Sequence[Bucket], scale: Scale, columns: int) -> list[float]:
    """How many requests fall into each column of a logarithmic axis; a bucket on an edge is shared out."""
    counts = [0.0] * columns
    for bucket in buckets:
        left, right = scale.part(bucket.from_ms) * columns, scale.part(bucket.to_ms) * columns
        for column in range(max(int(left), 0), min(math.ceil(right), columns)):
            covered = min(right, column + 1) - max(left, column)
            counts[column] += bucket.count * covered / (right - left)
    return counts


def histogram_lines(series: LatencySeries, zoom: Zoom, width: int, height: int) -> list[Line]:
    """What is shown in words, the bars over a logarithmic axis, and below it the percentiles."""
    columns, rows = width - LABEL_WIDTH - 1, height - _LINES_AROUND
    shown = part_shown(series.buckets, zoom)
    if not shown:
        return [(("No answer yet since the counters were zeroed.", Ink.MUTED),)]
    if columns < 2 or rows < 1:
        return [BLANK] * height
    scale = _axis(shown)
    counts = spread(shown, scale, columns)
    highest = max(round_ceiling(max(counts)), 1.0)
    bars = columns_of([number / highest for number in counts], rows)
    places = dict(_percentiles(series, scale, columns))
    inks = _inks(columns, series, scale)
    labels = Scale(0, highest).row_labels(rows)
    lines: list[Line] = [_caption(shown, series.summary.count)]
    for row, text in enumerate(bars):
        label = _number(labels[row]) if row in labels else ""
        lines.append(((f"{label:>{LABEL_WIDTH}}{'┤' if label else '│'}", Ink.MUTED), *_painted(text, inks)))
    ticks = _ticks(scale, columns)
    return [*lines, _baseline(ticks, columns), _below(ticks, columns), _marks(places, columns)]


def _axis(shown: Sequence[Bucket]) -> Scale:
    low, high = shown[0].from_ms, shown[-1].to_ms
    widen = math.sqrt(max(_LEAST_RATIO / (high / low), 1.0))
    return Scale(low / widen, high * widen, is_log=True)


def _caption(shown: Sequence[Bucket], total: int) -> Line:
    number = sum(bucket.count for bucket in shown)
    return (
        (f"{duration(shown[0].from_ms)} to {duration(shown[-1].to_ms)}", Ink.STRONG),
        (f"  {number:,} of {total:,}" if number < total else f"  {total:,} requests", Ink.MUTED),
    )


def _percentiles(series: LatencySeries, scale: Scale, columns: int) -> Iterator[tuple[str, int]]:
    summary = series.summary
    for name, value in (("p50", summary.p50_ms), ("p95", summary.p95_ms), ("p99", summary.p99_ms)):
        if value is not None and scale.floor <= value <= scale.ceiling:
            yield name, min(int(scale.part(value) * columns), columns - 1)


def _inks(columns: int, series: LatencySeries, scale: Scale) -> list[Ink]:
    """The bars' inks: another one beyond each percentile."""
    summary = series.summary
    steps = ((summary.p50_ms, Ink.ACCENT), (summary.p95_ms, Ink.LINE), (summary.p99_ms, Ink.BAD))
    inks = [Ink.AREA] * columns
    for value, ink in steps:
        if value is not None and value < scale.ceiling:
            start = int(scale.part(value) * columns) + 1 if value >= scale.floor else 0
            inks[start:] = [ink] * (columns - start)
    return inks


def _number(value: float) -> str:
    return count(int(value), LABEL_WIDTH) if value == int(value) else f"{value:g}"


def _painted(text: str, inks: Sequence[Ink]) -> list[Span]:
    return [(character, ink) for character, ink in zip(text, inks, strict=True)]


def _ticks(scale: Scale, columns: int) -> dict[int, str]:
    """Round values by the column they stand in, as many as there is room for."""
    ticks: dict[int, str] = {}
    for values in round_values(scale.floor, scale.ceiling):
        for value in values:
            column = min(int(scale.part(value) * columns), columns - 1)
            label = round_duration(value)
            if column + len(label) <= columns and _is_free(ticks, column, label):
                ticks[column] = label
        if len(ticks) >= _TICKS_ENOUGH:
            break
    return ticks


def _is_free(ticks: dict[int, str], column: int, label: str) -> bool:
    return all(
        column + len(label) + _TICK_GAP <= other or other + len(text) + _TICK_GAP <= column
        for other, text in ticks.items()
    )


def _baseline(ticks: dict[int, str], columns: int) -> Line:
    axis = "".join("┬" if column in ticks else "─" for column in range(columns))
    return ((f"{0:>{LABEL_WIDTH}}┴{axis}", Ink.MUTED),)


def _below(texts: dict[int, str], columns: int) -> Line:
    """Each text from its column on; one that would run into the next gives way."""
    cells, end = [" "] * columns, columns + 1
    for column, text in sorted(texts.items(), reverse=True):
        if column + len(text) < end:
            cells[column : column + len(text)] = text
            end = column
    return ((" " * (LABEL_WIDTH + 1) + "".join(cells), Ink.MUTED),)


def _marks(places: dict[str, int], columns: int) -> Line:
    """An arrow at each percentile's column, with its name on the side that is likelier free; p95 gives way first."""
    cells = [" "] * (columns + 1)
    for name in sorted(places, key=_MOST_TELLING.index):
        before, behind = (places[name] - len(name), f"{name}▲"), (places[name], f"▲{name}")
        for start, text in (before, behind) if name == "p50" else (behind, before):
            end = start + len(text)
            if start >= 0 and end <= columns and not "".join(cells[max(start - 1, 0) : end + 1]).strip():
                cells[start:end] = text
                break
    return ((" " * (LABEL_WIDTH + 1) + "".join(cells[:columns]), Ink.STRONG),)
