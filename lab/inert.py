"""Foreign text on its way to a terminal."""

import unicodedata
from functools import lru_cache

_DELETE = 0x7F
_CONTROL_PICTURES = 0x2400


_HIDDEN_MARKS = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f").union(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Marks that nobody sees: the joiner of graphemes, unwritten vowels, and variation selectors."""


def inert(text: str) -> str:
    """Foreign text made harmless: what would steer a terminal, or hide, becomes a visible sign of one cell.

    What is left has as many cells as it looks: of accents and vowel signs only those stay that have a letter's code.
    """
    return text if text.isascii() and text.isprintable() else _made_visible(text, has_marks=False)


def inert_line(text: str) -> str:
    """The same for lines in which no cell has its place, so that every script can be read: marks stay on letters."""
    return text if text.isascii() and text.isprintable() else _made_visible(text, has_marks=True)


@lru_cache(maxsize=512)
def _made_visible(text: str, *, has_marks: bool) -> str:
    """Composed first: file names of macOS have their accents apart from their letters."""
    visible = _visible if has_marks else _visible_in_a_cell
    return "".join(map(visible, unicodedata.normalize("NFC", text)))


def _visible_in_a_cell(character: str) -> str:
    return "�" if unicodedata.category(character).startswith("M") else _visible(character)


def _visible(character: str) -> str:
    code = ord(character)
    if code < ord(" "):
        return chr(_CONTROL_PICTURES + code)
    if code == _DELETE:
        return "␡"
    return "�" if not character.isprintable() or character in _HIDDEN_MARKS else character
