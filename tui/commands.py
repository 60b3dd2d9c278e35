"""The command palette: every action of the dashboard by name."""

from collections.abc import Iterator
from functools import partial

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.keys import PALETTE, action_name
from tui.screens.dashboard import Dashboard


class DashboardCommands(Provider):
    """Offers what the keys do, under the same names, and runs it on the dashboard."""

    async def discover(self) -> Hits:
        for name, binding in self._named_bindings():
            yield DiscoveryHit(name, partial(self._dashboard.run_action, binding.action), help=binding.tooltip)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, binding in self._named_bindings():
            score = max(matcher.match(name), matcher.match(binding.tooltip) / 2)
            if score > 0:
                run = partial(self._dashboard.run_action, binding.action)
                yield Hit(score, matcher.highlight(name), run, text=name, help=binding.tooltip)

    def _named_bindings(self) -> Iterator[tuple[str, Binding]]:
        dashboard = self._dashboard
        for group, bindings in PALETTE.items():
            for binding in bindings:
                action = action_name(binding)
                if action != "app.command_palette" and dashboard.check_action(action, ()):
                    yield f"{group}: {binding.description}", binding

    @property
    def _dashboard(self) -> Dashboard:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, Dashboard))
