"""What the keys for one backend have the lab do to it."""

from collections.abc import Callable, Coroutine
from functools import partial

from tui.fault_choices import FAULT_CHOICES, circumstances_of
from tui.screens.fault_kit import UNDO, FaultKit, Wish
from tui.screens.lab_screen import LabScreen
from tui.widgets.backend_grid import BackendGrid


class BackendCommands(LabScreen[None]):
    """A screen with a grid of backends: its commands go to the one that is chosen in it, if there is one."""

    @property
    def _grid(self) -> BackendGrid:
        return self.query_one(BackendGrid)

    def _command_chosen(self, title: str, command: Callable[[int], Coroutine[None, None, None]]) -> None:
        if port := self._grid.chosen_port:
            self._command(f"{title} {port}", command(port))

    def action_choose(self, steps: int) -> None:
        self._grid.choose_relative(steps)

    def action_kill_backend(self) -> None:
        self._command_chosen("Kill", self._lab.kill_backend)

    def action_restart_backend(self) -> None:
        self._command_chosen("Restart", self._lab.restart_backend)

    def action_toggle_freeze(self) -> None:
        self._command_chosen("Freeze", self._lab.toggle_freeze)

    def action_slow_backend(self) -> None:
        self._command_chosen("Slow", self._lab.slow_backend)

    def action_undo_faults(self) -> None:
        self._command_chosen("Undo", self._lab.undo_faults)

    def action_inject(self, key: str) -> None:
        choice = next(choice for choice in FAULT_CHOICES if choice.key == key)
        self._command_chosen("Break", lambda port: self._lab.inject(port, choice.fault))

    def action_break_backend(self) -> None:
        if backend := self._grid.chosen_backend:
            kit = FaultKit(backend, circumstances_of(self._grid.snapshot, backend.port))
            self.app.push_screen(kit, partial(self._break, backend.port))

    def _break(self, port: int, wish: Wish) -> None:
        """`port` was chosen when the list was opened; the cursor may be on another one by now."""
        if wish == UNDO:
            self._command(f"Undo {port}", self._lab.undo_faults(port))
        elif wish is not None:
            self._command(f"Break {port}", self._lab.inject(port, wish.fault))

    def action_change_weight(self, by: int) -> None:
        self._command_chosen("Weight of", lambda port: self._lab.change_weight(port, by))

    def action_toggle_down(self) -> None:
        self._command_chosen("Take out", self._lab.toggle_down)

    def action_toggle_backup(self) -> None:
        self._command_chosen("Backup", self._lab.toggle_backup)

    def action_add_backend(self) -> None:
        self._command("Add a backend", self._lab.add_backend())

    def action_remove_backend(self) -> None:
        self._command_chosen("Remove", self._lab.remove_backend)
