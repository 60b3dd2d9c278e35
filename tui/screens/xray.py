"""The algorithm's inside: what it knows of each backend, who is next, and why the last request went where it went."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Footer

from lab.control import Lab
from lab.models import Snapshot
from tui.keys import XRAY_KEYS
from tui.screens.lab_screen import LabScreen
from tui.widgets.line_panel import LinePanel
from tui.widgets.xray_drawing import XRayDrawing
from tui.widgets.xray_table import XRayTable


class XRayScreen(LabScreen[None]):
    """A table above a drawing, both from the newest snapshot."""

    BINDINGS: ClassVar[list[BindingType]] = list(XRAY_KEYS)
    AUTO_FOCUS = ""

    def __init__(self, lab: Lab, guess: Callable[[], Awaitable[None]]) -> None:
        """`guess` opens the guessing game above it."""
        super().__init__(lab)
        self._guess = guess

    def compose(self) -> ComposeResult:
        yield XRayTable()
        yield XRayDrawing()
        yield Footer(show_command_palette=False)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Have both panels show it."""
        for panel in self.query(LinePanel):
            panel.snapshot = snapshot

    async def action_guess(self) -> None:
        await self._guess()
