"""Bars and charts out of characters: pure functions from values to lines."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tui.ink import BLANK, Ink, Line

_EIGHTHS = " ▏▎▍▌▋▊▉"
_DOTS_ACROSS, _DOTS_DOWN = 2, 4
_BRAILLE = 0x2800
_BRAILLE_BITS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""The bit of each dot of a braille character, by column, from the bottom up."""

_HEADROOM = 1.1
_ROUND_STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)

Values = Sequence[float | None]


def bar(part: float | None, width: int) -> str:
    """A bar of `width` cells, filled to `part` of 1, to an eighth of a cell; what is more than nothing shows."""
    if not part:
        return " " * width
    eighths = min(max(round(part * width * 8), 1), width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def round_ceiling(value: float) -> float:
    """The next number that reads well as the end of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _ROUND_STEPS if value <= step * power * (1 + 1e-9))


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
    """What to draw: an area and a line over the same stretch of time, oldest first, and where something failed."""

    area: Values
    line: Values
    failures: Sequence[int]
    unit: Callable[[float], str]
    """Says a value of the y axis with its unit."""


LABEL_WIDTH = 8


def plot(chart: Chart, width: int, height: int, span: str = "60 s ago") -> list[Line]:
    """The chart in `height` lines: y axis with three labels at most, and the x axis, where failures are marked."""
    columns, rows = width - LABEL_WIDTH - 1, height - 2
    if columns < 2 or rows < 1:
        return [BLANK] * height
    highest = max((value for value in (*chart.area, *chart.line) if value is not None), default=0.0)
    ceiling = round_ceiling(highest * _HEADROOM)
    grid = columns * _DOTS_ACROSS, ceiling, rows * _DOTS_DOWN
    filled, drawn = area(levels(chart.area, *grid), rows), line(levels(chart.line, *grid), rows)
    middle = rows // 2 if rows >= 5 else None
    lines = []
    for row in range(rows):
        label = chart.unit(ceiling) if row == 0 else chart.unit(ceiling / 2) if row == middle else ""
        tick = "┤" if label else "│"
        lines.append(((f"{label:>{LABEL_WIDTH}}{tick}", Ink.MUTED), *_cells(filled[row], drawn[row])))
    now = "now".rjust(columns - len(span))
    return [*lines, _baseline(chart, columns), ((" " * (LABEL_WIDTH + 1) + span + now, Ink.MUTED),)]


def _cells(filled: Sequence[int], drawn: Sequence[int]) -> Line:
    spans: list[tuple[str, Ink]] = []
    for under, over in zip(filled, drawn, strict=True):
        character = chr(_BRAILLE + (under | over)) if under or over else " "
        ink = Ink.LINE if over else Ink.AREA
        if spans and spans[-1][1] is ink:
            spans[-1] = (spans[-1][0] + character, ink)
        else:
            spans.append((character, ink))
    return tuple(spans)


def _baseline(chart: Chart, columns: int) -> Line:
    marks = ["─"] * columns
    steps = max(len(chart.failures) - 1, 1)
    for second, failed in enumerate(chart.failures):
        if failed:
            marks[round(second / steps * (columns - 1))] = "✗"
    spans = [(f"{chart.unit(0):>{LABEL_WIDTH}}┴", Ink.MUTED)]
    spans.extend((mark, Ink.BAD if mark == "✗" else Ink.MUTED) for mark in marks)
    return tuple(spans)
