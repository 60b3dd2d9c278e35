"""nginx's configuration as lines with inks: comments, directives, variables, and what a change added or removed."""

import re
from collections.abc import Iterable

from lab.models import DiffLine
from tui.ink import BLANK, Ink, Line, Span

_TAB = "    "
_MARKS = {"+": Ink.GOOD, "-": Ink.BAD}
_PIECES = re.compile(
    r"(?P<space>\s+)|(?P<comment>\#.*)|(?P<string>\"[^\"]*\"|'[^']*')|(?P<variable>\$\w+)|(?P<sign>[{};])"
    r"|(?P<word>[^\s{};$\"'#]+|.)"
)
_INKS = {"comment": Ink.MUTED, "string": Ink.GOOD, "variable": Ink.ACCENT, "sign": Ink.MUTED}


def highlighted(text: str) -> list[Line]:
    """A configuration file."""
    return [_highlighted_line(line) for line in text.splitlines()]


def _highlighted_line(text: str) -> Line:
    spans: list[Span] = []
    begins = True
    for piece in _PIECES.finditer(text.replace("\t", _TAB)):
        kind = piece.lastgroup or "word"
        is_directive = begins and kind == "word"
        spans.append((piece[0], Ink.HEADING if is_directive else _INKS.get(kind, Ink.PLAIN)))
        if kind != "space":
            begins = piece[0] in ("{", ";")
    return tuple(spans)


def difference(lines: Iterable[DiffLine]) -> list[Line]:
    """A comparison: what is new is marked +, what is gone -."""
    return [_difference_line(line) for line in lines]


def _difference_line(line: DiffLine) -> Line:
    text = line.text.replace("\t", _TAB)
    if line.mark not in _MARKS:
        return ((f"  {text}", Ink.MUTED),) if text else BLANK
    return ((f"{line.mark} {text}", _MARKS[line.mark]),)
