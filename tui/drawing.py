"""Bars and charts out of characters: pure functions from values to lines."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tui.ink import BLANK, Ink, Line, Span
from tui.scales import Scale, linear_scale, log_scale

_EIGHTHS = " ▏▎▍▌▋▊▉"
_EIGHTHS_UP = " ▁▂▃▄▅▆▇█"
_DOTS_ACROSS, _DOTS_DOWN = 2, 4
_BRAILLE = 0x2800
_BRAILLE_BITS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""The bit of each dot of a braille character, by column, from the bottom up."""

Values = Sequence[float | None]


def bar(part: float | None, width: int) -> str:
    """A bar of `width` cells, filled to `part` of 1, to an eighth of a cell; what is more than nothing shows."""
    if not part:
        return " " * width
    eighths = min(max(round(part * width * 8), 1), width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def columns_of(parts: Sequence[float], rows: int) -> list[str]:
    """Upright bars, one a cell, to an eighth of a cell; a line of text a row, the top one first."""
    eighths = [min(max(round(part * rows * 8), 1), rows * 8) if part > 0 else 0 for part in parts]
    return [
        "".join(_EIGHTHS_UP[min(max(height - below * 8, 0), 8)] for height in eighths)
        for below in reversed(range(rows))
    ]


def levels(values: Values, columns: int, ceiling: float, height: int) -> list[int | None]:
    """The values spread over `columns`, each as a height of 0 to `height` - 1; a gap stays a gap."""
    if not values:
        return [None] * columns
    spread = (len(values) - 1) / max(columns - 1, 1)
    return [_level(_between(values, column * spread), ceiling, height) for column in range(columns)]


def _between(values: Values, position: float) -> float | None:
    left = min(int(position), len(values) - 1)
    here, there = values[left], values[min(left + 1, len(values) - 1)]
    beyond = position - left
    if here is None or there is None:
        return here if beyond < 0.5 else there
    return here + (there - here) * beyond


def _level(value: float | None, ceiling: float, height: int) -> int | None:
    return None if value is None else min(max(round(value / ceiling * (height - 1)), 0), height - 1)


def area(heights: Sequence[int | None], rows: int) -> list[list[int]]:
    """Braille dots, as bits a cell from the top row down, of all that is at or under the heights."""
    return _dots(((x, y) for x, top in enumerate(heights) if top is not None for y in range(top + 1)), heights, rows)


def line(heights: Sequence[int | None], rows: int) -> list[list[int]]:
    """Braille dots, as bits a cell from the top row down, of a line through the heights."""
    dots: list[tuple[int, int]] = []
    for x, here in enumerate(heights):
        if here is None:
            continue
        before = heights[x - 1] if x else None
        start = here if before is None else before
        step = 1 if here >= start else -1
        dots.extend((x, y) for y in range(start + step if start != here else here, here + step, step))
    return _dots(dots, heights, rows)


def _dots(points: Iterable[tuple[int, int]], heights: Sequence[int | None], rows: int) -> list[list[int]]:
    cells = [[0] * math.ceil(len(heights) / _DOTS_ACROSS) for _ in range(rows)]
    for x, y in points:
        cells[rows - 1 - y // _DOTS_DOWN][x // _DOTS_ACROSS] |= _BRAILLE_BITS[x % _DOTS_ACROSS][y % _DOTS_DOWN]
    return cells


@dataclass(frozen=True)
class Chart:
    """What to draw: an area and lines over the same stretch of time, oldest first, and where something failed."""

    area: Values
    line: Values
    failures: Sequence[int]
    unit: Callable[[float], str]
    """Says a value of the y axis with its unit."""
    late: Sequence[int] = ()
    """What was late, second by second; a failure in the same place goes before."""
    further: Sequence[tuple[Values, Ink]] = ()
    """More lines, each behind the one before."""
    is_log: bool = False
    """Whether the y axis is logarithmic, so that what is ten times higher doesn't flatten the rest."""

    def scale(self) -> Scale:
        """The y axis that holds all values."""
        every = (self.area, self.line, *(values for values, _ in self.further))
        known = [value for values in every for value in values if value is not None]
        if not self.is_log:
            return linear_scale(max(known, default=0.0))
        positive = [value for value in known if value > 0] or [1.0]
        return log_scale(min(positive), max(positive))


LABEL_WIDTH = 8


def plot(chart: Chart, width: int, height: int, span: str = "60 s ago") -> list[Line]:
    """The chart in `height` lines: y axis with labels, and the x axis, where failures and what was late are marked."""
    columns, rows = width - LABEL_WIDTH - 1, height - 2
    if columns < 2 or rows < 1:
        return [BLANK] * height
    scale = chart.scale()
    layers: list[tuple[list[list[int]], Ink]] = [
        (line(_heights(values, scale, columns, rows), rows), ink)
        for values, ink in ((chart.line, Ink.LINE), *chart.further)
    ]
    layers.append((area(_heights(chart.area, scale, columns, rows), rows), Ink.AREA))
    labels = scale.row_labels(rows)
    lines = []
    for row in range(rows):
        label = chart.unit(labels[row]) if row in labels else ""
        tick = "┤" if label else "│"
        cells = _cells([(cells[row], ink) for cells, ink in layers])
        lines.append(((f"{label:>{LABEL_WIDTH}}{tick}", Ink.MUTED), *cells))
    now = "now".rjust(columns - len(span))
    baseline = _baseline(chart, chart.unit(scale.floor), columns)
    return [*lines, baseline, ((" " * (LABEL_WIDTH + 1) + span + now, Ink.MUTED),)]


def _heights(values: Values, scale: Scale, columns: int, rows: int) -> list[int | None]:
    parts = [None if value is None else scale.part(value) for value in values]
    return levels(parts, columns * _DOTS_ACROSS, 1.0, rows * _DOTS_DOWN)


def _cells(layers: Sequence[tuple[Sequence[int], Ink]]) -> Line:
    """All layers' dots in one row; a cell has one ink, that of the foremost layer with a dot in it."""
    spans: list[Span] = []
    for column in range(len(layers[0][0])):
        dots, ink = 0, layers[-1][1]
        for cells, layer_ink in layers:
            if cells[column]:
                ink = ink if dots else layer_ink
                dots |= cells[column]
        character = chr(_BRAILLE + dots) if dots else " "
        if spans and spans[-1][1] is ink:
            spans[-1] = (spans[-1][0] + character, ink)
        else:
            spans.append((character, ink))
    return tuple(spans)


_MARKS = {"✗": Ink.BAD, "!": Ink.WARNING}


def _baseline(chart: Chart, floor: str, columns: int) -> Line:
    marks = ["─"] * columns
    for mark, counts in (("!", chart.late), ("✗", chart.failures)):
        steps = max(len(counts) - 1, 1)
        for second, number in enumerate(counts):
            if number:
                marks[round(second / steps * (columns - 1))] = mark
    return ((f"{floor:>{LABEL_WIDTH}}┴", Ink.MUTED), *((mark, _MARKS.get(mark, Ink.MUTED)) for mark in marks))
