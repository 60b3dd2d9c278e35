"""Numbers and foreign text to what a person reads: pure, so that every screen says the same thing the same way."""

from datetime import datetime, tzinfo

from rich.cells import cell_len, chop_cells, set_cell_size

from lab.inert import inert
from lab.models import BackendView
from lab.states import BackendState
from tui.ink import Ink, Line

UNKNOWN = "–"


def count(number: int, width: int = 0) -> str:
    """With thousands separators; where that is wider than `width`, in thousands, millions or billions."""
    text = f"{number:,}"
    if not width or len(text) <= width:
        return text
    for unit, letter in ((1e3, "k"), (1e6, "M")):
        if len(text := f"{number / unit:,.1f}{letter}") <= width:
            return text
    return f"{number / 1e9:,.1f}G"


def percent(part: float | None) -> str:
    """A part of 1 in percent, to a tenth."""
    return UNKNOWN if part is None else f"{part * 100:.1f} %"


def whole_percent(value: float | None) -> str:
    """A percentage, to the whole."""
    return UNKNOWN if value is None else f"{value:.0f} %"


def per_second(rate: float) -> str:
    """A rate: tenths below 10, thousands from 10,000 on."""
    if 0 < rate < 9.95:
        return f"{rate:.1f}/s"
    if rate < 9999.5:
        return f"{rate:,.0f}/s"
    return f"{rate / 1000:,.1f}k/s"


def milliseconds(value_ms: float | None) -> str:
    """A latency in milliseconds, without the unit: tenths below 100."""
    if value_ms is None:
        return UNKNOWN
    return f"{value_ms:.1f}" if value_ms < 99.95 else f"{value_ms:,.0f}"


def duration(value_ms: float | None) -> str:
    """A latency with its unit, in seconds from one second on."""
    if value_ms is None:
        return UNKNOWN
    if value_ms < 999.5:
        return f"{milliseconds(value_ms)} ms"
    return f"{value_ms / 1000:.1f} s"


def round_duration(value_ms: float) -> str:
    """A duration that was chosen, not measured: `100 ms`, `2 s`, `1.5 s`."""
    return f"{value_ms:g} ms" if value_ms < 1000 else f"{value_ms / 1000:g} s"


def time_left(seconds: float) -> str:
    """How long something still takes, to the second: `52 s`, `1 min 45 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def exact_duration(seconds: float) -> str:
    """A measured time to three digits, in µs, ms or s; clocks may disagree, so it may be less than 0."""
    sign, size = ("-" if seconds < 0 else ""), abs(seconds)
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if (value := size * factor) < 999.5:
            return f"{sign}{value:.{0 if unit == 'µs' or value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit}"
    return f"{sign}{size:.2f} s"


def whole_milliseconds(seconds: float) -> str:
    """A time as nginx logs it, without feigning more."""
    return f"{seconds * 1000:,.0f} ms" if seconds >= 0.0005 else "< 1 ms"


def memory(size_bytes: int | None) -> str:
    """A size in mebibytes, or gibibytes from one on."""
    if size_bytes is None:
        return UNKNOWN
    mebibytes = size_bytes / 2**20
    return f"{mebibytes:.0f} M" if mebibytes < 1023.5 else f"{mebibytes / 1024:.1f} G"


def time_of_day(epoch_seconds: float, zone: tzinfo | None = None, *, timespec: str = "milliseconds") -> str:
    """`12:01:02.345` in the zone, or in local time; with `microseconds` as `timespec` three digits more."""
    moment = datetime.fromtimestamp(epoch_seconds, zone).replace(tzinfo=None)
    return moment.isoformat(sep=" ", timespec=timespec)[11:]


def shorten(text: str, width: int) -> str:
    """The text, inert, and with an ellipsis where it is wider than `width` cells."""
    text = inert(text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def fit(text: str, width: int, *, to_right: bool = False) -> str:
    """The text, inert, in exactly `width` cells."""
    if len(text) <= width and text.isascii() and text.isprintable():
        return text.rjust(width) if to_right else text.ljust(width)
    text = shorten(text, width)
    padding = " " * (width - cell_len(text))
    return padding + text if to_right else text + padding


def wrap(text: str, width: int) -> list[str]:
    """The text, inert, in lines of at most `width` cells; a word that is longer is cut."""
    lines = [""]
    for word in inert(text).split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines[len(lines) - (not lines[-1]) :] = chop_cells(word, width) or [""]
    return lines


def paragraph(text: str, width: int, ink: Ink) -> list[Line]:
    """The text, inert, in lines of at most `width` cells and one ink."""
    return [((line, ink),) for line in wrap(text, width)]


_BROWSERS = (("Firefox/", "Firefox"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
"""What to look for in a User-Agent, most telling first: Edge calls itself Chrome, and both call themselves Safari."""


def client_name(user_agent: str, width: int = 16) -> str:
    """Who a User-Agent is, in a word: a browser's name, or a tool's with its version to the first dot."""
    for mark, name in _BROWSERS:
        if mark in user_agent:
            return name
    words = user_agent.split()
    if not words or words[0] == "-":
        return "unnamed"
    tool, slash, version = words[0].partition("/")
    return shorten(tool + slash + ".".join(version.split(".")[:2]), width)


def state_of(backend: BackendView, width: int = 32) -> tuple[str, Ink]:
    """A backend's state in a glyph and a word or two, shortened where `width` asks for it."""
    if backend.state is not BackendState.UP:
        return _NOT_UP[backend.state]
    if backend.fault is not None:
        glyph = "○" if backend.is_down else "▲" if backend.is_backup else "◐"
        return _fitting(f"{glyph} {backend.fault}", width), Ink.WARNING
    if backend.is_down:
        return "○ out (down)", Ink.MUTED
    glyph, word, ink = ("▲", "backup", Ink.ACCENT) if backend.is_backup else ("●", "up", Ink.GOOD)
    if not backend.is_slowed:
        return f"{glyph} {word}", ink
    slow = f"slow {round_duration(backend.service_time_ms)}"
    full = f"{glyph} {word} · {slow}"
    return (full if len(full) <= width else f"{glyph} {slow}"), Ink.WARNING


def _fitting(text: str, width: int) -> str:
    """The text; where it is too wide, first without the spaces and commas that a reader can do without."""
    return text if cell_len(text) <= width else shorten(text.replace(", ", " ").replace(" %", "%"), width)


_NOT_UP = {
    BackendState.STARTING: ("◌ starting", Ink.MUTED),
    BackendState.ENDING: ("◌ ending", Ink.WARNING),
    BackendState.FROZEN: ("‖ frozen", Ink.ACCENT),
    BackendState.KILLED: ("✗ killed", Ink.BAD),
    BackendState.EXITED: ("✗ exited", Ink.BAD),
}
