"""How long answers took in the last minute: p50 as an area, p99 as a line above it."""

from lab.counts.latency import SecondView
from tui.drawing import Chart, plot
from tui.formatting import duration, round_duration
from tui.ink import Ink, Line, plain_text
from tui.widgets.minute_chart import MinuteChart

_ROOMY = 42
_VALUE_WIDTH = 8
"""So that what stands behind a value doesn't dance with it."""


class LatencyChart(MinuteChart):
    """Shows how far the slowest answers are from the usual ones."""

    heading = "Latency, last 60 s, log scale"

    def draw_seconds(self, seconds: tuple[SecondView, ...], width: int, height: int) -> list[Line]:
        return latency_lines(seconds, width, height)


def latency_lines(seconds: tuple[SecondView, ...], width: int, height: int) -> list[Line]:
    """A legend with the last second's values, and the chart."""
    p50, p99 = [second.p50_ms for second in seconds], [second.p99_ms for second in seconds]
    failed, late = [second.failed for second in seconds], [second.late for second in seconds]
    chart = Chart(area=p50, line=p99, failures=failed, late=late, unit=round_duration, is_log=True)
    pad = _VALUE_WIDTH if width >= _ROOMY else 0
    legend: Line = (
        ("━ p99 ", Ink.LINE),
        (duration(p99[-1] if p99 else None).ljust(pad), Ink.STRONG),
        ("  █ p50 ", Ink.AREA),
        (duration(p50[-1] if p50 else None).ljust(pad), Ink.STRONG),
    )
    bad = [
        (sign, total, word, ink)
        for sign, counts, word, ink in (("✗", failed, "failed", Ink.BAD), ("!", late, "late", Ink.WARNING))
        if (total := sum(counts))
    ]
    named: Line = tuple((f"  {sign} {total:,} {word}", ink) for sign, total, word, ink in bad)
    if len(plain_text((*legend, *named))) > width:
        named = tuple((f"  {sign} {total:,}", ink) for sign, total, _, ink in bad)
    legend += named
    return [legend, *plot(chart, width, height - 1)]
