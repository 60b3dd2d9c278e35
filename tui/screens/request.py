"""One request, as client, nginx and backends tell of it."""

from itertools import zip_longest
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from lab.inert import inert
from lab.witnesses import RequestDetail
from tui.formatting import fit, paragraph, time_of_day
from tui.ink import BLANK, Ink, Line, plain_text
from tui.keys import REQUEST_KEYS
from tui.timeline import timeline_lines
from tui.widgets.document import Document
from tui.witnesses import backend_lines, client_lines, nginx_lines, story

_ABREAST = 110
"""From so many cells on the three stand side by side."""
_GAP = 3
_AROUND = 5
_LONGEST_TITLE = 60


class RequestScreen(Screen[None]):
    """What became of the request in a sentence, a timeline, and what each of the three saw."""

    BINDINGS: ClassVar[list[BindingType]] = list(REQUEST_KEYS)

    def __init__(self, detail: RequestDetail) -> None:
        super().__init__()
        self._detail = detail

    def compose(self) -> ComposeResult:
        view = self._detail.view
        with VerticalScroll(id="witnesses") as frame:
            what = f"{view.method} {inert(view.uri)}"[:_LONGEST_TITLE]
            frame.border_title = Content(f"Request {view.number:,} · {inert(what)} · {time_of_day(view.time)}")
            frame.border_subtitle = Content(inert(view.request_id))
            yield Document()
        yield Footer(show_command_palette=False)

    def on_resize(self) -> None:
        self.query_one(Document).show(request_lines(self._detail, self.size.width - _AROUND))


def request_lines(detail: RequestDetail, width: int) -> list[Line]:
    """All that is known of it, in lines of `width` cells."""
    lines = paragraph(story(detail), width, Ink.STRONG)
    lines += [BLANK, *timeline_lines(detail, width), BLANK]
    if width < _ABREAST:
        sections = (client_lines(detail, width), nginx_lines(detail, width), backend_lines(detail, width))
        return [*lines, *(line for section in sections for line in (*section, BLANK))]
    column = (width - 2 * _GAP) // 3
    return lines + _abreast(
        [client_lines(detail, column), nginx_lines(detail, column), backend_lines(detail, column)], column
    )


def _abreast(sections: list[list[Line]], width: int) -> list[Line]:
    return [
        tuple(span for line in row for span in (*_cut(line, width), (" " * _GAP, Ink.PLAIN)))
        for row in zip_longest(*sections, fillvalue=BLANK)
    ]


def _cut(line: Line, width: int) -> Line:
    """The line in exactly `width` cells."""
    cut: Line = ()
    for text, ink in line:
        room = width - cell_len(plain_text(cut))
        cut += ((fit(text, min(cell_len(inert(text)), room)), ink),)
    return (*cut, (" " * (width - cell_len(plain_text(cut))), Ink.PLAIN))
