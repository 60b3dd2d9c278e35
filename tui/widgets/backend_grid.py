"""The backends, one a line: who they are, what state they are in, and what they did."""

from collections.abc import Callable
from dataclasses import replace

from lab.models import BackendView, Snapshot
from tui.columns import Drawing, backend_line, heading_line
from tui.ink import Ink, Line
from tui.noise_text import is_alarming, share_line
from tui.widgets.row_panel import RowPanel

_GLOW = (Ink.LIT, Ink.AFTERGLOW)
"""How a port is painted when the backend answered something since the last snapshot, and since the one before."""
_CORNERS, _PLACE = 4, len(" 10–20 of 100 · ")
"""Of the border, what its ends take, and what says which part of many backends is seen."""


class BackendGrid(RowPanel):
    """Backends with a cursor; ports light up as they answer. The border says whether their shares are as expected."""

    heading = "Backends"

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._hits: dict[int, int] = {}
        self._glow: dict[int, int] = {}

    @property
    def row_count(self) -> int:
        return len(self.snapshot.backends)

    @property
    def chosen_backend(self) -> BackendView | None:
        """The one that the cursor is on; None while there is none."""
        backends = self.snapshot.backends
        return backends[self.chosen_row] if backends else None

    @property
    def chosen_port(self) -> int | None:
        """Its port."""
        backend = self.chosen_backend
        return None if backend is None else backend.port

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        self._notice_answers(now.backends)
        if len(before.backends) != len(now.backends):
            self.refresh(layout=True)
        self.set_class(is_alarming(now), "-no-chance")
        self.draw_again()

    def _notice_answers(self, backends: tuple[BackendView, ...]) -> None:
        for backend in backends:
            answered = backend.hits > self._hits.get(backend.port, backend.hits)
            self._glow[backend.port] = 0 if answered else self._glow.get(backend.port, len(_GLOW)) + 1
            self._hits[backend.port] = backend.hits

    def heading_line(self, width: int) -> Line:
        noise = self.snapshot.noise
        return heading_line(width, expects=noise is not None and bool(noise.expected))

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        taken = _CORNERS + (_PLACE if self.row_count > self._rows_shown else 0)
        self.hint = share_line(snapshot, width - taken)
        return super().draw(snapshot, width, height)

    def row_lines(self, rows: range, width: int) -> list[Line]:
        backends, chosen, noise = self.snapshot.backends, self.chosen_row, self.snapshot.noise
        shares, expected = (None, {}) if noise is None else (dict(noise.shares), dict(noise.expected))
        drawing = Drawing(self._clock(), 1.0, shares, expected)
        every = (*expected.values(), *(drawing.share_of(backend) or 0 for backend in backends))
        drawing = replace(drawing, largest_share=max(every, default=0) or 1.0)
        return [
            backend_line(backends[row], width, drawing, is_chosen=row == chosen, glow=self._glow_of(backends[row].port))
            for row in rows
        ]

    def _glow_of(self, port: int) -> Ink:
        age = self._glow.get(port, len(_GLOW))
        return _GLOW[age] if age < len(_GLOW) else Ink.PLAIN
