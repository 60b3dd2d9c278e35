"""The faults that the chosen backend can be given, each with what it does and what nginx will make of it."""

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen

from lab.inert import inert
from lab.models import BackendView
from tui.fault_choices import FAULT_CHOICES, Circumstances, FaultChoice
from tui.formatting import fit
from tui.ink import Ink, Line
from tui.keys import FAULT_KIT_KEYS
from tui.retry_rule_texts import directive
from tui.widgets.row_panel import RowPanel

UNDO: Literal["undo"] = "undo"
Wish = FaultChoice | Literal["undo"] | None
"""The fault that was chosen, or that all are to be undone; None for nothing."""

_NAME_WIDTH = 19


class FaultList(RowPanel):
    """Two lines a fault."""

    hint = "a digit or enter does it · u undoes all · esc back"
    lines_a_row = 2

    def __init__(self, circumstances: Circumstances) -> None:
        super().__init__()
        self._circumstances = circumstances

    @property
    def row_count(self) -> int:
        return len(FAULT_CHOICES)

    def heading_line(self, width: int) -> Line:
        return (("   with ", Ink.MUTED), (fit(directive(self._circumstances.rules), width - 8), Ink.MUTED))

    def row_lines(self, rows: range, width: int) -> list[Line]:
        return [
            line
            for row in rows
            for line in fault_lines(FAULT_CHOICES[row], self._circumstances, is_chosen=row == self.chosen_row)
        ]


def fault_lines(choice: FaultChoice, circumstances: Circumstances, *, is_chosen: bool) -> list[Line]:
    """Its key, name and deed, and below what nginx will make of it."""
    return [
        (
            ("▸ " if is_chosen else "  ", Ink.ACCENT),
            (f"{choice.key}  ", Ink.ACCENT),
            (f"{choice.name:<{_NAME_WIDTH}}", Ink.STRONG),
            (choice.does, Ink.PLAIN),
        ),
        ((f"     nginx: {choice.nginx_makes(circumstances)}", Ink.MUTED),),
    ]


class FaultKit(ModalScreen[Wish]):
    """The list in a frame over the dashboard; its result is what the person wishes."""

    BINDINGS: ClassVar[list[BindingType]] = list(FAULT_KIT_KEYS)
    AUTO_FOCUS = ""

    def __init__(self, backend: BackendView, circumstances: Circumstances) -> None:
        super().__init__()
        self._backend = backend
        self._circumstances = circumstances

    def compose(self) -> ComposeResult:
        faults = FaultList(self._circumstances)
        now = f" · now: {inert(self._backend.fault)}" if self._backend.fault else ""
        faults.border_title = Content(f"Break {self._backend.port}{now}")
        yield faults

    def action_choose(self, steps: int) -> None:
        self.query_one(FaultList).choose_relative(steps)

    def action_take(self, key: str = "") -> None:
        """Take the fault of that key, or the one under the cursor."""
        chosen = FAULT_CHOICES[self.query_one(FaultList).chosen_row]
        self.dismiss(next((choice for choice in FAULT_CHOICES if choice.key == key), chosen))

    def action_undo(self) -> None:
        self.dismiss(UNDO)

    def on_row_panel_picked(self, message: RowPanel.Picked) -> None:
        self.dismiss(FAULT_CHOICES[message.row])
