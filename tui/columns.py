"""The backend grid's columns: which there are, which fit, and a backend as one line of them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from lab.models import BackendView
from tui.belief_text import belief_of
from tui.drawing import bar
from tui.formatting import (
    UNKNOWN,
    count,
    fit,
    memory,
    milliseconds,
    per_second,
    percent,
    shorten,
    state_of,
    whole_percent,
)
from tui.ink import Ink, Line, Span

CURSOR_WIDTH = 2
_BAR_WIDTH, _SHORT_BAR, _LEAST_BAR = 9, 5, 4
_ROOM = {"hits": 3, "state": 12}
"""How many cells more than its width a column can use well; what is left is the share bar's."""
_WIDEST_GAP = 3
_WHOLE = 0.9995
_PERCENT = " %"
_MARK, _FULL = "│", "█"
_GROUNDED = (Ink.BAR, Ink.BAR_IDLE)
"""Inks with a ground of their own, which must not reach into the gap before."""
_HAIR = 0.01
"""Of a cell: what sums of floats may be off without moving the mark."""


@dataclass(frozen=True)
class Drawing:
    """What all lines of one drawing have in common."""

    now: float
    """Seconds since the epoch, for what is counted down."""
    largest_share: float = 1.0
    """What fills the share bar, so that small differences show between many backends, too."""
    shares: Mapping[int, float] | None = None
    """Of the requests since the latest change, by port; None where nobody watches that."""
    expected: Mapping[int, float] = field(default_factory=dict)
    """The shares that are to be expected, by port; empty where nobody can know."""

    def share_of(self, backend: BackendView) -> float | None:
        """Its share since the latest change, or of all hits."""
        return backend.share if self.shares is None else self.shares.get(backend.port)


Cell = Callable[[BackendView, int, Drawing], Line]
"""A backend, the width of the cell and what holds for all lines to what stands in the cell."""


@dataclass(frozen=True)
class Column:
    """One column: its heading, its cell for a backend, and how readily it gives way on a narrow terminal."""

    heading: str
    width: int
    cell: Cell
    gives_way: int = 0
    """The highest goes first; 0 never goes."""
    is_number: bool = True


def _plain(text: Callable[[BackendView], str]) -> Cell:
    def cell(backend: BackendView, _width: int, _drawing: Drawing) -> Line:
        return (_known(text(backend)),)

    return cell


def _known(text: str) -> Span:
    return text, Ink.MUTED if text == UNKNOWN else Ink.PLAIN


def _state(backend: BackendView, width: int, _drawing: Drawing) -> Line:
    return (state_of(backend, width),)


def _belief(backend: BackendView, _width: int, drawing: Drawing) -> Line:
    return (belief_of(backend.belief, drawing.now),)


def _hits(backend: BackendView, width: int, _drawing: Drawing) -> Line:
    return ((count(backend.hits, width), Ink.STRONG),)


def _share_bar(backend: BackendView, width: int, drawing: Drawing) -> Line:
    """The bar with a mark as far along as it was expected to reach."""
    serves = backend.state.is_alive and not backend.is_down
    filled = bar((drawing.share_of(backend) or 0) / drawing.largest_share, width)
    ink = Ink.BAR if serves else Ink.BAR_IDLE
    expected = drawing.expected.get(backend.port)
    if not expected:
        return ((filled, ink),)
    place = min(max(math.ceil(expected / drawing.largest_share * width - _HAIR), 1), width) - 1
    mark = Ink.BAR_MARK_WITHIN if filled[place] == _FULL else Ink.BAR_MARK
    return ((filled[:place], ink), (_MARK, mark), (filled[place + 1 :], ink))


def _expected(backend: BackendView, _width: int, drawing: Drawing) -> Line:
    return ((_part(drawing.expected.get(backend.port)), Ink.MUTED),)


def _share(backend: BackendView, _width: int, drawing: Drawing) -> Line:
    return (_known(_part(drawing.share_of(backend))),)


def _share_and_expected(backend: BackendView, width: int, drawing: Drawing) -> Line:
    """Both in one, with one sign of percent."""
    text = _part(drawing.share_of(backend)).removesuffix(_PERCENT)
    then = f"/{_part(drawing.expected.get(backend.port))}"
    return ((text.rjust(width - len(then)), Ink.PLAIN), (then, Ink.MUTED))


def _part(share: float | None) -> str:
    return "100 %" if share is not None and share >= _WHOLE else percent(share)


def _failures(backend: BackendView, width: int, _drawing: Drawing) -> Line:
    return ((count(backend.failures, width), Ink.BAD if backend.failures else Ink.MUTED),)


