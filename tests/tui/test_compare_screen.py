"""Comparing algorithms from the dashboard: choosing a scenario, watching, reading, saving, ending."""

import pytest
from textual.command import CommandPalette

from lab.comparison.result import Comparison
from lab.comparison.scenarios import SCENARIOS
from lab.errors import LabError
from tests.tui.comparisons import comparison, run, standing
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import starting
from tests.tui.showing import AppPilot, dashboard, dashboard_of, lines, toasts
from tests.waiting import wait_for
from tui.comparison_text import result_lines
from tui.ink import Ink, Line, plain_text
from tui.screens.comparison import ComparisonScreen
from tui.screens.dashboard import Dashboard
from tui.screens.scenario_choice import ScenarioChoice, ScenarioList
from tui.widgets.document import Document

SIZES = [(80, 24), (120, 36), (200, 60)]


async def open_choice(pilot: AppPilot, key: str = "c") -> ScenarioList:
    await pilot.press(key)
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, ScenarioChoice), what="the scenarios")
    await pilot.pause()
    return pilot.app.screen.query_one(ScenarioList)


def text(pilot: AppPilot) -> str:
    screen = next(screen for screen in pilot.app.screen_stack if isinstance(screen, ComparisonScreen))
    return "\n".join(lines(screen.query_one(Document)))


async def see(pilot: AppPilot, said: str) -> None:
    await wait_for(pilot, lambda: said in text(pilot), what=repr(said))


async def start(pilot: AppPilot, lab: FakeLab, done: int = 0) -> None:
    """Have `one-slow` compared, of which so many runs are over."""
    await open_choice(pilot)
    await pilot.press("j", "enter")
    await wait_for(pilot, lambda: lab.commands == [("compare", "one-slow", 20.0)], what="the comparison")
    lab.standings.put_nowait(standing(done))
    await see(pilot, f"run {done + 1} of 5")


async def finish(pilot: AppPilot, lab: FakeLab) -> None:
    lab.standings.put_nowait(standing(5, is_over=True))
    await see(pilot, "✓ compared")


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_has_all_scenarios_with_what_they_show_and_take(size: tuple[int, int]) -> None:
    """Uncut at 80 × 24 already, with what a comparison is below."""
    async with dashboard_of(FakeLab(), size=size) as pilot:
        shown = lines(await open_choice(pilot))
        for scenario in SCENARIOS:
            assert any(scenario.name in line and scenario.description in line for line in shown)
        assert sum("5 runs of" in line for line in shown) == len(SCENARIOS)
        assert not any("…" in line for line in shown)
        assert shown[-1].endswith("this lab's client pauses meanwhile.")


async def test_runs_can_be_made_longer_and_shorter() -> None:
    """Within bounds; what a scenario takes of its own is where it begins. A click starts as enter does."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        scenarios = await open_choice(pilot)
        await pilot.press("plus", "minus", *["minus"] * 9)
        assert "5 runs of 2 s: about 15 s" in "".join(lines(scenarios))
        await pilot.press(*["plus"] * 9)
        assert all(" s: about" not in line or "5 runs of 60 s: about 5 min 5 s" in line for line in lines(scenarios))
        await pilot.press("minus", "minus", "minus")
        await pilot.click(ScenarioList, offset=(20, 6))
        await wait_for(pilot, lambda: lab.commands == [("compare", "heavy-tail", 20.0)], what="the comparison")


@pytest.mark.parametrize("key", ["escape", "q", "c"])
async def test_leaving_the_list_leads_back_to_the_dashboard(key: str) -> None:
    """Nothing was started."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await open_choice(pilot)
        await pilot.press(key)
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert lab.commands == []


async def test_there_is_nothing_to_compare_with_while_the_lab_starts() -> None:
    """The key is dead then."""
    async with dashboard_of(FakeLab(starts=False), starting("nginx: starting")) as pilot:
        await pilot.press("c")
        await pilot.pause()
        assert pilot.app.screen is dashboard(pilot)


