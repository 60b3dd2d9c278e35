"""A panel that is painted line by line: what all parts of the dashboard that follow the lab have in common."""

from collections.abc import Sequence
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from lab.models import EMPTY, Snapshot
from tui.formatting import inert
from tui.ink import BLANK, Ink, Line

_STRIPS_KEPT = 256
_ink = itemgetter(1)


class LinePanel(Widget, can_focus=False):
    """Shows each snapshot as lines, and paints only those again that differ from what is there.

    A widget of `render_line`s costs a third to a tenth of what tables and labels cost for values that change five times
    a second. All text passes `inert` on its way to the terminal, so nothing that is shown can steer it.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line--marked", *(f"ink--{ink}" for ink in Ink)}
    ALLOW_SELECT = False

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)
    heading: ClassVar[str] = ""
    """What the border says."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []
        self._width = 0
        self._strips: dict[tuple[Line, bool, int], Strip] = {}
        """Painted lines, which come again as they scroll."""
        self._styles_of_inks: dict[bool, dict[Ink, Style]] = {}
        if self.heading:
            self.border_title = Content(self.heading)

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        """The snapshot in lines of at most `width` cells."""
        raise NotImplementedError

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        self.draw_again()

    def on_resize(self) -> None:
        self.draw_again()

    def draw_again(self) -> None:
        """Find out which lines changed, and have those painted."""
        width, height = self.size
        if not width or not height or not self.screen.is_current:
            return
        is_resized, self._width = width != self._width, width
        lines = self.draw(self.snapshot, width, height)[:height]
        changed = [y for y, pair in enumerate(zip_longest(lines, self._lines)) if pair[0] != pair[1]]
        self._lines = lines
        if is_resized:
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, first, width, last - first + 1) for first, last in _runs(changed)))

    def is_marked(self, y: int) -> bool:
        """Whether the line stands out, like one that the cursor is on."""
        return False

    def get_line_filters(self) -> Sequence[LineFilter]:
        """All but the one that turns a terminal's own colours into true ones: its inks have none of those.

        It would look at every segment of every line that is painted.
        """
        return [each for each in super().get_line_filters() if not isinstance(each, ANSIToTruecolor)]

    def render_line(self, y: int) -> Strip:
        look = (self._lines[y] if y < len(self._lines) else BLANK, self.is_marked(y), self._width)
        strip = self._strips.get(look)
        if strip is None:
            if len(self._strips) >= _STRIPS_KEPT:
                self._strips.clear()
            strip = self._strips[look] = self._paint(*look)
        return strip

    def _paint(self, spans: Line, is_marked: bool, width: int) -> Strip:
        styles = self._styles(is_marked=is_marked)
        segments = [
            Segment(text if text.isprintable() else inert(text), styles[ink])
            for ink, alike in groupby(spans, key=_ink)
            if (text := "".join(text for text, _ in alike))
        ]
        cells = sum(len(text) if text.isascii() else cell_len(text) for text, *_ in segments)
        if cells < width:
            segments.append(Segment(" " * (width - cells), styles[Ink.PLAIN]))
        strip = Strip(segments, max(cells, width))
        return strip if cells <= width else strip.crop(0, width)

    def _styles(self, *, is_marked: bool) -> dict[Ink, Style]:
        if is_marked not in self._styles_of_inks:
            ground = self.get_component_rich_style("line--marked") if is_marked else self.rich_style
            self._styles_of_inks[is_marked] = {
                ink: ground + self.get_component_rich_style(f"ink--{ink}", partial=True) for ink in Ink
            }
        return self._styles_of_inks[is_marked]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_of_inks.clear()
        self._strips.clear()


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Ascending numbers as runs without gaps: the first and the last of each."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
