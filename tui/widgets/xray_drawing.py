"""Why the last request went where it went, and what the algorithm decides by, drawn."""

from lab.models import Snapshot
from tui.ink import BLANK, Line
from tui.widgets.line_panel import LinePanel
from tui.xray_text import drawing_lines, latest_line, pick_lines


class XRayDrawing(LinePanel):
    """A sentence, the latest picks, and a drawing where the algorithm has one."""

    heading = "Why the last request went where it went"

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        xray = snapshot.xray
        if xray is None or xray.why_not is not None:
            return []
        lines = [*pick_lines(xray.last, width), BLANK, latest_line(xray, width)]
        drawn = drawing_lines(xray, width)
        return [*lines, BLANK, *drawn] if drawn else lines
