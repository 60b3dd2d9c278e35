"""nginx's configuration in force, and what the last change changed in it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, ScrollableContainer
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from lab.models import ConfigView, Snapshot
from tui.formatting import inert
from tui.ink import Ink, Line
from tui.nginx_text import difference, highlighted
from tui.widgets.document import Document

_NONE_YET: list[Line] = [(("There is no configuration yet.", Ink.MUTED),)]
_UNCHANGED: list[Line] = [(("Nothing changed since the lab started.", Ink.MUTED),)]
_LINES_BEFORE_CHANGE = 2


class ConfigScreen(Screen[None]):
    """Three texts side by side, kept up to date."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "dismiss", "back", key_display="esc"),
        Binding("t", "app.toggle_theme", "theme"),
        Binding("tab", "app.focus_next", "next text"),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal")]  # noqa: RUF012  # Textual declares it for instances.

    def __init__(self) -> None:
        super().__init__()
        self._shown: ConfigView | None = None

    def compose(self) -> ComposeResult:
        with Container(id="texts"):
            for name, title in (
                ("difference", "What the last change changed"),
                ("site", "sites-available/lablb.conf"),
                ("main", "nginx.conf"),
            ):
                pane = ScrollableContainer(Document(_NONE_YET), id=name)
                pane.border_title = Content(title)
                yield pane
        yield Footer(show_command_palette=False)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show its configuration, if that is another one."""
        config = snapshot.config
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
