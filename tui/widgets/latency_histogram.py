"""How often which latency was seen, of one series."""

from textual.content import Content

from lab.counts.latency import LatencySeries
from lab.models import Snapshot
from tui.histogram import ZOOMS, histogram_lines
from tui.ink import Line
from tui.series_columns import name_of
from tui.widgets.line_panel import LinePanel


class LatencyHistogram(LinePanel):
    """The histogram of a series; the border says which part of it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._series = LatencySeries(None, (), ())
        self._zoom = 0

    def show(self, series: LatencySeries) -> None:
        """Show this series from now on."""
        self._series = series
        self._say_what()
        self.draw_again()

    def zoom(self, steps: int) -> None:
        """Show a smaller part of the requests, or a larger one."""
        self._zoom = min(max(self._zoom + steps, 0), len(ZOOMS) - 1)
        self._say_what()
        self.draw_again()

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        return histogram_lines(self._series, ZOOMS[self._zoom], width, height)

    def _say_what(self) -> None:
        title = f"Histogram of {name_of(self._series)} · {ZOOMS[self._zoom].title}"
        if title != (self.border_title or ""):
            self.border_title = Content(title)
            self.border_subtitle = Content(f"zoom {self._zoom + 1} of {len(ZOOMS)}: + in, - out")
