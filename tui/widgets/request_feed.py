"""Every request as nginx logged it, whoever sent it; the newest at the bottom."""

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from lab.inert import inert
from lab.models import Snapshot
from lab.witnesses import RequestView
from tui.feed_filter import FeedFilter
from tui.ink import Ink, Line
from tui.request_text import request_line
from tui.widgets.filter_line import FilterLine
from tui.widgets.line_panel import LinePanel

_WHEEL_LINES = 3
_LEAST_SNAPSHOTS_APART = 2
"""Its lines cost more than all others together, and at five a second nobody reads them."""

_FOLLOWING = "p freeze · / filter · click a request"
_TYPING = "all words must match · enter keep · esc clear"
_FROZEN = "‖ FROZEN · ↑ ↓ choose · enter open · p follow"


class RequestFeed(LinePanel):
    """Follows the newest request. Frozen, it holds what was there, and a cursor chooses one; a filter picks some."""

    heading = "Requests"

    class Opened(Message):
        """Somebody wants to know all about that request."""

        def __init__(self, request: RequestView) -> None:
            super().__init__()
            self.request = request

    def __init__(self) -> None:
        super().__init__()
        self._line = FilterLine()
        self._frozen: tuple[RequestView, ...] | None = None
        self._filter = FeedFilter()
        self._chosen = 0
        """While frozen: the place of the cursor among the requests that the filter wants."""
        self._end = 0
        """While frozen: the place after the last one in sight."""
        self._shown: Sequence[RequestView] = ()
        self._drawn_feed: tuple[RequestView, ...] = ()
        self._drawn_sequence = -_LEAST_SNAPSHOTS_APART

    def compose(self) -> ComposeResult:
        yield self._line

    def on_mount(self) -> None:
        self._say_state()

    @property
    def is_frozen(self) -> bool:
        return self._frozen is not None

    @property
    def is_typing(self) -> bool:
        """Whether the filter's line is open."""
        return self._line.display

    @property
    def chosen_request(self) -> RequestView | None:
        """The one that the cursor is on; None unless it is frozen."""
        wanted = self._wanted
        return wanted[self._chosen] if self.is_frozen and self._chosen < len(wanted) else None

    def toggle_freeze(self) -> None:
        """Hold the requests still, with the cursor on the newest, or follow again."""
        self._line.display = False
        if self.is_frozen:
            self._frozen = None
        else:
            self._freeze()
        self._change()

    def choose_relative(self, steps: int) -> None:
        """Move the cursor by so many requests, and bring it into sight."""
        self._chosen = min(max(self._chosen + steps, 0), max(len(self._wanted) - 1, 0))
        self._end = min(max(self._end, self._chosen + 1), self._chosen + self._rows)
        self.draw_again()

    def step_back(self) -> None:
        """Leave the filter's line, or the frozen state, or the filter: one at a time."""
        if self.is_typing or not self.is_frozen:
            self._line.display = False
            self._line.value = ""
            self._search("")
        else:
            self.toggle_freeze()

    def open_filter(self) -> None:
        """Have the words typed; what was typed before is there to be changed."""
        self._line.display = True
        self._line.focus()
        self._change()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._search(event.value)

    def on_input_submitted(self) -> None:
        self._close_line()

    def on_input_blurred(self) -> None:
        self._close_line()

    def _close_line(self) -> None:
        self._line.display = False
        self._change()

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        is_due = not 0 <= now.sequence - self._drawn_sequence < _LEAST_SNAPSHOTS_APART
        if not self.is_frozen and is_due and now.feed != self._drawn_feed:
            self._drawn_feed, self._drawn_sequence = now.feed, now.sequence
            self.draw_again()

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        wanted, rows = self._wanted, max(height - self._line.display, 1)
        end = len(wanted)
        if self.is_frozen:
            end = self._end = min(max(self._end, rows), len(wanted))
        first = max(end - rows, 0)
        self._shown = wanted[first:end]
        if not self._shown and self._filter.text:
            return [(("None of the latest requests matches.", Ink.MUTED),)]
        chosen = self._chosen - first if self.is_frozen else None
        return [request_line(request, width, is_chosen=y == chosen) for y, request in enumerate(self._shown)]

    def is_marked(self, y: int) -> bool:
        return self.is_frozen and y < len(self._shown) and self._shown[y] is self.chosen_request

    def on_click(self, event: events.Click) -> None:
        y = event.get_content_offset_capture(self).y
        if event.widget is self and 0 <= y < len(self._shown):
            self.post_message(self.Opened(self._shown[y]))

    def on_mouse_scroll_up(self) -> None:
        if not self.is_frozen:
            self._freeze()
        self._scroll(-_WHEEL_LINES)

    def on_mouse_scroll_down(self) -> None:
        if self.is_frozen and self._end + _WHEEL_LINES > len(self._wanted):
            self._frozen = None
            self._change()
        elif self.is_frozen:
            self._scroll(_WHEEL_LINES)

    def _scroll(self, lines: int) -> None:
        self._end = min(max(self._end + lines, self._rows), len(self._wanted))
        self._chosen = min(max(self._chosen, self._end - self._rows, 0), max(self._end - 1, 0))
        self._change()

    def _freeze(self) -> None:
        self._frozen = self.snapshot.feed
        self._end = len(self._wanted)
        self._chosen = max(self._end - 1, 0)

    def _search(self, text: str) -> None:
        chosen = self.chosen_request
        self._filter = FeedFilter(text)
        wanted = self._wanted
        before = sum(request.number <= chosen.number for request in wanted) if chosen else len(wanted)
        self._chosen = max(before - 1, 0)
        self._end = len(wanted)
        self.choose_relative(0)
        self._change()

    def _change(self) -> None:
        self._say_state()
        self.draw_again()

    def _say_state(self) -> None:
        words = " ".join(self._filter.text.split())
        self.border_title = Content(f"Requests with “{inert(words)}” · esc clears" if words else self.heading)
        self.border_subtitle = Content(_TYPING if self.is_typing else _FROZEN if self.is_frozen else _FOLLOWING)
        self.set_class(self.is_frozen, "-frozen")

    @property
    def _wanted(self) -> Sequence[RequestView]:
        return self._filter.matching(self.snapshot.feed if self._frozen is None else self._frozen)

    @property
    def _rows(self) -> int:
        return max(self.size.height - self._line.display, 1)
