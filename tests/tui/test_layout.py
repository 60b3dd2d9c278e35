"""The dashboard at different sizes."""

import pytest

from tests.tui.fake_lab import FakeLab
from tests.tui.samples import request, running
from tests.tui.showing import dashboard, dashboard_of, is_seen, lines, show, text_of
from tests.waiting import wait_for
from tui.widgets.backend_grid import BackendGrid
from tui.widgets.failure_chart import FailureChart
from tui.widgets.latency_chart import LatencyChart
from tui.widgets.rate_chart import RateChart
from tui.widgets.request_feed import RequestFeed
from tui.widgets.size_guard import SizeGuard
from tui.widgets.title_bar import TitleBar
from tui.widgets.traffic_panel import TrafficPanel

PANELS = (TitleBar, BackendGrid, TrafficPanel, LatencyChart, RequestFeed)


@pytest.mark.parametrize("size", [(80, 24), (80, 50), (120, 24), (120, 36), (200, 24), (200, 60)])
async def test_all_panels_are_on_screen_with_all_backends(size: tuple[int, int]) -> None:
    """Whatever the terminal, nothing is cut off: five backends, the ledger, the chart and three requests at least."""
    async with dashboard_of(FakeLab(), size=size) as pilot:
        board = dashboard(pilot)
        for panel in PANELS:
            region = board.query_one(panel).region
            assert region
            assert board.region.contains_region(region)
        assert board.query_one(BackendGrid).size.height >= 6
        assert "ledger ✓ all agree" in lines(board.query_one(TrafficPanel))
        assert board.query_one(LatencyChart).size.height >= 5
        assert board.query_one(RequestFeed).size.height >= 3
        assert board.query_one(RequestFeed).outer_size.height + board.query_one(RequestFeed).region.y == size[1] - 1


async def test_tall_terminal_has_a_second_chart() -> None:
    """Where there is room, the answers a second are drawn, too."""
    async with dashboard_of(FakeLab(), size=(200, 60)) as pilot:
        assert is_seen(dashboard(pilot).query_one(RateChart))
        await pilot.resize_terminal(120, 36)
        await wait_for(pilot, lambda: not is_seen(dashboard(pilot).query_one(RateChart)), what="the chart to go")


@pytest.mark.parametrize(
    ("size", "is_there"),
    [((80, 24), False), ((120, 24), False), ((120, 32), False), ((80, 36), True), ((120, 36), True), ((200, 60), True)],
)
async def test_failures_have_a_panel_where_the_latency_chart_keeps_its_room(
    size: tuple[int, int], is_there: bool
) -> None:
    """It gives way on a small terminal, whole rather than cut: the latency chart marks failures, too."""
    async with dashboard_of(FakeLab(), size=size) as pilot:
        board = dashboard(pilot)
        panel = board.query_one(FailureChart)
        await wait_for(pilot, lambda: is_seen(panel) is is_there, what=f"the panel to be there: {is_there}")
        assert board.query_one(LatencyChart).size.height >= 5
        if is_there:
            assert panel.size.height == 3
            assert board.query_one("#lower").region.contains_region(panel.region)


async def test_many_backends_leave_no_room_for_the_failures() -> None:
    """The panel goes when the grid grows, and comes back when it shrinks."""
    lab = FakeLab()
    async with dashboard_of(lab, size=(120, 36)) as pilot:
        panel = dashboard(pilot).query_one(FailureChart)
        assert is_seen(panel)
        await show(pilot, lab, running(sequence=2, backends=50))
        await wait_for(pilot, lambda: not is_seen(panel), what="the panel to go")
        await show(pilot, lab, running(sequence=3))
        await wait_for(pilot, lambda: is_seen(panel), what="the panel to be back")


@pytest.mark.parametrize("size", [(79, 24), (80, 23), (40, 10)])
async def test_small_terminal_says_what_it_needs_until_it_is_enlarged(size: tuple[int, int]) -> None:
    """The sentence names both sizes, and gives way to the dashboard."""
    async with dashboard_of(FakeLab(), size=size) as pilot:
        guard = dashboard(pilot).query_one(SizeGuard)
        assert is_seen(guard)
        said = str(guard.render())
        assert "needs 80 × 24" in said
        assert f"this terminal is {size[0]} × {size[1]}" in said
        assert "lablb run" in said
        await pilot.resize_terminal(80, 24)
        await wait_for(pilot, lambda: not is_seen(guard), what="the guard to go")
        assert lines(dashboard(pilot).query_one(BackendGrid))[1].startswith("▸ 71")


async def test_fifty_backends_scroll_with_the_cursor_and_the_wheel() -> None:
    """The grid shows a part of them, says which, and leaves the other panels their room."""
    lab = FakeLab()
    async with dashboard_of(lab, running(backends=50)) as pilot:
        grid = dashboard(pilot).query_one(BackendGrid)
        rows = grid.size.height - 1
        assert rows < 20
        await pilot.press(*["j"] * 30)
        shown = lines(grid)
        assert shown[0].split()[:2] == ["port", "pid"]
        assert shown[-1].startswith("▸ 101")
        assert f"{32 - rows}–31 of 50" in str(grid.border_subtitle)
        for _ in range(20):
            grid.on_mouse_scroll_down()
        assert lines(grid)[-1].split()[0] == "120"
        assert dashboard(pilot).query_one(RequestFeed).size.height >= 8


async def test_no_size_is_too_small_to_survive() -> None:
    """However a terminal is dragged, the dashboard works again afterwards."""
    snapshot = running(feed=tuple(request(number) for number in range(50)))
    async with dashboard_of(FakeLab(), snapshot) as pilot:
        board = dashboard(pilot)
        for size in [(1, 1), (20, 3), (79, 60), (300, 5), (40, 10), (80, 24)]:
            await pilot.resize_terminal(*size)
            await wait_for(pilot, lambda size=size: board.size == size, what=f"the size {size}")  # type: ignore[misc]
        await wait_for(pilot, lambda: "/49" in text_of(pilot, RequestFeed), what="the latest request in the feed")