async def test_progress_and_what_is_known_so_far() -> None:
    """Which run it is at and how long the rest takes; a row for each run that is over, and one for what runs."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await open_choice(pilot)
        await pilot.press("j", "enter")
        await see(pilot, "Starting another lab; this lab's client pauses")
        lab.standings.put_nowait(standing(0))
        await see(pilot, "run 1 of 5 · round robin")
        lab.standings.put_nowait(standing(2))
        await see(pilot, "run 3 of 5 · random ████████")
        assert "1 min 2 s left" in text(pilot)
        shown = text(pilot).splitlines()
        assert any(line.startswith("least conn ") and "90.0" in line for line in shown)
        assert any(line.split() == ["random", "…"] for line in shown)
        assert "the client of this one pauses" in text(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_the_result_has_table_chart_shares_and_what_they_say(size: tuple[int, int]) -> None:
    """It can be scrolled where it doesn't fit, and no line is wider than its panel."""
    lab = FakeLab()
    async with dashboard_of(lab, size=size) as pilot:
        await start(pilot, lab)
        await finish(pilot, lab)
        screen = pilot.app.screen
        pane = screen.query_one("#comparison")
        await see(pilot, "real nginx")
        assert "one-slow: one of five backends is ten" in str(pane.border_title)
        for said in ("p95 ms", "fairness", "┃ p50", "╵100 ms", "p95 is lowest under least conn", "who got how much"):
            assert said in text(pilot)
        assert text(pilot).count("round robin, again") == 3
        width = pane.scrollable_content_region.width
        assert max(map(len, text(pilot).splitlines())) <= width
        await wait_for(pilot, lambda: screen.query_one(Document).size.width == width, what="a text as wide as its pane")
        assert pane.max_scroll_x == 0
        await pilot.press("pagedown", "pagedown", "down")
        assert pane.scroll_y == pane.max_scroll_y
        assert (pane.max_scroll_y > 0) is (size == (80, 24))


async def test_the_page_is_saved_and_where_is_said() -> None:
    """By s, once all runs are over; a refusal says why."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await start(pilot, lab, done=4)
        await pilot.press("s")
        await finish(pilot, lab)
        assert lab.commands[1:] == []
        await pilot.press("s")
        await wait_for(pilot, lambda: lab.commands[1:] == [("save_comparison", comparison())], what="the saving")
        await wait_for(pilot, lambda: any("/somewhere/lablb.html" in each for each in toasts(pilot)), what="where")
        lab.refuses = LabError("It can't be written (No space left on device).")
        await pilot.press("s")
        await wait_for(pilot, lambda: any("No space" in each for each in toasts(pilot)), what="why not")


async def test_escape_asks_before_it_ends_what_runs() -> None:
    """Any other key goes on; a second escape ends it, and then the dashboard is there."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await start(pilot, lab, done=1)
        await pilot.press("escape")
        await see(pilot, "End this comparison?")
        await pilot.press("x")
        await see(pilot, "run 2 of 5")
        assert lab.closed_comparisons == 0
        await pilot.press("escape", "escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert lab.closed_comparisons == 1


async def test_what_ended_below_another_screen_can_be_left() -> None:
    """It closes by itself only while it is in front; below the palette it waits for the next escape."""
    lab = FakeLab()
    lab.may_end_comparison.clear()
    async with dashboard_of(lab) as pilot:
        await start(pilot, lab, done=1)
        await pilot.press("escape", "escape")
        await see(pilot, "Ending it")
        await pilot.press("ctrl+p")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, CommandPalette), what="the palette")
        lab.may_end_comparison.set()
        await wait_for(pilot, lambda: "Ending it" not in text(pilot), what="the end")
        assert lab.closed_comparisons == 1
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen), what="what is known of it")
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")


async def test_what_was_found_is_still_there_when_one_comes_back() -> None:
    """c shows it again, and there c compares under another scenario."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await start(pilot, lab)
        await finish(pilot, lab)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        await pilot.press("c")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen), what="the comparison")
        await see(pilot, "p95 is lowest under least conn")
        await open_choice(pilot)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen), what="what was found")
        await open_choice(pilot)
        await pilot.press("enter")
        await wait_for(pilot, lambda: lab.commands[1:] == [("compare", "even", 10.0)], what="the next one")


async def test_a_comparison_that_breaks_says_why() -> None:
    """In the lab's own words, made harmless; another one may follow."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await start(pilot, lab)
        lab.standings.put_nowait(LabError("There are no 6 free ports \x1b[31min a row."))
        await see(pilot, "✗ There are no 6 free ports ␛[31min a row.")
        await open_choice(pilot)


async def test_quitting_ends_it_too() -> None:
    """ctrl+c ends the lab, and all that runs beside it."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await start(pilot, lab)
        await pilot.press("ctrl+c")
        await wait_for(pilot, lambda: lab.stop_calls > 0, what="the end of the lab")
    assert lab.closed_comparisons == 1


def spans_with(found: list[Line], ink: Ink) -> list[str]:
    return [text.strip() for line in found for text, each in line if each is ink]


def test_failures_stand_out_and_nothing_answered_is_said() -> None:
    """And weights stand beside the names where they differ."""
    failing = run("random", "random", None, (0, 0), failed=800, weight=3)
    found = result_lines(Comparison("overload", "", "", (failing,), 1), 78)
    assert spans_with(found, Ink.BAD) == ["800"]
    said = "\n".join(map(plain_text, found))
    assert "Nothing was answered." in said
    assert "8071 ×3" in said
