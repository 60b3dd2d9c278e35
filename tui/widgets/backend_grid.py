"""The backends, one a line: who they are, what state they are in, and what they did."""

from textual import events
from textual.content import Content

from lab.models import BackendView, Snapshot
from tui.columns import backend_line, heading_line
from tui.ink import Ink, Line
from tui.widgets.line_panel import LinePanel

_GLOW = (Ink.LIT, Ink.AFTERGLOW)
"""How a port is painted when the backend answered something since the last snapshot, and since the one before."""


class BackendGrid(LinePanel):
    """Backends with a cursor; ports light up as they answer."""

    heading = "Backends"

    def __init__(self) -> None:
        super().__init__()
        self._chosen = 0
        self._top = 0
        self._hits: dict[int, int] = {}
        self._glow: dict[int, int] = {}

    @property
    def chosen_port(self) -> int | None:
        """The port of the backend that the cursor is on; None while there is none."""
        backends = self.snapshot.backends
        return backends[min(self._chosen, len(backends) - 1)].port if backends else None

    def choose(self, row: int) -> None:
        """Put the cursor on that row, or on the nearest there is, and bring it into sight."""
        self._chosen = min(max(row, 0), max(len(self.snapshot.backends) - 1, 0))
        self._top = min(max(self._top, self._chosen - self._rows_shown + 1), self._chosen)
        self.draw_again()

    def choose_relative(self, steps: int) -> None:
        """Move the cursor by so many rows."""
        self.choose(self._chosen + steps)

    def get_content_height(self, *_: object) -> int:
        return 1 + max(len(self.snapshot.backends), 1)

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        self._notice_answers(now.backends)
        if len(before.backends) != len(now.backends):
            self.refresh(layout=True)
        self.draw_again()

    def _notice_answers(self, backends: tuple[BackendView, ...]) -> None:
        for backend in backends:
            answered = backend.hits > self._hits.get(backend.port, backend.hits)
            self._glow[backend.port] = 0 if answered else self._glow.get(backend.port, len(_GLOW)) + 1
            self._hits[backend.port] = backend.hits

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        self._top = min(self._top, max(len(snapshot.backends) - self._rows_shown, 0))
        shown = range(self._top, min(self._top + self._rows_shown, len(snapshot.backends)))
        hidden = len(snapshot.backends) - len(shown)
        self._say_where(f"{shown.start + 1}–{shown.stop} of {len(snapshot.backends)}" if hidden else "")
        largest_share = max((backend.share or 0 for backend in snapshot.backends), default=0) or 1.0
        rows = (
            backend_line(
                snapshot.backends[row],
                width,
                is_chosen=row == self._chosen,
                glow=self._glow_of(snapshot.backends[row].port),
                largest_share=largest_share,
            )
            for row in shown
        )
        return [heading_line(width), *rows]

    def _glow_of(self, port: int) -> Ink:
        age = self._glow.get(port, len(_GLOW))
        return _GLOW[age] if age < len(_GLOW) else Ink.PLAIN

    def _say_where(self, place: str) -> None:
        if place != (self.border_subtitle or ""):
            self.border_subtitle = Content(place)

    @property
    def _rows_shown(self) -> int:
        return max(self.size.height - 1, 1)

    def is_marked(self, y: int) -> bool:
        return y > 0 and y - 1 + self._top == self._chosen and bool(self.snapshot.backends)

    def on_click(self, event: events.Click) -> None:
        row = event.get_content_offset_capture(self).y - 1 + self._top
        if 0 <= row - self._top < self._rows_shown and row < len(self.snapshot.backends):
            self.choose(row)

    def on_mouse_scroll_down(self) -> None:
        self._scroll(3)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-3)

    def _scroll(self, rows: int) -> None:
        self._top = max(self._top + rows, 0)
        self.draw_again()
