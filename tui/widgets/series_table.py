"""The latencies of all backends together and of each, as figures; the cursor says which one is drawn."""

from lab.counts.latency import LatencySeries
from tui.ink import Line
from tui.series_columns import series_heading, series_line, spread_axis
from tui.widgets.row_panel import RowPanel


class SeriesTable(RowPanel):
    """One line a series, the one of all first."""

    heading = "Latency since the counters were zeroed"

    def __init__(self) -> None:
        super().__init__()
        self._series: tuple[LatencySeries, ...] = ()

    def show(self, series: tuple[LatencySeries, ...]) -> None:
        """Show these from now on."""
        grows = len(series) != len(self._series)
        self._series = series
        if grows:
            self.refresh(layout=True)
        self.draw_again()

    @property
    def row_count(self) -> int:
        return len(self._series)

    @property
    def chosen_series(self) -> LatencySeries | None:
        """The one that the cursor is on; None while there is none."""
        return self._series[self.chosen_row] if self._series else None

    def heading_line(self, width: int) -> Line:
        return series_heading(width)

    def row_lines(self, rows: range, width: int) -> list[Line]:
        axis = spread_axis(self._series)
        return [series_line(self._series[row], width, axis, is_chosen=row == self.chosen_row) for row in rows]
