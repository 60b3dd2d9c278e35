"""The backends as the algorithm has them, and whether their shares are what was to be expected."""

from textual.content import Content
from textual.reactive import reactive

from lab.models import Snapshot
from tui.formatting import paragraph, state_of
from tui.ink import BLANK, Ink, Line, Span
from tui.widgets.line_panel import LinePanel
from tui.xray_columns import NO_STATES, peer_heading, peer_lines
from tui.xray_text import record_of, verdict_lines

_BELOW = 4
"""The verdict, which may need two lines, and the index, with a blank line above."""
_STATE = 16
"""As wide as in the grid."""


class XRayTable(LinePanel):
    """A line a backend, of many those around the chosen one; the border says that it is a model, and how good a one."""

    heading = "X-ray"

    chosen_port: reactive[int | None] = reactive(None)
    """Of the backend that the grid's cursor is on: where the grid gives way to this table, the cursor is seen here."""

    def __init__(self) -> None:
        super().__init__()
        self._top = 0
        """The place of the first backend in sight."""
        self._ports: tuple[int, ...] = ()
        """Of the backends in sight."""

    def watch_chosen_port(self) -> None:
        self.draw_again()

    def get_content_height(self, *_: object) -> int:
        xray = self.snapshot.xray
        return 1 + max(len(xray.peers) if xray else 0, 1) + _BELOW

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        if (before.xray and len(before.xray.peers)) != (now.xray and len(now.xray.peers)):
            self.refresh(layout=True)
        self.draw_again()

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        xray = snapshot.xray
        self._ports = ()
        if xray is None:
            return [(("nginx has no configuration yet.", Ink.MUTED),)]
        title = next((choice.title for choice in snapshot.algorithms if choice.name == xray.algorithm), xray.algorithm)
        title = f"X-ray of {title} · {record_of(xray)}"
        if xray.why_not is not None:
            self._say(title, "")
            said = f"{xray.why_not[:1].upper()}{xray.why_not[1:]}."
            return paragraph(said, width, Ink.WARNING)
        verdict = verdict_lines(snapshot, width)
        ports = [peer.port for peer in xray.peers]
        room = height - 1 - len(verdict)
        gap = [BLANK] if room > len(ports) else []
        shown = self._around_chosen(ports, max(room - len(gap), 1))
        self._ports = tuple(ports[shown])
        self._say(title, f"{shown.start + 1}–{shown.stop} of {len(ports)}" if len(self._ports) < len(ports) else "")
        states = self._states(snapshot) if self.screen.has_class("-short") else NO_STATES
        rows = peer_lines(xray, width, numbers=not xray.is_lost, states=states)[shown]
        return [peer_heading(xray.algorithm, width), *rows, *gap, *verdict]

    def _states(self, snapshot: Snapshot) -> dict[int, Span]:
        """What the grid would say of the backends that aren't simply up, where this table has its place."""
        states = {backend.port: state_of(backend, _STATE) for backend in snapshot.backends}
        return {port: state for port, state in states.items() if state[1] is not Ink.GOOD}

    def _around_chosen(self, ports: list[int], room: int) -> slice:
        """Which of the backends there is room for: the same as before, unless the chosen one isn't among those."""
        if self.chosen_port in ports:
            chosen = ports.index(self.chosen_port)
            self._top = min(max(self._top, chosen - room + 1), chosen)
        self._top = max(min(self._top, len(ports) - room), 0)
        return slice(self._top, min(self._top + room, len(ports)))

    def is_marked(self, y: int) -> bool:
        return 0 < y <= len(self._ports) and self._ports[y - 1] == self.chosen_port

    def _say(self, title: str, place: str) -> None:
        if title != (self.border_title or ""):
            self.border_title = Content(title)
        if place != (self.border_subtitle or ""):
            self.border_subtitle = Content(place)
