"""A heading and rows below it, of which one is chosen: what lists with a cursor have in common."""

from typing import ClassVar

from textual import events
from textual.content import Content
from textual.message import Message

from lab.models import Snapshot
from tui.ink import Line
from tui.widgets.line_panel import LinePanel

_WHEEL_ROWS = 3


class RowPanel(LinePanel):
    """Keys, clicks and the wheel move the cursor and the part that is seen; the border says which part that is."""

    hint: str = ""
    """What the border says besides the part that is seen."""
    lines_a_row: ClassVar[int] = 1
    lines_below: ClassVar[int] = 0
    """What a list keeps free for something else below its rows."""

    class Chosen(Message):
        """The cursor went to another row."""

    class Picked(Message):
        """Somebody clicked on that row."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    def __init__(self) -> None:
        super().__init__()
        self._chosen = 0
        self._top = 0

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def heading_line(self, width: int) -> Line:
        """What stands above the rows."""
        raise NotImplementedError

    def row_lines(self, rows: range, width: int) -> list[Line]:
        """These rows, `lines_a_row` lines each."""
        raise NotImplementedError

    @property
    def chosen_row(self) -> int:
        """Where the cursor is; rows may have gone since it was put there."""
        return min(self._chosen, max(self.row_count - 1, 0))

    def choose(self, row: int) -> None:
        """Put the cursor on that row, or on the nearest there is, and bring it into sight."""
        before = self._chosen
        self._chosen = min(max(row, 0), max(self.row_count - 1, 0))
        self._top = min(max(self._top, self._chosen - self._rows_shown + 1), self._chosen)
        self.draw_again()
        if self._chosen != before:
            self.post_message(self.Chosen())

    def choose_relative(self, steps: int) -> None:
        """Move the cursor by so many rows."""
        self.choose(self.chosen_row + steps)

    def get_content_height(self, *_: object) -> int:
        return 1 + max(self.row_count, 1) * self.lines_a_row + self.lines_below

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        count, rows = self.row_count, self._rows_shown
        self._top = min(self._top, max(count - rows, 0))
        shown = range(self._top, min(self._top + rows, count))
        place = f"{shown.start + 1}–{shown.stop} of {count}" if len(shown) < count else ""
        self._say_below(" · ".join(filter(None, (place, self.hint))))
        return [self.heading_line(width), *self.row_lines(shown, width)]

    def _say_below(self, text: str) -> None:
        if text != (self.border_subtitle or ""):
            self.border_subtitle = Content(text)

    @property
    def _rows_shown(self) -> int:
        return max((self._height - 1 - self.lines_below) // self.lines_a_row, 1)

    def _row_at(self, y: int) -> int | None:
        """The row that is shown in that line, if one is."""
        row = (y - 1) // self.lines_a_row
        return row + self._top if 0 <= row < self._rows_shown and row + self._top < self.row_count else None

    def is_marked(self, y: int) -> bool:
        return self._row_at(y) == self.chosen_row

    def on_click(self, event: events.Click) -> None:
        row = self._row_at(event.get_content_offset_capture(self).y)
        if row is not None:
            self.choose(row)
            self.post_message(self.Picked(row))

    def on_mouse_scroll_down(self) -> None:
        self._scroll(_WHEEL_ROWS)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-_WHEEL_ROWS)

    def _scroll(self, rows: int) -> None:
        self._top = max(self._top + rows, 0)
        self.draw_again()
