"""The dashboard: what the lab does, live, and the keys that steer it."""

from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer

from lab.comparison.result import Comparison
from lab.control import Lab
from lab.errors import LabError
from lab.inert import inert
from lab.models import EMPTY, Snapshot
from lab.states import Phase
from lab.witnesses import RequestView
from tui.keys import FROZEN_ACTIONS, FROZEN_KEYS, KEYS, LAB_ACTIONS
from tui.screens.backend_commands import BackendCommands
from tui.screens.comparison import ComparisonScreen
from tui.screens.config import ConfigScreen
from tui.screens.guess import GuessScreen
from tui.screens.help import HelpScreen
from tui.screens.latency import LatencyScreen
from tui.screens.request import RequestScreen
from tui.screens.retry_rules import RetryRules
from tui.widgets.alarm_line import AlarmLine
from tui.widgets.algorithm_bar import AlgorithmBar, AlgorithmChip
from tui.widgets.backend_grid import BackendGrid
from tui.widgets.curtain import Curtain
from tui.widgets.failure_chart import FailureChart
from tui.widgets.latency_chart import LatencyChart
from tui.widgets.line_panel import LinePanel
from tui.widgets.measures import Backdrop, Measures
from tui.widgets.rate_chart import RateChart
from tui.widgets.request_feed import RequestFeed
from tui.widgets.row_panel import RowPanel
from tui.widgets.size_guard import LEAST_COLUMNS, LEAST_LINES, SizeGuard
from tui.widgets.title_bar import TitleBar
from tui.widgets.traffic_panel import TrafficPanel
from tui.widgets.xray_drawing import XRayDrawing
from tui.widgets.xray_table import XRayTable

_NOTICE_SECONDS = 10
_XRAY = "-xray"
"""The class of a dashboard that shows the X-ray."""
_WIDE = "-wide"
"""The class of one that has room for X-ray and feed."""


