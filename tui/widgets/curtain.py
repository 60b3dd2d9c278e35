"""What hides the dashboard while the lab starts or stops: what it has done so far, and what it is doing."""

from textual.content import Content

from lab.models import Snapshot
from tui.formatting import shorten
from tui.ink import BLANK, Ink, Line
from tui.widgets.line_panel import LinePanel

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Curtain(LinePanel):
    """The steps of the start, or of the end, the current one last; it turns as snapshots come, without a timer."""

    heading = "lablb"

    def __init__(self) -> None:
        super().__init__()
        self.border_subtitle = Content("q quit")
        self._is_leaving = False
        self._steps: list[str] = []

    def leave(self) -> None:
        """From now on it is about the end."""
        self._is_leaving = True
        self.border_subtitle = ""
        self._steps.clear()
        self.draw_again()

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        activity = self.snapshot.activity
        if activity and activity not in self._steps[-1:]:
            self._steps.append(activity)
        self.draw_again()

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        title = "Stopping the lab" if self._is_leaving else "Starting the lab"
        steps = self._steps[-(height - 2) :] or ["ending every process" if self._is_leaving else "waking up"]
        turning = _SPINNER[snapshot.sequence % len(_SPINNER)]
        done: list[Line] = [(("✓ ", Ink.GOOD), (shorten(step, width - 2), Ink.MUTED)) for step in steps[:-1]]
        return [((title, Ink.HEADING),), BLANK, *done, ((f"{turning} ", Ink.ACCENT), (steps[-1], Ink.PLAIN))]
