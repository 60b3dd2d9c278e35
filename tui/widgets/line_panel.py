"""A panel that is painted line by line: what all parts of the dashboard that follow the lab have in common."""

from collections.abc import Callable, Sequence
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import ClassVar, Self

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from lab.inert import inert
from lab.models import EMPTY, Snapshot
from tui.ink import BLANK, Ink, Line, component_class

_STRIPS_KEPT = 64
"""A panel has fewer lines, but on the largest terminals; each is several kilobytes, with what Textual keeps in it."""
_Look = tuple[Line, bool, int]
"""A line, whether it is marked, and its width: what looks alike is painted once."""
_ink = itemgetter(1)


class LinePanel(Widget, can_focus=False):
    """Shows each snapshot as lines, and paints only those again that differ from what is there.

    A widget of `render_line`s costs a third to a tenth of what tables and labels cost for values that change five times
    a second. All text passes `inert` on its way to the terminal, so nothing that is shown can steer it.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line--marked"}
    ALLOW_SELECT = False

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)
    heading: ClassVar[str] = ""
    """What the border says."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []
        self._width = self._height = 0
        """What was drawn in last: Textual works out a widget's size each time that it is asked."""
        self._strips: dict[_Look, Strip] = {}
        """Painted lines, which come again as they scroll."""
        self._framed: dict[_Look, Strip] = {}
        """The same between the panel's edges, ready for the screen."""
        self._edges = (Strip([]), Strip([]))
        self._painted: list[Strip] = []
        """All of the panel, border included, as it was painted last; empty when nothing of it may be kept."""
        self._painted_size = Size(0, 0)
        self._stale: set[int] = set()
        """The lines that have changed since."""
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
        is_resized, self._width, self._height = width != self._width, width, height
        lines = self.draw(self.snapshot, width, height)[:height]
        changed = [y for y, pair in enumerate(zip_longest(lines, self._lines)) if pair[0] != pair[1]]
        self._lines = lines
        if is_resized:
            self.refresh()
        elif changed:
            self._stale.update(changed)
            # From edge to edge: Textual has no need then to cut off what it doesn't write.
            left, whole = -self.gutter.left, self.outer_size.width
            self.refresh(*(Region(left, first, whole, last - first + 1) for first, last in _runs(changed)))

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if repaint and not regions:
            self._painted = []
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def is_marked(self, y: int) -> bool:
        """Whether the line stands out, like one that the cursor is on."""
        return False

    def get_line_filters(self) -> Sequence[LineFilter]:
        """All but the one that turns a terminal's own colours into true ones: its inks have none of those.

        It would look at every segment of every line that is painted.
        """
        return [each for each in super().get_line_filters() if not isinstance(each, ANSIToTruecolor)]

    def render_lines(self, crop: Region) -> list[Strip]:
        """The panel and its border. Textual paints them once; what has changed since is put between the same edges.

        It would work out anew, several times a second, what surrounds each line of each panel.
        """
        if crop != self.outer_size.region:
            return super().render_lines(crop)
        gutter = self.gutter
        content_height = crop.height - gutter.height
        if not self._painted or self._painted_size != crop.size:
            self._painted, self._painted_size = super().render_lines(crop), crop.size
            self._framed.clear()
            if content_height > 0:
                line = self._painted[gutter.top]
                self._edges = line.crop(0, gutter.left), line.crop(crop.width - gutter.right, crop.width)
        else:
            for y in self._stale.intersection(range(content_height)):
                self._painted[gutter.top + y] = _kept(self._framed, self._look(y), self._frame)
        self._stale.clear()
        return self._painted

    def render_line(self, y: int) -> Strip:
        return _kept(self._strips, self._look(y), self._paint)

    def _look(self, y: int) -> _Look:
        return (self._lines[y] if y < len(self._lines) else BLANK, self.is_marked(y), self._width)

    def _frame(self, *look: *_Look) -> Strip:
        left, right = self._edges
        strip = Strip.join((left, self._paint(*look), right))
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, self.background_colors[1])
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
                ink: ground + self.app.get_component_styles(component_class(ink)).partial_rich_style for ink in Ink
            }
        return self._styles_of_inks[is_marked]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_of_inks.clear()
        self._strips.clear()
        self._framed.clear()


def _kept(strips: dict[_Look, Strip], look: _Look, paint: Callable[[Line, bool, int], Strip]) -> Strip:
    """The strip that was painted for that look; a new one if there is none."""
    strip = strips.get(look)
    if strip is None:
        if len(strips) >= _STRIPS_KEPT:
            strips.clear()
        strip = strips[look] = paint(*look)
    return strip


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Ascending numbers as runs without gaps: the first and the last of each."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
