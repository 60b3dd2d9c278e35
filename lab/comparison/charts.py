"""The charts of a comparison's page, as SVG: one line a run, told apart by colour and by dashes."""

import math
from collections.abc import Callable, Sequence
from html import escape

from lab.comparison.result import Run

Point = tuple[float, float]

COLOURS = 8
"""Series that the style sheet has a colour for."""
_WIDTH, _HEIGHT = 720, 320
_LEFT, _BOTTOM, _TOP, _RIGHT = 64, 36, 12, 16
_DASHES = ("", "6 4", "2 3", "8 3 2 3")
"""Lines differ by their dashes too, for who can't tell the colours apart."""
_MOST_POWERS = 4
"""Of ten, that latencies are shown over."""
_TIME_MARKS = 5
"""About so many."""


def percentiles(runs: Sequence[Run]) -> str:
    """Latency by percentile: further up is slower, further right are the slower requests."""
    curves = [run.percentiles_ms for run in runs]
    values = [latency for curve in curves for _, latency in curve if latency > 0]
    if not values:
        return '<p class="muted">Nothing was answered.</p>'
    high = math.ceil(math.log10(max(values)))
    low = min(max(math.floor(math.log10(min(values))), high - _MOST_POWERS), high - 1)

    def x(percent: float) -> float:
        return -math.log10(max(1 - percent / 100, 1e-4)) / 4

    def y(latency_ms: float) -> float:
        return (math.log10(max(latency_ms, 10**low)) - low) / (high - low)

    rules = [(y(10.0**power), _duration(10.0**power)) for power in range(low, high + 1)]
    posts = [(x(percent), f"p{percent:g}") for percent in (0, 50, 90, 99, 99.9)]
    return _figure("Latency by percentile", runs, _lines(curves, x, y), rules, posts)


def over_time(runs: Sequence[Run]) -> str | None:
    """The p99 from the start on; None where no run has it."""
    curves = [() if run.inside is None else run.inside.p99_over_time_ms for run in runs]
    points = [point for curve in curves for point in curve]
    if not points:
        return None
    end = max(second for second, _ in points)
    top = _round_above(max(p99_ms for _, p99_ms in points), (1, 2, 3, 4, 6, 8, 10))
    step = _round_above(end / _TIME_MARKS, (1, 2, 5, 10))
    lines = _lines(curves, lambda second: second / end, lambda p99_ms: p99_ms / top)
    rules = [(part / 4, _duration(top * part / 4)) for part in range(5)]
    posts = [(number * step / end, f"{number * step:g} s") for number in range(int(end / step) + 1)]
    return _figure("p99 over time", runs, lines, rules, posts)


def _lines(
    curves: Sequence[Sequence[Point]], x: Callable[[float], float], y: Callable[[float], float]
) -> list[list[Point]]:
    return [[(x(across), y(up)) for across, up in curve] for curve in curves]


def _figure(
    label: str,
    runs: Sequence[Run],
    lines: Sequence[Sequence[Point]],
    rules: Sequence[tuple[float, str]],
    posts: Sequence[tuple[float, str]],
) -> str:
    """A chart whose points, rules and posts are given in parts of its width and height."""
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def x(part: float) -> str:
        return f"{_LEFT + (right - _LEFT) * part:.1f}"

    def y(part: float) -> str:
        return f"{bottom - (bottom - _TOP) * part:.1f}"

    marks = [
        f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y(at)}" y2="{y(at)}"/>'
        f'<text x="{_LEFT - 8}" y="{y(at)}" dy="4" text-anchor="end">{name}</text>'
        for at, name in rules
    ]
    marks += [
        f'<line class="grid" y1="{_TOP}" y2="{bottom}" x1="{x(at)}" x2="{x(at)}"/>'
        f'<text x="{x(at)}" y="{_HEIGHT - 12}" text-anchor="middle">{name}</text>'
        for at, name in posts
    ]
    curves = [
        f'<polyline class="curve" {_stroke(number)} points="{" ".join(f"{x(a)},{y(b)}" for a, b in line)}"/>'
        for number, line in enumerate(lines)
        if line
    ]
    keys = "".join(
        f'<span class="key"><svg style="width:28px" viewBox="0 0 28 8"><line x1="0" x2="28" y1="4" y2="4"'
        f' stroke-width="2.2" {_stroke(number)}/></svg>{escape(run.title)}</span>'
        for number, run in enumerate(runs)
    )
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(marks)}{''.join(curves)}</svg><figcaption>{keys}</figcaption></figure>"
    )


def _stroke(number: int) -> str:
    dash = _DASHES[number // 2 % len(_DASHES)]
    return f'stroke="var(--c{number % COLOURS})" stroke-dasharray="{dash}"'


def _round_above(value: float, factors: Sequence[int]) -> float:
    """The next of these, times a power of ten, that is no less."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next((power * factor for factor in factors if power * factor >= value), power * 10)


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:g} s"
