"""The algorithm's inside: what it knows of each backend, who is next, and why the last request went where it went."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Footer

from lab.control import Lab
from lab.errors import LabError
from lab.models import Snapshot
from tui.formatting import inert
from tui.keys import XRAY_KEYS
from tui.widgets.line_panel import LinePanel
from tui.widgets.xray_drawing import XRayDrawing
from tui.widgets.xray_table import XRayTable


class XRayScreen(Screen[None]):
    """A table above a drawing, both from the newest snapshot."""

    BINDINGS: ClassVar[list[BindingType]] = list(XRAY_KEYS)
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal")]  # noqa: RUF012  # Textual declares it for instances.

    def __init__(self, lab: Lab, guess: Callable[[], Awaitable[None]]) -> None:
        """`guess` opens the guessing game above it."""
        super().__init__()
        self._lab = lab
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

    def action_zero_counters(self) -> None:
        self._lab.zero_counters()

    @work(group="commands", description="have the lab carry out a command")
    async def action_toggle_traffic(self) -> None:
        try:
            await self._lab.toggle_traffic()
        except LabError as error:
            self._complain(error)

    @work(group="commands", description="have the lab carry out a command")
    async def action_fire_once(self) -> None:
        try:
            await self._lab.fire_once()
        except LabError as error:
            self._complain(error)

    def _complain(self, error: LabError) -> None:
        self.notify(inert(str(error)), severity="error", markup=False)
