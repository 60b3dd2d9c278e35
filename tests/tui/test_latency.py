"""The latency view."""

import pytest

from lab.counts.latency import LatencySeries, SecondView
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import running, series
from tests.tui.showing import AppPilot, dashboard_of, lines, show, text_of
from tests.waiting import wait_for
from tui.screens.dashboard import Dashboard
from tui.screens.latency import LatencyScreen
from tui.widgets.failure_chart import FailureChart
from tui.widgets.latency_histogram import LatencyHistogram
from tui.widgets.line_panel import LinePanel
from tui.widgets.percentile_chart import PercentileChart
from tui.widgets.series_table import SeriesTable
from tui.widgets.title_bar import TitleBar

THREE = (series(None, 1.0, 2000), series(71, 1.0), series(72, 100.0))


async def open_latencies(pilot: AppPilot) -> None:
    await pilot.press("l")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, LatencyScreen), what="the latency view")
    await wait_for(pilot, lambda: "all" in "".join(shown(pilot, SeriesTable)), what="the series")
    await pilot.pause()


def shown(pilot: AppPilot, panel: type[LinePanel]) -> list[str]:
    return lines(pilot.app.screen.query_one(panel))


def title(pilot: AppPilot, panel: type[LinePanel]) -> str:
    return str(pilot.app.screen.query_one(panel).border_title)


def lab_of(every: tuple[LatencySeries, ...]) -> FakeLab:
    lab = FakeLab()
    lab.series = every
    return lab


async def test_latencies_are_asked_for_only_while_they_are_shown() -> None:
    """Once with each snapshot, and no more after escape."""
    lab = lab_of(THREE)
    async with dashboard_of(lab) as pilot:
        await show(pilot, lab, running(sequence=2))
        assert lab.latency_calls == 0
        await open_latencies(pilot)
        calls = lab.latency_calls
        await show(pilot, lab, running(sequence=3))
        await wait_for(pilot, lambda: lab.latency_calls == calls + 1, what="one more question")
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        calls = lab.latency_calls
        await show(pilot, lab, running(sequence=4))
        assert lab.latency_calls == calls


async def test_dashboard_rests_behind_the_view_and_catches_up() -> None:
    """What nobody sees isn't painted; what came meanwhile is there on return."""
    lab = lab_of(THREE)
    async with dashboard_of(lab) as pilot:
        await open_latencies(pilot)
        await show(pilot, lab, running(sequence=2, activity="nginx: testing the configuration"))
        assert "nginx: testing" not in text_of(pilot, TitleBar)
        await pilot.press("escape")
        await wait_for(pilot, lambda: "nginx: testing" in text_of(pilot, TitleBar), what="the activity")


@pytest.mark.parametrize("size", [(80, 24), (120, 24), (120, 31), (120, 36), (200, 60)])
async def test_failures_over_time_are_there_at_any_size(size: tuple[int, int]) -> None:
    """Below drawings that keep their room, with ten backends, too; they follow the lab."""
    every = (THREE[0], *(series(port) for port in range(71, 81)))
    lab = lab_of(every)
    failing = (*(SecondView(second, failed=second % 3) for second in range(60)), SecondView(60, failed=5))
    async with dashboard_of(lab, running(seconds=failing), size=size) as pilot:
        await open_latencies(pilot)
        assert shown(pilot, FailureChart)[0].endswith("Σ 60")
        assert [line.split()[1] for line in shown(pilot, FailureChart)] == ["failed", "retried", "late"]
        for panel in (PercentileChart, LatencyHistogram):
            drawing = pilot.app.screen.query_one(panel)
            assert drawing.size.height >= 6
            assert pilot.app.screen.region.contains_region(drawing.region)
        await show(pilot, lab, running(2, seconds=(*failing[1:], SecondView(61))))
        await wait_for(pilot, lambda: shown(pilot, FailureChart)[0].endswith("Σ 65"), what="the next second")
        await show(pilot, lab, running(3, seconds=(*failing[3:60], SecondView(61, failed=100), SecondView(62))))
        await wait_for(pilot, lambda: shown(pilot, FailureChart)[0].endswith("Σ 157"), what="the newer second")


async def test_table_has_a_line_for_each_backend() -> None:
    """All together first; count, least, percentiles and most."""
    async with dashboard_of(lab_of(THREE)) as pilot:
        await open_latencies(pilot)
        table = shown(pilot, SeriesTable)
        assert table[0].split()[:9] == ["backend", "count", "min", "ms", "p50", "p90", "p95", "p99", "p99.9"]
        assert table[1].split()[:10] == ["▸", "all", "2,000", "1.0", "1.0", "2.0", "2.0", "2.0", "10.0", "10.0"]
        assert table[3].split()[:9] == ["72", "1,000", "100", "100", "200", "200", "200", "1,000", "1,000"]
        assert "┃" in table[3]


