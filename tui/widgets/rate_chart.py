"""How many answers and failures there were in each second of the last minute."""

from lab.counts.latency import SecondView
from tui.drawing import Chart, plot
from tui.ink import Ink, Line
from tui.widgets.minute_chart import MinuteChart


class RateChart(MinuteChart):
    """Answers as an area, requests that took more than one backend as a line; for terminals that are tall enough."""

    heading = "Answers a second, last 60 s"

    def draw_seconds(self, seconds: tuple[SecondView, ...], width: int, height: int) -> list[Line]:
        return rate_lines(seconds, width, height)


def rate_lines(seconds: tuple[SecondView, ...], width: int, height: int) -> list[Line]:
    """A legend with the last second's values, and the chart."""
    last = seconds[-1] if seconds else SecondView(0)
    chart = Chart(
        area=[second.answered for second in seconds],
        line=[second.retried or None for second in seconds],
        failures=[second.failed for second in seconds],
        late=[second.late for second in seconds],
        unit=lambda value: f"{value:,g}",
    )
    legend: Line = (
        ("█ answered ", Ink.AREA),
        (f"{last.answered:<8,}", Ink.STRONG),
        ("━ retried ", Ink.LINE),
        (f"{last.retried:<8,}", Ink.STRONG),
        ("✗ failed ", Ink.BAD),
        (f"{last.failed:<6,}", Ink.STRONG),
        ("! late ", Ink.WARNING),
        (f"{last.late:,}", Ink.STRONG),
    )
    return [legend, *plot(chart, width, height - 1)]
