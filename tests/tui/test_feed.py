"""Freezing, filtering and opening the requests of the feed."""

from dataclasses import replace

import pytest

from lab.witnesses import Attempt, RequestView
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import FAILED_OVER, detail, request, running
from tests.tui.showing import AppPilot, chosen_port, dashboard, dashboard_of, is_seen, lines, show, toasts
from tests.waiting import wait_for
from tui.feed_filter import FeedFilter
from tui.screens.dashboard import Dashboard
from tui.screens.request import RequestScreen
from tui.widgets.filter_line import FilterLine
from tui.widgets.request_feed import RequestFeed

HUNDRED = tuple(request(number) for number in range(100))


def feed(pilot: AppPilot) -> RequestFeed:
    return dashboard(pilot).query_one(RequestFeed)


def chosen_line(pilot: AppPilot) -> str:
    return next((line for line in lines(feed(pilot)) if "▸" in line), "")


@pytest.mark.parametrize("key", ["p", "tab"])
async def test_frozen_feed_stands_still_until_the_key_is_pressed_again(key: str) -> None:
    """New requests don't move what is being read, even when those have left the lab's memory; the border says so."""
    lab = FakeLab()
    newer = tuple(request(number) for number in range(1000, 1100))
    async with dashboard_of(lab, running(feed=HUNDRED)) as pilot:
        await pilot.press(key)
        await show(pilot, lab, running(sequence=3, feed=newer))
        assert "GET /99 " in lines(feed(pilot))[-1]
        assert "FROZEN" in str(feed(pilot).border_subtitle)
        await pilot.press(key)
        assert "GET /1099 " in lines(feed(pilot))[-1]
        assert "FROZEN" not in str(feed(pilot).border_subtitle)


async def test_arrows_choose_a_request_while_the_feed_is_frozen_and_a_backend_otherwise() -> None:
    """The newest is chosen first; the cursor stays within what there is, and within sight."""
    async with dashboard_of(FakeLab(), running(feed=HUNDRED)) as pilot:
        await pilot.press("p")
        assert "▸GET /99 " in chosen_line(pilot)
        await pilot.press("up", "up", "down")
        assert "▸GET /98 " in chosen_line(pilot)
        await pilot.press(*["pageup"] * 12)
        assert "▸GET /0 " in chosen_line(pilot)
        await pilot.press(*["pagedown"] * 12)
        assert "▸GET /99 " in chosen_line(pilot)
        assert chosen_port(pilot) == 71
        await pilot.press("j")
        assert chosen_port(pilot) == 72
        await pilot.press("escape", "down")
        assert chosen_port(pilot) == 73
        assert chosen_line(pilot) == ""


async def test_enter_opens_the_chosen_request_and_fires_none() -> None:
    """While the feed is frozen enter is for it; otherwise it fires one request, as ever."""
    lab = FakeLab()
    lab.details[98] = detail(98)
    async with dashboard_of(lab, running(feed=HUNDRED)) as pilot:
        await pilot.press("p", "up", "enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, RequestScreen), what="the request")
        assert lab.commands == []
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert "▸GET /98 " in chosen_line(pilot)
        await pilot.press("p", "enter")
        await wait_for(pilot, lambda: lab.commands == [("fire_once",)], what="one request fired")


async def test_click_opens_the_request_on_that_line() -> None:
    """Frozen or not."""
    lab = FakeLab()
    async with dashboard_of(lab, running(feed=HUNDRED)) as pilot:
        number = 100 - feed(pilot).size.height + 2
        lab.details[number] = detail(number)
        await pilot.click(RequestFeed, offset=(20, 3))
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, RequestScreen), what="the request")
        assert f"Request {number}" in str(pilot.app.screen.query_one("#witnesses").border_title)


async def test_frozen_request_is_asked_about_by_all_that_nginx_logged_of_it() -> None:
    """However many have come since: the lab doesn't have to find it again."""
    lab = FakeLab()
    async with dashboard_of(lab, running(feed=HUNDRED)) as pilot:
        await pilot.press("p")
        await show(pilot, lab, running(sequence=3, feed=tuple(request(number) for number in range(1000, 1100))))
        await pilot.press("enter")
        await wait_for(pilot, lambda: lab.asked_about == [HUNDRED[-1]], what="the question")


async def test_request_that_cant_be_told_of_becomes_a_toast() -> None:
    """The dashboard stays, with the lab's sentence on it."""
    async with dashboard_of(FakeLab(), running(feed=HUNDRED)) as pilot:
        await pilot.press("p", "enter")
        await wait_for(pilot, lambda: bool(toasts(pilot)), what="the toast")
        title, sentence = toasts(pilot)[0].split("\n", maxsplit=1)
        assert title.strip() == "Request 99"
        assert " ".join(sentence.split()) == "The lab is still starting: wait a moment."
        assert isinstance(pilot.app.screen, Dashboard)