class SnapshotArrived(Message, bubble=False):
    """The lab published a newer snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotArrived)


class Dashboard(BackendCommands):
    """Takes the lab's snapshots in, hands them to its widgets, and opens the other screens over them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *FROZEN_KEYS,
        *(binding for bindings in KEYS.values() if bindings is not FROZEN_KEYS for binding in bindings),
    ]
    AUTO_FOCUS = ""
    # Textual declares the breakpoints for instances, so they can't be class variables.
    HORIZONTAL_BREAKPOINTS = [(0, "-too-narrow"), (LEAST_COLUMNS, "-narrow"), (110, "-normal"), (160, _WIDE)]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-too-short"), (LEAST_LINES, "-short"), (32, "-medium"), (48, "-tall")]  # noqa: RUF012

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False)

    def __init__(self, lab: Lab, clock: Callable[[], float]) -> None:
        super().__init__(lab)
        self.add_class("-curtained")
        self._clock = clock
        self._notices_shown = 0
        self._compared: Comparison | None = None
        """The latest comparison, for who wants to see it again."""

    def compose(self) -> ComposeResult:
        yield TitleBar(self._clock).data_bind(Dashboard.snapshot)
        yield AlarmLine().data_bind(Dashboard.snapshot)
        yield AlgorithmBar().data_bind(Dashboard.snapshot)
        yield BackendGrid(self._clock).data_bind(Dashboard.snapshot)
        with Backdrop(id="lower"):
            with Measures(id="measures"):
                yield TrafficPanel().data_bind(Dashboard.snapshot)
                yield LatencyChart().data_bind(Dashboard.snapshot)
                yield FailureChart().data_bind(Dashboard.snapshot)
                yield RateChart().data_bind(Dashboard.snapshot)
            with Backdrop(id="xray"):
                yield XRayTable().data_bind(Dashboard.snapshot)
                yield XRayDrawing().data_bind(Dashboard.snapshot)
            yield RequestFeed().data_bind(Dashboard.snapshot)
        with Container(id="stage"):
            yield Curtain().data_bind(Dashboard.snapshot)
        yield SizeGuard()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.follow_lab()

    @property
    def is_current(self) -> bool:
        """Whether it can be seen.

        Textual says so of any screen right below the one in front, even below one that hides it; then each change here
        has all of the screen in front painted again.
        """
        return super().is_current and (self.app.screen is self or self.app.screen.is_modal)

    def on_screen_resume(self) -> None:
        """Catch up with what came while another screen was in front."""
        for panel in self.query(LinePanel):
            panel.draw_again()

    @work(exclusive=True, group="follow", description="take in the lab's snapshots")
    async def follow_lab(self) -> None:
        async for snapshot in self._lab.snapshots():
            self.post_message(SnapshotArrived(snapshot))

    def on_snapshot_arrived(self, message: SnapshotArrived) -> None:
        self.snapshot = message.snapshot
        self._mark_chosen_backend()

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        if before.phase is not now.phase:
            self.set_class(now.phase is not Phase.RUNNING, "-curtained")
            self.refresh_bindings()
        for notice in now.notices[self._notices_shown :]:
            self.notify(inert(notice), severity="warning", timeout=_NOTICE_SECONDS, markup=False)
        self._notices_shown = len(now.notices)

    def show_leaving(self) -> None:
        """Draw the curtain: the lab is about to be stopped."""
        self.add_class("-curtained")
        self.query_one(Curtain).leave()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Commands are greyed while there is no lab that could take them; the frozen feed has keys of its own."""
        if action in FROZEN_ACTIONS and not (self._feed.is_frozen and self._is_feed_in_sight):
            return False
        return None if action in LAB_ACTIONS and self.snapshot.phase is not Phase.RUNNING else True

    @on(AlgorithmChip.Clicked)
    def _use_clicked_algorithm(self, message: AlgorithmChip.Clicked) -> None:
        if self.check_action("use_algorithm", (message.name,)):
            self.action_use_algorithm(message.name)

    def action_use_algorithm(self, name: str) -> None:
        choice = next((choice for choice in self.snapshot.algorithms if choice.name == name), None)
        if choice is not None and not choice.is_available:
            self.notify(f"{choice.title} {choice.why_not}", title="Not here", severity="warning", markup=False)
        elif name != self.snapshot.algorithm:
            self._command("Algorithm", self._lab.use_algorithm(name))

    def repair(self) -> None:
        """Have the lab start again what has died, if there is a lab."""
        if self.snapshot.phase is Phase.RUNNING:
            self._command("Repair", self._lab.repair())

    def action_edit_retry_rules(self) -> None:
        self.app.push_screen(RetryRules(self.snapshot.retry_rules), self._set_retry_rules)

    def _set_retry_rules(self, rules: tuple[str, ...] | None) -> None:
        if rules is not None:
            self._command("On failure", self._lab.set_retry_rules(rules))

    def action_step_rate(self, steps: int) -> None:
        self._command("Rate", self._lab.step_rate(steps))

    def action_freeze_feed(self) -> None:
        """Freeze it or follow again; one that is frozen behind the X-ray is only shown, since nobody saw it."""
        if self._is_feed_in_sight or not self._feed.is_frozen:
            self._feed.toggle_freeze()
        self._bring_feed_into_sight()

    def action_filter_feed(self) -> None:
        self._bring_feed_into_sight()
        self._feed.open_filter()

    def action_step_back(self) -> None:
        """Leave what goes on in the feed, or close the X-ray, or clear the feed's filter: one at a time."""
        is_feed_first = self._is_feed_in_sight and (self._feed.is_typing or self._feed.is_frozen)
        if self.has_class(_XRAY) and not is_feed_first:
            self.remove_class(_XRAY)
        else:
            self._feed.step_back()

    @property
    def _is_feed_in_sight(self) -> bool:
        """The X-ray takes its place, unless there is room for both."""
        return not self.has_class(_XRAY) or self.has_class(_WIDE)

    def _bring_feed_into_sight(self) -> None:
        if not self._is_feed_in_sight:
            self.remove_class(_XRAY)

    def action_choose_request(self, steps: int) -> None:
        self._feed.choose_relative(steps)

    def action_open_request(self) -> None:
        if request := self._feed.chosen_request:
            self._open_request(request)

    @on(RequestFeed.Opened)
    def _open_clicked_request(self, message: RequestFeed.Opened) -> None:
        self._open_request(message.request)

    @work(exclusive=True, group="request", description="ask what is known of a request")
    async def _open_request(self, request: RequestView) -> None:
        try:
            detail = await self._lab.request_detail(request)
        except LabError as error:
            self._complain(f"Request {request.number}", error)
        else:
            if self.app.screen is self:
                await self.app.push_screen(RequestScreen(detail))

    async def _push_follower(self, screen: Screen[None], show: Callable[[Snapshot], None]) -> None:
        """Open a screen that is shown every snapshot, too."""
        await self.app.push_screen(screen)
        screen.watch(self, "snapshot", show)

    async def action_show_latency(self) -> None:
        screen = LatencyScreen(self._lab)
        await self._push_follower(screen, screen.show_snapshot)

    def action_toggle_xray(self) -> None:
        """Below the backends, so that all keys go on working on what it explains."""
        self.toggle_class(_XRAY)

    @on(RowPanel.Chosen)
    def _mark_chosen_backend(self) -> None:
        self.query_one(XRayTable).chosen_port = self._grid.chosen_port

    async def action_guess(self) -> None:
        screen = GuessScreen(self._lab, self.snapshot)
        await self._push_follower(screen, screen.show_snapshot)

    def action_compare(self) -> None:
        self.app.push_screen(ComparisonScreen(self._lab, self._compared), self._keep_comparison)

    def _keep_comparison(self, comparison: Comparison | None) -> None:
        self._compared = comparison

    async def action_show_config(self) -> None:
        screen = ConfigScreen()
        await self._push_follower(screen, screen.show_snapshot)

    def action_show_help(self) -> None:
        self.app.push_screen(HelpScreen(self.snapshot.notices))

    @property
    def _feed(self) -> RequestFeed:
        return self.query_one(RequestFeed)
