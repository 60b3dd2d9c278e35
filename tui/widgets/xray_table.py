"""The backends as the algorithm has them, and whether their shares are what was to be expected."""

from textual.content import Content
from textual.reactive import reactive

from lab.models import Snapshot
from tui.formatting import paragraph
from tui.ink import BLANK, Ink, Line
from tui.widgets.line_panel import LinePanel
from tui.xray_columns import peer_heading, peer_lines
from tui.xray_text import record_of, verdict_lines

_BELOW = 4
"""The verdict, which may need two lines, and the index, with a blank line above."""


class XRayTable(LinePanel):
    """A line a backend; the border says that it is a model, and how often it was right."""

    heading = "X-ray"

    chosen_port: reactive[int | None] = reactive(None)
    """Of the backend that the grid's cursor is on: where the grid gives way to this table, the cursor is seen here."""

    def get_content_height(self, *_: object) -> int:
        xray = self.snapshot.xray
        return 1 + max(len(xray.peers) if xray else 0, 1) + _BELOW

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        if (before.xray and len(before.xray.peers)) != (now.xray and len(now.xray.peers)):
            self.refresh(layout=True)
        self.draw_again()

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        xray = snapshot.xray
        if xray is None:
            return [(("nginx has no configuration yet.", Ink.MUTED),)]
        title = next((choice.title for choice in snapshot.algorithms if choice.name == xray.algorithm), xray.algorithm)
        self._say(f"X-ray of {title} · {record_of(xray)}")
        if xray.why_not is not None:
            said = f"{xray.why_not[:1].upper()}{xray.why_not[1:]}."
            return paragraph(said, width, Ink.WARNING)
        verdict = verdict_lines(snapshot, width)
        rows = peer_lines(xray, width, numbers=not xray.is_lost)[: max(height - 2 - len(verdict), 1)]
        return [peer_heading(xray.algorithm, width), *rows, BLANK, *verdict]

    def is_marked(self, y: int) -> bool:
        peers = self.snapshot.xray.peers if self.snapshot.xray else ()
        return 0 < y <= len(peers) and peers[y - 1].port == self.chosen_port

    def _say(self, title: str) -> None:
        if title != (self.border_title or ""):
            self.border_title = Content(title)
