"""Every key with what it does, and what the columns mean."""

from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from lab.inert import inert
from tui.ink import BLANK, Ink, Line
from tui.keys import HELP, HELP_KEYS
from tui.widgets.document import Document

_WIDTH = 73
_KEY_WIDTH, _NAME_WIDTH = 11, 19
_KEY_SIGNS = {
    "up": "↑",
    "down": "↓",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "question_mark": "?",
    "f1": "F1",
    "slash": "/",
    "escape": "esc",
    "left": "←",
    "right": "→",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "shift+tab": "⇧tab",
}
_MEANINGS = (
    (
        "state",
        "what the system says: ● up  ◐ up, and made to fail  ▲ backup  ‖ frozen  ○ out (down)  ✗ killed or exited",
    ),
    ("nginx inferred", "what nginx believes: read from nginx's log by its own rules, since nginx doesn't tell"),
    ("fails 1/3", "failures on its account, and how many put it aside (max_fails)"),
    ("benched", "put aside for fail_timeout; tried again in about so long"),
    ("due, testing", "the next request is its test; one request is just that"),
    ("wt", "weight: how many requests it gets in proportion to the others"),
    ("hits", "requests it answered through nginx, whoever sent them"),
    ("share", "its part of the hits, since algorithm, backends or counters last changed"),
    ("expected, exp.", "what the algorithm promises; on the bar: │; benched and dead ones get nothing"),
    ("≈ = and ≠", "under the backends: differences by chance, less than chance, more (chi-square)"),
    ("fairness", "Jain's index of hits per weight: 1 when all have the same"),
    ("failed", "attempts on it that got no valid answer, a server error (5xx) or a cut body"),
    ("p50 p99", "latency of the lab's own requests that it was asked for first, over the last 10 s"),
    ("retried", "nginx tried more than one backend, whatever came of it"),
    ("resent", "the client sent it again: nginx had closed its kept-alive connection, ending or killed"),
    ("late", "open loop: sent over 10 ms after it was due"),
    ("Σ", "of the last 60 s"),
    ("✗ and !", "under a chart: seconds with failed requests, with late ones"),
    ("others", "requests by anyone else: a browser, curl, wrk"),
    ("direct", "requests that came to a backend past nginx: in no other count"),
    ("ledger", "do client, nginx and backends count the same?"),
)


class HelpScreen(ModalScreen[None]):
    """A card over the dashboard."""

    BINDINGS: ClassVar[list[BindingType]] = list(HELP_KEYS)

    def __init__(self, notices: tuple[str, ...]) -> None:
        super().__init__()
        self._notices = notices

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="card") as card:
            card.border_title = Content("Help")
            card.border_subtitle = Content("esc back · ↑ ↓ scroll")
            yield Document(help_lines(self._notices))


def help_lines(notices: tuple[str, ...]) -> list[Line]:
    """What there was to say when the lab started, the keys by group, and the columns."""
    lines: list[Line] = []
    for notice in notices:
        lines += [((line, Ink.WARNING),) for line in wrap(inert(notice), _WIDTH)]
    if notices:
        lines.append(BLANK)
    for title, bindings in HELP.items():
        lines.append(((title, Ink.HEADING),))
        for binding in bindings:
            lines += _entry(_shown_key(binding), binding.description, binding.tooltip)
        lines.append(BLANK)
    lines.append((("What it shows", Ink.HEADING),))
    for word, meaning in _MEANINGS:
        lines += _entry("", word, meaning)
    return lines


def _entry(key: str, name: str, meaning: str) -> list[Line]:
    first, *others = wrap(meaning, _WIDTH - _KEY_WIDTH - _NAME_WIDTH)
    beside = " " * (_KEY_WIDTH + _NAME_WIDTH)
    return [
        ((f"  {key:<{_KEY_WIDTH - 2}}", Ink.ACCENT), (f"{name:<{_NAME_WIDTH}}", Ink.STRONG), (first, Ink.PLAIN)),
        *(((beside + line, Ink.PLAIN),) for line in others),
    ]


def _shown_key(binding: Binding) -> str:
    return " ".join(_KEY_SIGNS.get(key, key) for key in binding.key.split(","))
