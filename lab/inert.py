"""Foreign text on its way to a terminal."""

import unicodedata
from functools import lru_cache

_DELETE = 0x7F
_CONTROL_PICTURES = 0x2400


def inert(text: str) -> str:
    """Foreign text made harmless: what would steer a terminal, or hide, becomes a visible sign of one cell."""
    return text if text.isascii() and text.isprintable() else _made_visible(text)


@lru_cache(maxsize=512)
def _made_visible(text: str) -> str:
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    code = ord(character)
    if code < ord(" "):
        return chr(_CONTROL_PICTURES + code)
    if code == _DELETE:
        return "␡"
    if not character.isprintable() or unicodedata.category(character).startswith("M"):
        return "�"
    return character