async def test_filter_shows_what_matches_and_says_so_until_it_is_cleared() -> None:
    """It works while it is typed, stays after enter, and goes with escape; letters typed into it are no commands."""
    lab = FakeLab()
    killer = request(100, uri="/kill", client="curl/8.5.0")
    async with dashboard_of(lab, running(feed=(*HUNDRED, killer))) as pilot:
        await pilot.press("slash", *"kill curl")
        assert is_seen(dashboard(pilot).query_one(FilterLine))
        assert [line for line in lines(feed(pilot)) if "GET" in line] == lines(feed(pilot))[:1]
        await pilot.press("enter")
        assert not is_seen(dashboard(pilot).query_one(FilterLine))
        assert lab.commands == []
        assert "GET /kill" in lines(feed(pilot))[0]
        assert "“kill curl”" in str(feed(pilot).border_title)
        await show(pilot, lab, running(sequence=3, feed=HUNDRED))
        assert lines(feed(pilot))[0] == "None of the latest requests matches."
        await pilot.press("escape")
        assert "GET /99 " in lines(feed(pilot))[-1]
        assert str(feed(pilot).border_title) == "Requests"
        await pilot.press("k")
        await wait_for(pilot, lambda: lab.commands == [("kill_backend", 71)], what="the kill")


async def test_escape_in_the_filter_line_clears_it() -> None:
    """What was typed is gone, and the keys are commands again."""
    lab = FakeLab()
    async with dashboard_of(lab, running(feed=HUNDRED)) as pilot:
        await pilot.press("slash", *"99", "escape")
        assert not is_seen(dashboard(pilot).query_one(FilterLine))
        assert "GET /98 " in lines(feed(pilot))[-2]
        await pilot.press("r")
        await wait_for(pilot, lambda: lab.commands == [("restart_backend", 71)], what="the restart")


async def test_filter_of_a_frozen_feed_keeps_the_chosen_request_if_it_matches() -> None:
    """Else the one before it; escape first thaws, then clears."""
    async with dashboard_of(FakeLab(), running(feed=HUNDRED)) as pilot:
        await pilot.press("p", "up", "up", "up", "slash", *"/9", "enter")
        assert "▸GET /96 " in chosen_line(pilot)
        await pilot.press("slash", "7", "enter")
        assert "▸GET /97 " in chosen_line(pilot)
        await pilot.press("escape")
        assert not feed(pilot).is_frozen
        assert "/97" in str(feed(pilot).border_title)
        await pilot.press("escape")
        assert str(feed(pilot).border_title) == "Requests"


async def test_pasted_filter_is_inert() -> None:
    """A control character in it becomes a sign, in the line and in the border."""
    async with dashboard_of(FakeLab(), running(feed=HUNDRED)) as pilot:
        await pilot.press("slash")
        line = dashboard(pilot).query_one(FilterLine)
        line.insert_text_at_cursor("\x1b[2J[red]")
        await pilot.press("enter")
        assert line.value == "␛[2J[red]"
        assert "␛" in str(feed(pilot).border_title)


async def test_busy_feed_is_painted_with_every_second_snapshot() -> None:
    """Each line costs, and nobody reads five screens a second; what comes after a rest is there at once."""
    lab = FakeLab()
    async with dashboard_of(lab, running(feed=HUNDRED)) as pilot:
        for sequence, last in ((2, 99), (3, 103), (4, 103), (5, 105), (6, 105), (7, 105), (8, 108)):
            await show(pilot, lab, running(sequence, feed=(*HUNDRED, *map(request, range(100, 101 + sequence)))))
            if sequence in (3, 4, 5):
                assert f"GET /{last} " in lines(feed(pilot))[-1]


async def test_nothing_is_open_to_be_frozen_before_the_lab_runs() -> None:
    """An empty feed can be frozen and filtered without a fuss."""
    async with dashboard_of(FakeLab()) as pilot:
        await pilot.press("p", "up", "enter", "slash", "7", "tab", "escape", "escape")
        assert pilot.app.is_running
        assert not feed(pilot).is_frozen


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", [1, 2, 3]),
        ("74", [2]),
        ("75 74", [2]),
        ("✗", [2]),
        ("27412", [3]),
        ("pid", [1, 2, 3]),
        ("27", []),
        ("404", [3]),
        ("firefox", [3]),
        ("Firefox/128", [3]),
        ("POST", [2]),
        ("/a", [1, 3]),
        ("/a 404", [3]),
        (".*", []),
    ],
)
def test_filter_finds_words_anywhere_and_numbers_whole(words: str, wanted: list[int]) -> None:
    """Port, PID, status, path, client: every word must be there, and 74 isn't a part of PID 27412."""
    requests = (
        request(1, uri="/a"),
        request(2, uri="/b", method="POST", attempts=FAILED_OVER),
        request(3, uri="/a", pid=27412, status=404, client="Mozilla/5.0 Firefox/128.0"),
    )
    assert [found.number for found in FeedFilter(words).matching(requests)] == wanted


def test_filter_looks_again_at_a_request_that_changed() -> None:
    """A request is joined with what the client saw of it after it was logged."""
    wanted = FeedFilter("2753")
    early: RequestView = request(1, pid=None, attempts=(Attempt("127.0.0.1:72", 72, 200, 0.001),))
    assert list(wanted.matching((early,))) == []
    assert len(wanted.matching((replace(early, pid=2753),))) == 1
