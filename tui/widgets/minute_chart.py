"""What was seen in each second of the last minute: what its charts have in common."""

from lab.counts.latency import SecondView
from lab.models import Snapshot
from tui.ink import Line
from tui.widgets.line_panel import LinePanel


class MinuteChart(LinePanel):
    """Draws the seconds that are complete: the one that is still filling would only flicker."""

    def draw_seconds(self, seconds: tuple[SecondView, ...], width: int, height: int) -> list[Line]:
        """The seconds, oldest first, in `height` lines."""
        raise NotImplementedError

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        return self.draw_seconds(snapshot.seconds[:-1], width, height)

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        if before.seconds[:-1] != now.seconds[:-1]:
            self.draw_again()
