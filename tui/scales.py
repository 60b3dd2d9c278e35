"""The axes of charts: where a value stands between the ends, and which round values are worth a label."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_ROUND_STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
_HEADROOM = 1.1
_LEAST_RATIO = 4.0
"""Of a logarithmic axis, so that steady values don't look as if they jumped."""

_MULTIPLES = ((1,), (2, 5), (3, 4, 6, 7, 8, 9))
_STEPS = (0.5, 0.1, 0.05, 0.01)
"""Of a power of ten, where an axis is so short that no whole multiple of one is on it."""
_LEAST_LABELS = 3
_ROWS_APART = 2


@dataclass(frozen=True)
class Scale:
    """An axis from `floor` to `ceiling`; a linear one starts at 0."""

    floor: float
    ceiling: float
    is_log: bool = False

    def part(self, value: float) -> float:
        """How far along the axis the value stands: 0 is the floor, 1 the ceiling."""
        if not self.is_log:
            return value / self.ceiling
        return math.log(max(value, self.floor) / self.floor) / math.log(self.ceiling / self.floor)

    def row_labels(self, rows: int) -> dict[int, float]:
        """Which of the rows, counted from the top, bear which value; the floor has its own place below them."""
        if self.is_log:
            return _log_labels(self, rows)
        return {0: self.ceiling, rows // 2: self.ceiling / 2} if rows >= 5 else {0: self.ceiling}


@lru_cache(maxsize=64)
def _log_labels(scale: Scale, rows: int) -> dict[int, float]:
    """An axis rarely changes, and finding its labels means trying hundreds of values."""
    labels = {0: scale.ceiling}
    for values in round_values(scale.floor, scale.ceiling):
        for value in values:
            row = rows - 1 - min(int(scale.part(value) * rows), rows - 1)
            if all(abs(row - other) >= _ROWS_APART for other in (*labels, rows)):
                labels[row] = value
        if len(labels) >= _LEAST_LABELS:
            break
    return labels


def round_ceiling(value: float) -> float:
    """The next number that reads well as the end of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _ROUND_STEPS if value <= step * power * (1 + 1e-9))


def linear_scale(highest: float) -> Scale:
    """From 0 to a round number a little above the highest value."""
    return Scale(0.0, round_ceiling(highest * _HEADROOM))


def log_scale(lowest: float, highest: float) -> Scale:
    """Between round numbers a little beyond the lowest and the highest value; both must be more than 0."""
    floor = _round_floor(lowest / _HEADROOM)
    return Scale(floor, round_ceiling(max(highest * _HEADROOM, floor * _LEAST_RATIO)), is_log=True)


def _round_floor(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (5, 2, 1) if value >= step * power * (1 - 1e-9))


def round_values(lowest: float, highest: float) -> Iterator[list[float]]:
    """The round values between the two, the roundest first: powers of ten, then 2 and 5 of them, then others."""
    powers = [10.0**exponent for exponent in range(math.floor(math.log10(lowest)), math.ceil(math.log10(highest)) + 1)]
    for multiples in _MULTIPLES:
        found = (multiple * power for power in powers for multiple in multiples)
        yield [value for value in found if lowest <= value <= highest]
    for step in _STEPS:
        width = step * powers[0]
        yield [width * n for n in range(math.ceil(lowest / width), min(math.floor(highest / width), 1000) + 1)]
