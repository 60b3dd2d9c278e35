"""The Textual app: starts the lab, shows it, and never leaves without stopping it."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from rich.console import RenderableType
from textual import work
from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.worker import WorkerCancelled

from lab.control import Lab
from lab.errors import LabError
from tui.commands import DashboardCommands
from tui.ink import Ink, component_class
from tui.keys import APP_KEYS
from tui.screens.dashboard import Dashboard
from tui.terminal import forgiving
from tui.themes import DARK, LIGHT

GOODBYE_SECONDS = 3.0
_STYLES = ("ink", "dashboard", "latency", "texts", "choices", "xray", "comparison")


class LabApp(App[LabError | None]):
    """The dashboard of one lab. Its result is the error that kept the lab from starting, if one did."""

    TITLE = "lablb"
    COMPONENT_CLASSES: ClassVar[set[str]] = {component_class(ink) for ink in Ink}
    """Not in each panel that paints with them: Textual works out all of them anew for each widget that it styles."""
    CSS_PATH: ClassVar = [f"styles/{name}.tcss" for name in _STYLES]
    COMMANDS: ClassVar = {DashboardCommands}
    BINDINGS: ClassVar[list[BindingType]] = list(APP_KEYS)

    def __init__(self, lab: Lab, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.lab = lab
        self._dashboard = Dashboard(lab, clock)
        self._is_leaving = False
        self.has_panicked = False
        """Something unexpected has ended it, even if Textual's return code doesn't say so."""
        self.when_lab_has_stopped: Callable[[], None] = lambda: None
        """Called before it says goodbye to the terminal."""
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = DARK.name

    def get_driver_class(self) -> type[Driver]:
        return forgiving(super().get_driver_class())

    def panic(self, *renderables: RenderableType) -> None:
        self.has_panicked = True
        super().panic(*renderables)

    async def on_mount(self) -> None:
        await self.push_screen(self._dashboard)
        self._starting = self._start_lab()

    @work(group="start", description="start the lab")
    async def _start_lab(self) -> None:
        try:
            await self.lab.start()
        except LabError as error:
            self._leave(error)

    async def action_quit(self) -> None:
        """Stop the lab and end the app; asked twice, it is done once."""
        self._leave(None)

    def quit_soon(self) -> None:
        """Quit as if `q` had been pressed: for signal handlers, from anywhere on the event loop."""
        self.call_later(self.action_quit)

    def _leave(self, result: LabError | None) -> None:
        if self._is_leaving:
            return
        self._is_leaving = True
        self._dashboard.show_leaving()
        self._stop_lab(result)

    @work(group="stop", description="stop the lab and leave")
    async def _stop_lab(self, result: LabError | None) -> None:
        self._starting.cancel()
        with suppress(WorkerCancelled):
            await self._starting.wait()
        await self.lab.stop()
        self.when_lab_has_stopped()
        self.exit(result)

    def action_repair(self) -> None:
        """Start again what has died, from whatever screen: it matters more than what is looked at."""
        self._dashboard.repair()

    def action_toggle_theme(self) -> None:
        """Switch between the dark and the light theme."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name


async def run_dashboard(app: LabApp) -> LabError | None:
    """Show the app's lab until somebody quits; the lab is stopped however that ends.

    Returns:
        What kept the lab from starting, or None.

    Raises:
        SystemExit: something unexpected ended the app, which has printed its traceback.
    """
    # Textual says goodbye to the terminal as it leaves, and waits for ever for one that is gone.
    goodbye = threading.Timer(GOODBYE_SECONDS, os._exit, (1,))
    goodbye.daemon = True
    app.when_lab_has_stopped = goodbye.start
    try:
        result = await app.run_async()
    finally:
        await app.lab.stop()
        goodbye.cancel()
    if app.return_code or app.has_panicked:
        raise SystemExit(app.return_code or 1)
    return result
