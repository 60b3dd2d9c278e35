"""Why the last request went where it went, and what the algorithm decides by, drawn."""

from textual.content import Content

from lab.models import Snapshot
from tui.ink import BLANK, Line
from tui.widgets.line_panel import LinePanel
from tui.xray_legend import legend_lines
from tui.xray_text import drawing_lines, latest_line, pick_lines


class XRayDrawing(LinePanel):
    """A sentence, the latest picks, a drawing where the algorithm has one, and a legend where there is room."""

    heading = "Why the last request went where it went"

    def on_mount(self) -> None:
        self.border_subtitle = Content("x closes · g guess · space pause · enter fire one")

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        xray = snapshot.xray
        if xray is None or xray.why_not is not None:
            return []
        why = pick_lines(xray.last, width)
        drawn = drawing_lines(xray, width, max(height - len(why) - 1, 1))
        lines = [*why, BLANK, latest_line(xray, width)]
        lines += [BLANK, *drawn] if drawn else []
        legend = legend_lines(xray, width)
        if legend and len(lines) + 1 + len(legend) <= height:
            return [*lines, BLANK, *legend]
        return lines if len(lines) <= height else [line for line in lines if line is not BLANK]