@pytest.mark.parametrize(
    "keys", [("tab", "tab"), ("down", "j"), ("down", "down", "down", "up", "shift+tab", "tab", "tab")]
)
async def test_keys_choose_the_series_that_is_drawn(keys: tuple[str, ...]) -> None:
    """Both drawings follow the cursor, and say whose they are."""
    async with dashboard_of(lab_of(THREE)) as pilot:
        await open_latencies(pilot)
        assert title(pilot, PercentileChart) == "Percentiles of all, last 60 s"
        await pilot.press(*keys)
        await pilot.pause()
        assert title(pilot, PercentileChart) == "Percentiles of 72, last 60 s"
        assert title(pilot, LatencyHistogram).startswith("Histogram of 72")
        assert "p50 100" in shown(pilot, PercentileChart)[0]
        assert "100 ms to 1.0 s" in shown(pilot, LatencyHistogram)[0]


async def test_click_chooses_the_series_that_is_drawn() -> None:
    """The line that is clicked on; the first is the heading."""
    async with dashboard_of(lab_of(THREE)) as pilot:
        await open_latencies(pilot)
        await pilot.click(SeriesTable, offset=(10, 3))
        await pilot.pause()
        assert title(pilot, LatencyHistogram).startswith("Histogram of 71")


async def test_zoom_says_what_is_shown_and_ends_at_the_ends() -> None:
    """In and out by either pair of keys, from all requests to the slowest hundredth."""
    async with dashboard_of(lab_of(THREE)) as pilot:
        await open_latencies(pilot)
        await pilot.press("minus")
        assert title(pilot, LatencyHistogram) == "Histogram of all · all requests"
        assert "2,000 requests" in shown(pilot, LatencyHistogram)[0]
        await pilot.press("plus", "right")
        assert title(pilot, LatencyHistogram) == "Histogram of all · p50 to p99.9"
        assert "zoom 3 of 5" in str(pilot.app.screen.query_one(LatencyHistogram).border_subtitle)
        await pilot.press("left")
        assert title(pilot, LatencyHistogram) == "Histogram of all · p1 to p99"
        await pilot.press(*["equals_sign"] * 9)
        assert title(pilot, LatencyHistogram) == "Histogram of all · p99 to max"


async def test_counters_can_be_zeroed_from_the_view() -> None:
    """What was counted anew is what is drawn; nothing yet is said in words."""
    lab = lab_of(THREE)
    async with dashboard_of(lab) as pilot:
        await open_latencies(pilot)
        await pilot.press("z")
        assert lab.commands == [("zero_counters",)]
        lab.series = (LatencySeries(None, (), ()), LatencySeries(71, (), ()))
        await show(pilot, lab, running(sequence=2))
        await wait_for(pilot, lambda: "No answer yet" in shown(pilot, LatencyHistogram)[0], what="the empty histogram")
        assert shown(pilot, SeriesTable)[1].split()[:4] == ["▸", "all", "0", "–"]


@pytest.mark.parametrize("size", [(80, 24), (80, 50), (120, 36), (200, 60)])
async def test_table_and_both_drawings_are_on_screen(size: tuple[int, int]) -> None:
    """Nothing is cut off with five backends, from the smallest terminal on."""
    every = (series(None), *(series(port) for port in range(71, 76)))
    async with dashboard_of(lab_of(every), size=size) as pilot:
        await open_latencies(pilot)
        table = pilot.app.screen.query_one(SeriesTable)
        assert table.size.height == 7
        for panel in (SeriesTable, PercentileChart, LatencyHistogram):
            assert pilot.app.screen.region.contains_region(pilot.app.screen.query_one(panel).region)
        assert "█" in "".join(shown(pilot, LatencyHistogram))
        assert pilot.app.screen.query_one(PercentileChart).size.height >= 8


async def test_fifty_backends_leave_the_drawings_their_room() -> None:
    """The table scrolls with the cursor."""
    every = (series(None), *(series(port) for port in range(71, 121)))
    async with dashboard_of(lab_of(every), size=(80, 24)) as pilot:
        await open_latencies(pilot)
        await pilot.press(*["tab"] * 12)
        assert shown(pilot, SeriesTable)[-1].split()[:2] == ["▸", "82"]
        assert pilot.app.screen.query_one(LatencyHistogram).size.height >= 8


@pytest.mark.parametrize("key", ["l", "q", "escape"])
async def test_latency_view_closes_without_quitting(key: str) -> None:
    """Back to the dashboard, and the lab runs on."""
    lab = lab_of(THREE)
    async with dashboard_of(lab) as pilot:
        await open_latencies(pilot)
        await pilot.press(key)
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert lab.stop_calls == 0


async def test_view_survives_any_size() -> None:
    """However a terminal is dragged."""
    async with dashboard_of(lab_of(THREE)) as pilot:
        await open_latencies(pilot)
        for size in [(1, 1), (20, 3), (300, 5), (40, 10), (80, 24)]:
            await pilot.resize_terminal(*size)
            await wait_for(pilot, lambda size=size: pilot.app.screen.size == size, what=f"the size {size}")  # type: ignore[misc]
        await wait_for(pilot, lambda: "█" in "".join(shown(pilot, LatencyHistogram)), what="the histogram")
