"""Latencies in detail: percentiles over time and a histogram, of all backends together or of one; and failures."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Footer

from lab.counts.latency import LatencySeries
from lab.models import Snapshot
from lab.states import Phase
from tui.keys import LATENCY_KEYS
from tui.screens.lab_screen import LabScreen
from tui.series_columns import name_of
from tui.widgets.failure_chart import FailureChart
from tui.widgets.latency_histogram import LatencyHistogram
from tui.widgets.percentile_chart import PercentileChart
from tui.widgets.series_table import SeriesTable


class LatencyScreen(LabScreen[None]):
    """A table of all series, two drawings of the one that is chosen in it, and what failed meanwhile.

    On a small terminal the dashboard has no room for failures over time: here there is some on any.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(LATENCY_KEYS)
    # Textual declares the breakpoints for instances, so they can't be class variables.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-medium"), (48, "-tall")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield SeriesTable()
        with Container(id="drawings"):
            yield PercentileChart()
            yield LatencyHistogram()
        yield FailureChart()
        yield Footer(show_command_palette=False)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Ask the lab for the latencies as of now, and show them."""
        if snapshot.phase is Phase.RUNNING:
            self.query_one(FailureChart).snapshot = snapshot
            self.query_one(SeriesTable).show(self._lab.latencies())
            self._draw_chosen()

    def on_row_panel_chosen(self) -> None:
        self._draw_chosen()

    def _draw_chosen(self) -> None:
        series = self.query_one(SeriesTable).chosen_series
        if series is not None:
            chart = self.query_one(PercentileChart)
            _say(chart, series)
            chart.show(series)
            self.query_one(LatencyHistogram).show(series)

    def action_choose(self, steps: int) -> None:
        self.query_one(SeriesTable).choose_relative(steps)

    def action_zoom(self, steps: int) -> None:
        self.query_one(LatencyHistogram).zoom(steps)


def _say(chart: PercentileChart, series: LatencySeries) -> None:
    title = f"Percentiles of {name_of(series)}, last 60 s"
    if title != (chart.border_title or ""):
        chart.border_title = Content(title)
        chart.border_subtitle = Content("log scale")
