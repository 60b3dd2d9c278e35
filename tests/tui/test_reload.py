"""A reload under the microscope: in the title for some seconds, and in full on its screen."""

from dataclasses import replace

import pytest

from lab.models import OldWorker
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import NOW, RELOAD, SECOND_CONFIG, running
from tests.tui.showing import dashboard_of, lines, show, text_of
from tests.waiting import wait_for
from tui.ink import Ink, plain_text
from tui.reload_text import reload_lines, reload_news
from tui.screens.config import ConfigScreen
from tui.widgets.document import Document
from tui.widgets.title_bar import TitleBar, title_line


def test_news_of_a_reload_from_long_to_short() -> None:
    """Which worker gave way to which, what the old one still does, and that nothing was lost."""
    told, ink = reload_news(RELOAD, NOW)
    assert told == (
        "✓ reload 4: worker 4711 → 4713, old one finishes 2 connections, 0 failed",
        "✓ reload 4: 4711 → 4713, old one has 2 connections, 0 failed",
        "✓ reload 4: 0 failed",
    )
    assert ink is Ink.GOOD


def test_news_of_a_reload_that_lost_something() -> None:
    """A sign, a figure and a colour."""
    told, ink = reload_news(replace(RELOAD, failed_meanwhile=3, finishing=()), NOW)
    assert told[0] == "✗ reload 4: worker 4711 → 4713, old one is gone, 3 failed"
    assert told[1] == "✗ reload 4: 4711 → 4713, old one gone, 3 failed"
    assert ink is Ink.BAD
    told, ink = reload_news(replace(RELOAD, failed_meanwhile=3, finishing=(), was_failing=True), NOW)
    assert told[2] == "! reload 4: 3 failed as before"
    assert ink is Ink.WARNING


def test_news_of_many_workers_names_the_ends_of_the_row() -> None:
    """Sixteen PIDs would be no news."""
    many = replace(RELOAD, old_pids=(1, 2, 3), new_pids=(7, 8), finishing=(OldWorker(2), OldWorker(3, 1)))
    assert reload_news(many, NOW)[0][0] == ("✓ reload 4: workers 1 … 3 → 7 8, old ones finish 1 connection, 0 failed")
    unknown = replace(many, finishing=(OldWorker(2),))
    assert "old ones finish what they have" in reload_news(unknown, NOW)[0][0]


@pytest.mark.parametrize("later", [-5.0, 20.0])
def test_old_reload_is_no_news(later: float) -> None:
    """After some seconds, or with a clock set back, the title is as before."""
    assert reload_news(RELOAD, NOW + later)[0] == ()
    assert reload_news(None, NOW)[0] == ()


@pytest.mark.parametrize(
    ("width", "said"),
    [(78, "reload 4: 0 failed"), (118, "old one has 2 connections, 0 failed"), (198, "2 connections, 0 failed")],
)
def test_title_shows_what_fits_of_the_news(width: int, said: str) -> None:
    """The URL and the backends stay at any width."""
    line = plain_text(title_line(running(reload=RELOAD), width, NOW))
    assert said in line
    assert "http://127.0.0.1:70/" in line
    assert line.rstrip().endswith("5/5 up")
    assert len(line) == width


async def test_title_forgets_the_reload_with_time() -> None:
    """News for some seconds, by the clock; what the lab is busy with comes before it."""
    lab, time = FakeLab(), [NOW]
    async with dashboard_of(lab, running(reload=RELOAD), clock=lambda: time[0]) as pilot:
        assert "reload 4" in text_of(pilot, TitleBar)
        await show(pilot, lab, running(2, reload=RELOAD, activity="nginx: reloading"))
        assert "nginx: reloading" in text_of(pilot, TitleBar)
        assert "reload 4" not in text_of(pilot, TitleBar)
        time[0] += 10
        await show(pilot, lab, running(3, reload=RELOAD))
        assert "reload 4" not in text_of(pilot, TitleBar)


def test_reload_in_full() -> None:
    """Generation and change, how long, who gave way to whom, who answered what, and what was lost: nothing."""
    shown = [" ".join(plain_text(line).split()) for line in reload_lines(RELOAD, 50)]
    assert shown[0] == "round_robin → least_conn"
    assert shown[1].endswith("took 35.0 ms")
    assert shown[3:5] == ["old worker 4711 finishes 2 connections", "new worker 4713"]
    assert shown[6:10] == [
        "answered 1,204 since",
        "by the old 3 with the configuration before",
        "meanwhile 0: nothing was lost in the change",
        "failed 0 since",
    ]
    assert shown[11] == "Hits since"
    assert shown[12].split()[:2] == ["71", "804"]
    assert shown[13].split()[:2] == ["72", "400"]
    assert shown[12].count("█") > shown[13].count("█") > 0


def test_reload_that_is_over_and_lost_something() -> None:
    """The old worker is gone, and failures are called by their name."""
    over = replace(RELOAD, finishing=(), failed_meanwhile=2)
    shown = [" ".join(plain_text(line).split()) for line in reload_lines(over, 50)]
    assert "old worker 4711 has finished, and is gone" in shown
    assert "meanwhile 2 requests" in shown
    unknown = replace(RELOAD, finishing=(OldWorker(4711),))
    assert any("4711  finishes what it has" in plain_text(line) for line in reload_lines(unknown, 50))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_config_screen_follows_the_reload(size: tuple[int, int]) -> None:
    """What it did grows as requests come; before the first there is none."""
    lab = FakeLab()
    async with dashboard_of(lab, size=size) as pilot:
        await pilot.press("n")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfigScreen), what="the config screen")

        def shown() -> str:
            return "\n".join(lines(pilot.app.screen.query_one("#reload Document", Document)))

        await wait_for(pilot, lambda: "wasn't reloaded yet" in shown(), what="the word that there was none")
        await show(pilot, lab, running(2, reload=RELOAD, config=SECOND_CONFIG))
        await wait_for(pilot, lambda: "0: nothing was lost" in shown(), what="the reload")
        assert "reload 4" in str(pilot.app.screen.query_one("#reload").border_subtitle)
        await show(pilot, lab, running(3, reload=replace(RELOAD, answered=1300), config=SECOND_CONFIG))
        await wait_for(pilot, lambda: "1,300 since" in shown(), what="the newer count")


async def test_text_that_is_read_gets_the_room_on_a_narrow_terminal() -> None:
    """Tab goes from text to text, and each is the highest in its turn."""
    async with dashboard_of(FakeLab(), running(reload=RELOAD), size=(80, 24)) as pilot:
        await pilot.press("n")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfigScreen), what="the config screen")
        panes = [pilot.app.screen.query_one(f"#{name}") for name in ("difference", "reload", "site", "main")]
        for pane in panes:
            await wait_for(
                pilot,
                lambda pane=pane: all(pane.size.height > it.size.height for it in panes if it is not pane),  # type: ignore[misc]
                what=f"{pane.id} to be the highest",
            )
            assert pane.size.height >= 8
            await pilot.press("tab")
