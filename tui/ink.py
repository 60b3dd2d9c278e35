"""Text that knows what it means but not yet its colour: the theme decides that when it is painted."""

from enum import StrEnum


class Ink(StrEnum):
    """What a piece of text means; each has a rule in styles/ink.tcss."""

    __hash__ = str.__hash__  # Enum's own is a Python call, and inks are looked up for every span that is painted.

    PLAIN = "plain"
    MUTED = "muted"
    STRONG = "strong"
    HEADING = "heading"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    ACCENT = "accent"
    BAR = "bar"
    BAR_IDLE = "bar-idle"
    BAR_MARK = "bar-mark"
    BAR_MARK_WITHIN = "bar-mark-within"
    AREA = "area"
    LINE = "line"
    BRAND = "brand"
    ALERT = "alert"
    ALARM = "alarm"
    LIT = "lit"
    AFTERGLOW = "afterglow"


def component_class(ink: Ink) -> str:
    """By which the app knows its style."""
    return f"ink--{ink}"


Span = tuple[str, Ink]
Line = tuple[Span, ...]

BLANK: Line = ()


def plain_text(line: Line) -> str:
    """What the line says, without its inks."""
    return "".join(text for text, _ in line)
