"""The percentiles of one series over the last minute."""

from lab.counts.latency import LatencySeries, SecondView
from lab.models import Snapshot
from tui.drawing import Chart, plot
from tui.formatting import duration, round_duration
from tui.ink import Ink, Line
from tui.widgets.line_panel import LinePanel

_ROOMY = 60


class PercentileChart(LinePanel):
    """p50 as an area; p95, p99 and the slowest as lines above it, over a logarithmic axis."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds: tuple[SecondView, ...] = ()

    def show(self, series: LatencySeries) -> None:
        """Show this series from now on: its complete seconds, since the one that is still filling would flicker."""
        self._seconds = series.seconds[:-1]
        self.draw_again()

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        return percentile_lines(self._seconds, width, height)


def percentile_lines(seconds: tuple[SecondView, ...], width: int, height: int) -> list[Line]:
    """A legend with the last second's values, from the top line of the chart down, and the chart."""
    last = seconds[-1] if seconds else SecondView(0)
    chart = Chart(
        area=[second.p50_ms for second in seconds],
        line=[second.p99_ms for second in seconds],
        further=(
            ([second.p95_ms for second in seconds], Ink.ACCENT),
            ([second.max_ms for second in seconds], Ink.BAD),
        ),
        failures=[second.failed for second in seconds],
        late=[second.late for second in seconds],
        unit=round_duration,
        is_log=True,
    )
    legend: Line = ()
    gap = "  " if width >= _ROOMY else " "
    for sign, name, value, ink in (
        ("━ ", "max", last.max_ms, Ink.BAD),
        ("━ ", "p99", last.p99_ms, Ink.LINE),
        ("━ ", "p95", last.p95_ms, Ink.ACCENT),
        ("█ ", "p50", last.p50_ms, Ink.AREA),
    ):
        label = (sign if width >= _ROOMY else "") + name + " "
        text = duration(value) if width >= _ROOMY else duration(value).removesuffix(" ms")
        legend += ((label, ink), (text + gap, Ink.STRONG))
    return [legend, *plot(chart, width, height - 1)]
