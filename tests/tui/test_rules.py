"""When nginx tries another backend: the list of rules."""

import pytest

from lab.nginx.retry_rules import RETRY_RULES
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import running
from tests.tui.showing import AppPilot, dashboard_of, lines
from tests.waiting import wait_for
from tui.retry_rule_texts import ALWAYS_COUNTED, MEANINGS, directive
from tui.screens.dashboard import Dashboard
from tui.screens.retry_rules import RetryRules, RuleList


async def open_rules(pilot: AppPilot) -> RuleList:
    await pilot.press("o")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, RetryRules), what="the rules")
    await pilot.pause()
    return pilot.app.screen.query_one(RuleList)


def test_every_rule_has_its_sentence() -> None:
    """In the order in which nginx's documentation and the directive have them, short enough for 80 columns."""
    assert tuple(MEANINGS) == RETRY_RULES
    assert max(map(len, MEANINGS.values())) <= 54
    assert len(ALWAYS_COUNTED) <= 76


def test_directive_is_written_in_order() -> None:
    """However it was clicked together; without a word it is off."""
    assert directive({"http_503", "error"}) == "proxy_next_upstream error http_503;"
    assert directive(()) == "proxy_next_upstream off;"


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_rules_in_force_are_marked_and_changes_too(size: tuple[int, int]) -> None:
    """A word that is in force, one that will be, one that will go, and the line that nginx is going to have."""
    async with dashboard_of(FakeLab(), size=size) as pilot:
        rules = await open_rules(pilot)
        assert lines(rules)[1].startswith("▸ [✓] error ")
        assert lines(rules)[2].startswith("  [✓] timeout ")
        assert lines(rules)[4].startswith("  [ ] http_500 ")
        assert "proxy_next_upstream error timeout;" in lines(rules)
        await pilot.press("j", "enter", "down", "down", "space")
        shown = lines(rules)
        assert shown[2].startswith("  [-] timeout ")
        assert shown[4].startswith("▸ [+] http_500 ")
        assert "proxy_next_upstream error http_500;" in shown
        assert ALWAYS_COUNTED in shown


async def test_rules_are_applied_together() -> None:
    """Nothing happens while they are toggled; one key applies all, in order."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await open_rules(pilot)
        await pilot.press("up", "space", *["down"] * 5, "space", "up", "up", "space")
        assert lab.commands == []
        await pilot.press("a")
        wanted = ("timeout", "http_500", "http_503")
        await wait_for(pilot, lambda: lab.commands == [("set_retry_rules", wanted)], what="the rules")
        assert isinstance(pilot.app.screen, Dashboard)


async def test_click_toggles() -> None:
    """The third line below the heading is the third rule."""
    async with dashboard_of(FakeLab()) as pilot:
        rules = await open_rules(pilot)
        await pilot.click(RuleList, offset=(20, 4))
        await wait_for(pilot, lambda: "[+] invalid_header" in lines(rules)[3], what="the mark")
        await pilot.click(RuleList, offset=(20, 4))
        await wait_for(pilot, lambda: "[ ] invalid_header" in lines(rules)[3], what="the mark to go")


async def test_no_rule_at_all_is_off_and_said_so() -> None:
    """Then nginx never tries another backend."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        rules = await open_rules(pilot)
        await pilot.press("space", "down", "space")
        shown = "\n".join(lines(rules))
        assert "proxy_next_upstream off;" in shown
        assert "never tries another backend" in shown
        await pilot.press("a")
        await wait_for(pilot, lambda: lab.commands == [("set_retry_rules", ())], what="the empty rules")


@pytest.mark.parametrize("keys", [("escape",), ("q",), ("o",), ("space", "escape"), ("a",), ("space", "space", "a")])
async def test_nothing_is_applied_where_nothing_is_wanted(keys: tuple[str, ...]) -> None:
    """Left, or applied unchanged: nginx needs no reload."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await open_rules(pilot)
        await pilot.press(*keys)
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        await pilot.pause()
        assert lab.commands == []


async def test_all_rules_fit_the_list() -> None:
    """The directive with every word is wrapped, at 80 × 24 too."""
    async with dashboard_of(FakeLab(), running(retry_rules=RETRY_RULES), size=(80, 24)) as pilot:
        shown = lines(await open_rules(pilot))
        assert directive(RETRY_RULES) in " ".join(line.strip() for line in shown)
        assert ALWAYS_COUNTED in shown