COLUMNS = (
    Column("port", 5, _plain(lambda backend: str(backend.port)), is_number=False),
    Column("pid", 7, _plain(lambda backend: UNKNOWN if backend.pid is None else str(backend.pid)), is_number=False),
    Column("state", 16, _state, is_number=False),
    Column("nginx inferred", 14, _belief, is_number=False),
    Column("wt", 4, _plain(lambda backend: str(backend.weight))),
    Column("hits", 6, _hits),
    Column("", _BAR_WIDTH, _share_bar, is_number=False),
    Column("share", 6, _share),
    Column("expected", 8, _expected, gives_way=5),
    Column("rate", 7, _plain(lambda backend: per_second(backend.rate_rps)), gives_way=2),
    Column(
        "in-flight", 9, _plain(lambda backend: UNKNOWN if backend.in_flight is None else count(backend.in_flight)), 3
    ),
    Column("failed", 6, _failures, gives_way=4),
    Column("p50 ms", 6, _plain(lambda backend: milliseconds(backend.latency.p50_ms)), gives_way=1),
    Column("p95 ms", 6, _plain(lambda backend: milliseconds(backend.latency.p95_ms)), gives_way=6),
    Column("p99 ms", 6, _plain(lambda backend: milliseconds(backend.latency.p99_ms))),
    Column("cpu", 5, _plain(lambda backend: whole_percent(backend.cpu_percent)), gives_way=7),
    Column("mem", 6, _plain(lambda backend: memory(backend.rss_bytes)), gives_way=8),
)
_BOTH = Column("share/exp.", 11, _share_and_expected)
"""Takes the place of the share where something is expected, the column of it had to give way, and this one fits."""
_NOTE_FROM = next(index for index, column in enumerate(COLUMNS) if column.heading == "wt")
_NOTE_BEFORE = next(index for index, column in enumerate(COLUMNS) if column.heading == "failed")
"""A note begins between these two columns."""


@dataclass(frozen=True)
class Layout:
    """The columns that fit, each with the width it gets, and the gap before each but the first."""

    columns: tuple[tuple[Column, int], ...]
    gap: int

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(column.heading for column, _ in self.columns)


@lru_cache(maxsize=16)
def lay_out(width: int, *, expects: bool = False) -> Layout:
    """The columns for a grid of `width` cells: the least important give way, the share bar takes what is left.

    Args:
        width: In cells.
        expects: Whether there are shares that are to be expected.
    """
    columns = list(COLUMNS)
    while (spare := width - _least_width(columns)) < 0 and (
        goes := max(columns, key=lambda it: it.gives_way)
    ).gives_way:
        columns.remove(goes)
    share, expected = _column("share"), _column("expected")
    if expects and expected not in columns and spare >= _BOTH.width - share.width - (_BAR_WIDTH - _SHORT_BAR):
        columns[columns.index(share)] = _BOTH
        spare -= _BOTH.width - share.width
    wider_gap = min(max(spare, 0) // len(columns), _WIDEST_GAP - 1)
    spare -= wider_gap * (len(columns) - 1)
    extra = {}
    for heading, room in _ROOM.items():
        extra[heading] = min(max(spare, 0) // 2, room)
        spare -= extra[heading]
    extra[""] = max(spare, _LEAST_BAR - _BAR_WIDTH)
    return Layout(tuple((column, column.width + extra.get(column.heading, 0)) for column in columns), 1 + wider_gap)


def _column(heading: str) -> Column:
    return next(column for column in COLUMNS if column.heading == heading)


def _least_width(columns: list[Column]) -> int:
    return CURSOR_WIDTH + sum(column.width + 1 for column in columns) - 1


def heading_line(width: int, *, expects: bool = False) -> Line:
    """The line above the backends, where shares are to be expected or where they are not."""
    layout = lay_out(width, expects=expects)
    cells = (fit(column.heading, cell_width, to_right=column.is_number) for column, cell_width in layout.columns)
    return ((" " * CURSOR_WIDTH + (" " * layout.gap).join(cells), Ink.HEADING),)


def backend_line(
    backend: BackendView, width: int, drawing: Drawing, *, is_chosen: bool = False, glow: Ink = Ink.PLAIN
) -> Line:
    """A backend as one line; why it isn't serving, where there is such a note, takes the place of the columns right.

    Args:
        drawing: What holds for all lines.
        glow: How the port is painted.
    """
    layout = lay_out(width, expects=bool(drawing.expected))
    spans: list[Span] = [("▸ " if is_chosen else "  ", Ink.ACCENT)]
    shown = layout.columns[: _note_starts(backend.note, layout)]
    for position, (column, cell_width) in enumerate(shown):
        cell = column.cell(backend, cell_width, drawing)
        gap = " " * layout.gap if position else ""
        if len(cell) > 1:
            spans += [(gap, Ink.PLAIN), *cell]
            continue
        text, ink = cell[0]
        padded = fit(text, cell_width, to_right=column.is_number)
        if position == 0 and glow is not Ink.PLAIN:
            spans += [(text, glow), (padded[len(text) :], Ink.PLAIN)]
        elif ink in _GROUNDED:
            spans += [(gap, Ink.PLAIN), (padded, ink)]
        else:
            spans.append((gap + padded, ink))
    if backend.note is not None:
        room = width - sum(len(text) for text, _ in spans) - layout.gap
        spans.append((" " * layout.gap + shorten(backend.note, room), Ink.WARNING))
    return tuple(spans)


def _note_starts(note: str | None, layout: Layout) -> int | None:
    """How many columns stay before the note: as many as leave it room, all up to what nginx believes at least."""
    if note is None:
        return None
    most = sum(column in (*COLUMNS[:_NOTE_BEFORE], _BOTH) for column, _ in layout.columns)
    least = sum(column in COLUMNS[:_NOTE_FROM] for column, _ in layout.columns)
    room = sum(width + layout.gap for _, width in layout.columns[most:]) - layout.gap
    while most > least and room < len(note):
        most -= 1
        room += layout.columns[most][1] + layout.gap
    return most
