"""A line across the dashboard that can't be overlooked, there only while something has to be repaired."""

from lab.models import Snapshot
from tui.alarm import alarm_of
from tui.formatting import fit
from tui.ink import Ink, Line
from tui.widgets.line_panel import LinePanel


class AlarmLine(LinePanel):
    """Says what has died and which key helps."""

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        if alarm_of(before) != (alarm := alarm_of(now)):
            self.set_class(alarm is not None, "-alarmed")
            self.draw_again()

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        return [((fit(f" ✗ {alarm_of(snapshot) or ''}", width), Ink.ALARM),)]
