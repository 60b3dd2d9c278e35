"""When nginx tries another backend: the words of `proxy_next_upstream`, to be listed or not."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from lab.models import Snapshot
from lab.nginx.retry_rules import RETRY_RULES, in_order
from tui.formatting import paragraph
from tui.ink import BLANK, Ink, Line
from tui.keys import RETRY_RULE_KEYS
from tui.retry_rule_texts import ALWAYS_COUNTED, MEANINGS, directive
from tui.widgets.row_panel import RowPanel

_NAME_WIDTH = 16
_SIGNS = {
    (True, True): ("[✓] ", Ink.GOOD),
    (False, True): ("[+] ", Ink.WARNING),
    (True, False): ("[-] ", Ink.WARNING),
    (False, False): ("[ ] ", Ink.MUTED),
}
"""By whether the word is in force, and whether it is wanted."""


class RuleList(RowPanel):
    """A word a line, and below the line of nginx's configuration that comes of it."""

    heading = "On failure: when nginx tries another backend"
    hint = "space or enter toggles · a applies · esc back"
    lines_below = 4

    def __init__(self, in_force: tuple[str, ...]) -> None:
        super().__init__()
        self.in_force = frozenset(in_force)
        self.wanted = set(in_force)

    @property
    def row_count(self) -> int:
        return len(RETRY_RULES)

    def toggle(self, row: int) -> None:
        """Want the word of that row, or don't."""
        self.wanted ^= {RETRY_RULES[row]}
        self.draw_again()

    def heading_line(self, width: int) -> Line:
        return (("   ✓ in force   + will be   - will go", Ink.MUTED),)

    def row_lines(self, rows: range, width: int) -> list[Line]:
        return [self._row_line(RETRY_RULES[row], is_chosen=row == self.chosen_row) for row in rows]

    def _row_line(self, rule: str, *, is_chosen: bool) -> Line:
        is_wanted = rule in self.wanted
        return (
            ("▸ " if is_chosen else "  ", Ink.ACCENT),
            _SIGNS[rule in self.in_force, is_wanted],
            (f"{rule:<{_NAME_WIDTH}}", Ink.STRONG if is_wanted else Ink.PLAIN),
            (MEANINGS[rule], Ink.PLAIN if is_wanted else Ink.MUTED),
        )

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        rows = super().draw(snapshot, width, height)
        off = "Then nginx never tries another backend: the client gets every failure."
        said = paragraph(directive(self.wanted), width, Ink.HEADING)
        said.append(((ALWAYS_COUNTED, Ink.MUTED),) if self.wanted else ((off, Ink.WARNING),))
        return [*rows, BLANK, *said]


class RetryRules(ModalScreen[tuple[str, ...] | None]):
    """Its result is the words that are wanted; None to leave all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = list(RETRY_RULE_KEYS)
    AUTO_FOCUS = ""

    def __init__(self, in_force: tuple[str, ...]) -> None:
        super().__init__()
        self._in_force = in_force

    def compose(self) -> ComposeResult:
        yield RuleList(self._in_force)

    def action_choose(self, steps: int) -> None:
        self._rules.choose_relative(steps)

    def action_toggle_rule(self) -> None:
        self._rules.toggle(self._rules.chosen_row)

    def on_row_panel_picked(self, message: RowPanel.Picked) -> None:
        self._rules.toggle(message.row)

    def action_apply(self) -> None:
        """Have nginx do so; nothing needs to be done where nothing differs."""
        is_new = self._rules.wanted != self._rules.in_force
        self.dismiss(in_order(self._rules.wanted) if is_new else None)

    @property
    def _rules(self) -> RuleList:
        return self.query_one(RuleList)
