"""nginx's configuration in force, what the last change changed in it, and how the reload went."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, ScrollableContainer
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from lab.inert import inert
from lab.models import ConfigView, Reload, Snapshot
from tui.ink import Ink, Line
from tui.keys import CONFIG_KEYS
from tui.nginx_text import difference, highlighted
from tui.reload_text import reload_lines
from tui.widgets.document import Document

_NONE_YET: list[Line] = [(("There is no configuration yet.", Ink.MUTED),)]
_UNCHANGED: list[Line] = [(("Nothing changed since the lab started.", Ink.MUTED),)]
_NO_RELOAD: list[Line] = [(("nginx wasn't reloaded yet: its workers are the first.", Ink.MUTED),)]
_LINES_BEFORE_CHANGE = 2
_USUAL_WIDTH = 50
_PANES = (
    (("difference", "What the last change changed"), ("reload", "What the reload did")),
    (("site", "sites-available/lablb.conf"), ("main", "nginx.conf")),
)
"""Name and title, by column."""


class ConfigScreen(Screen[None]):
    """Four texts in two columns, kept up to date."""

    BINDINGS: ClassVar[list[BindingType]] = list(CONFIG_KEYS)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal")]  # noqa: RUF012  # Textual declares it for instances.

    def __init__(self) -> None:
        super().__init__()
        self._shown: ConfigView | None = None
        self._reload: Reload | None = None

    def compose(self) -> ComposeResult:
        with Container(id="texts"):
            for column in _PANES:
                with Container(classes="column"):
                    for name, title in column:
                        pane = ScrollableContainer(Document(_NONE_YET), id=name)
                        pane.border_title = Content(title)
                        yield pane
        yield Footer(show_command_palette=False)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show what of it is new."""
        self._show_config(snapshot.config)
        self._show_reload(snapshot.reload)

    def _show_reload(self, reload: Reload | None) -> None:
        if reload is None:
            self._show("reload", _NO_RELOAD)
            return
        pane = self.query_one("#reload", ScrollableContainer)
        self._show("reload", reload_lines(reload, pane.size.width or _USUAL_WIDTH))
        if self._reload is None or self._reload.generation != reload.generation:
            pane.border_subtitle = Content(f"reload {reload.generation}")
        self._reload = reload

    def _show_config(self, config: ConfigView | None) -> None:
        if config is None or config == self._shown:
            return
        self._shown = config
        self._show("difference", difference(config.site_diff) or _UNCHANGED)
        self._show("site", highlighted(config.site))
        self._show("main", highlighted(config.main))
        pane = self.query_one("#difference", ScrollableContainer)
        changed = next((y for y, line in enumerate(config.site_diff) if line.mark in "+-"), 0)
        pane.call_after_refresh(pane.scroll_to, y=max(changed - _LINES_BEFORE_CHANGE, 0), animate=False)
        pane.border_subtitle = Content(f"configuration {config.generation} · {inert(config.change)}")

    def _show(self, name: str, lines: list[Line]) -> None:
        self.query_one(f"#{name} Document", Document).show(lines)
