"""What a test can see of the dashboard."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets._toast import Toast

from lab.errors import LabError
from lab.models import Snapshot
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import NOW, running
from tests.waiting import wait_for
from tui.app import LabApp
from tui.screens.dashboard import Dashboard
from tui.widgets.backend_grid import BackendGrid
from tui.widgets.line_panel import LinePanel

AppPilot = Pilot[LabError | None]


@asynccontextmanager
async def dashboard_of(
    lab: FakeLab,
    snapshot: Snapshot | None = None,
    size: tuple[int, int] = (120, 36),
    clock: Callable[[], float] = lambda: NOW,
) -> AsyncIterator[AppPilot]:
    """The app on a terminal of that size, once it shows the snapshot."""
    async with LabApp(lab, clock).run_test(size=size, notifications=True) as pilot:
        await show(pilot, lab, snapshot or running())
        yield pilot


async def show(pilot: AppPilot, lab: FakeLab, snapshot: Snapshot) -> None:
    """Publish it, and wait until the dashboard has it."""
    lab.publish(snapshot)
    board = dashboard(pilot)
    await wait_for(
        pilot, lambda: board.snapshot is snapshot and board.is_attached, what=f"snapshot {snapshot.sequence} on screen"
    )
    await pilot.pause()


def dashboard(pilot: Pilot[Any]) -> Dashboard:
    return next(screen for screen in pilot.app.screen_stack if isinstance(screen, Dashboard))


def chosen_port(pilot: Pilot[Any]) -> int | None:
    return dashboard(pilot).query_one(BackendGrid).chosen_port


def lines(panel: LinePanel) -> list[str]:
    """What the panel paints, line by line."""
    return [panel.render_line(y).text.rstrip() for y in range(panel.size.height)]


def text_of(pilot: Pilot[Any], panel: type[LinePanel]) -> str:
    """All that the dashboard's panel of that kind paints."""
    return "\n".join(lines(dashboard(pilot).query_one(panel)))


def is_seen(widget: Widget) -> bool:
    """Whether it takes part in the layout."""
    return bool(widget.region) and all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))


def toasts(pilot: Pilot[Any]) -> list[str]:
    """The texts of the toasts on screen."""
    return [str(toast.render()) for toast in pilot.app.screen.query(Toast)]
