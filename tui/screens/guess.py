"""Predict, then reveal: the learner guesses whom nginx picks next, one request is fired, and the X-ray explains."""

from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Footer

from lab.control import Lab
from lab.models import Snapshot
from tui.keys import GUESS_KEYS
from tui.screens.lab_screen import LabScreen
from tui.widgets.guess_panel import GuessPanel


class GuessScreen(LabScreen[None]):
    """Pauses the lab's client while it is open; whether the client goes on afterwards is as it was before."""

    BINDINGS: ClassVar[list[BindingType]] = list(GUESS_KEYS)
    AUTO_FOCUS = ""

    def __init__(self, lab: Lab, snapshot: Snapshot) -> None:
        super().__init__(lab)
        self._snapshot = snapshot
        self._is_ours_to_resume = not snapshot.traffic.is_paused

    def compose(self) -> ComposeResult:
        yield GuessPanel()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        if self._is_ours_to_resume:
            self._pause()

    @work(group="commands", description="pause the client")
    async def _pause(self) -> None:
        if not await self._carry_out("Pause", self._lab.toggle_traffic()):
            self._is_ours_to_resume = False

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show it, and what it reveals."""
        self._snapshot = snapshot
        panel = self.query_one(GuessPanel)
        panel.game = panel.game.look(snapshot)
        panel.is_quiet = snapshot.traffic.is_paused and not snapshot.traffic.in_flight
        panel.does_client_go_on = self._is_ours_to_resume
        panel.snapshot = snapshot

    def action_guess(self, number: int) -> None:
        """The backend of that number will be the next one, somebody says."""
        panel = self.query_one(GuessPanel)
        xray = self._snapshot.xray
        ports = [peer.port for peer in xray.peers] if xray is not None and xray.peers else []
        ports = ports or [backend.port for backend in self._snapshot.backends]
        if number <= len(ports) and panel.game.guessed is None and panel.is_quiet:
            panel.game = panel.game.guess(ports[number - 1], self._snapshot)
            panel.draw_again()
            self._fire()

    def action_toggle_hints(self) -> None:
        panel = self.query_one(GuessPanel)
        panel.has_hints = not panel.has_hints
        panel.draw_again()

    @work(group="commands", description="fire the request that was guessed at")
    async def _fire(self) -> None:
        if not await self._carry_out("Fire", self._lab.fire_once()):
            panel = self.query_one(GuessPanel)
            panel.game = replace(panel.game, guessed=None)
            panel.draw_again()

    @work(group="leave", description="let the client go on, and leave")
    async def action_leave(self) -> None:
        if self._is_ours_to_resume:
            self._is_ours_to_resume = False
            await self._carry_out("Traffic", self._lab.toggle_traffic())
        self._leave()
