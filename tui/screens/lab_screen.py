"""What the screens that steer the lab have in common."""

from collections.abc import Coroutine

from textual import work
from textual.screen import Screen, ScreenResultType

from lab.control import Lab
from lab.errors import LabError
from lab.inert import inert


class LabScreen(Screen[ScreenResultType]):
    """Has the lab carry out commands, and says why it refuses one; has those that several screens have keys for."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab

    @work(group="commands", description="have the lab carry out a command")
    async def _command(self, title: str, command: Coroutine[None, None, None]) -> None:
        await self._carry_out(title, command)

    async def _carry_out(self, title: str, command: Coroutine[None, None, None]) -> bool:
        """Have the lab carry out a command, in a worker that goes on afterwards; whether it did."""
        try:
            await command
        except LabError as error:
            self._complain(title, error)
            return False
        return True

    def _complain(self, title: str, error: LabError) -> None:
        self.notify(inert(str(error)), title=title, severity="error", markup=False)

    def _leave(self, result: ScreenResultType | None = None) -> None:
        """Close this screen, if it is still in front after whatever was waited for: `dismiss` closes any that is."""
        if self.app.screen is self:
            self.dismiss(result)

    def action_toggle_traffic(self) -> None:
        self._command("Traffic", self._lab.toggle_traffic())

    def action_fire_once(self) -> None:
        self._command("Fire", self._lab.fire_once())

    def action_zero_counters(self) -> None:
        self._lab.zero_counters()
