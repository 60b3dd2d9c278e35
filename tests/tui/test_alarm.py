"""What has died and isn't a backend can't be overlooked, and a key repairs it."""

import pytest

from lab.errors import LabError
from lab.models import NginxView, TrafficView
from lab.states import Phase
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import running
from tests.tui.showing import dashboard, dashboard_of, is_seen, show, text_of, toasts
from tests.waiting import wait_for
from tui.alarm import alarm_of
from tui.widgets.alarm_line import AlarmLine
from tui.widgets.request_feed import RequestFeed
from tui.widgets.title_bar import TitleBar

DEAD = NginxView("1.31.3", "bundled", 70)
DEAD_CLIENT = TrafficView(is_dead=True)
CLIENT_ENDED = "The lab's client (PID 4712) has died (signal 9): R starts it again."
CLIENT_BACK = "The lab's client runs again (PID 4713)."


def test_alarm_is_about_what_r_repairs() -> None:
    """nginx without a master, or a client without a process; notices alone are no alarm."""
    assert alarm_of(running()) is None
    assert alarm_of(running(nginx=DEAD)) == "nginx is dead: R starts it again"
    assert alarm_of(running(nginx=DEAD, phase=Phase.STOPPING)) is None
    assert alarm_of(running(traffic=DEAD_CLIENT)) == "The lab's client is dead, so nothing is fired: R starts it again"
    assert (
        alarm_of(running(nginx=DEAD, traffic=DEAD_CLIENT)) == "nginx and the lab's client are dead: R starts both again"
    )
    assert alarm_of(running(notices=(CLIENT_ENDED, CLIENT_BACK))) is None


def test_alarm_names_what_was_stopped_from_outside() -> None:
    """Nothing else would say why nothing is answered; the lab didn't stop it, so none of its keys lets it go on."""
    stopped = NginxView("1.31.3", "bundled", 70, 4711, (4712, 4713), stopped_pids=(4712, 4713))
    assert alarm_of(running(nginx=stopped)) == "nginx is stopped (SIGSTOP): kill -CONT 4712 4713 lets it go on"
    said = alarm_of(running(traffic=TrafficView(stopped_pid=4714)))
    assert said == "The lab's client is stopped (SIGSTOP): kill -CONT 4714 lets it go on"


@pytest.mark.parametrize("key", ["l", "n", "question_mark", "g", "c", "e", "o"])
async def test_what_has_died_is_repaired_from_any_screen(key: str) -> None:
    """The toast that says so comes there, too."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await show(pilot, lab, running(2, nginx=DEAD))
        await pilot.press(key)
        await wait_for(pilot, lambda: pilot.app.screen is not dashboard(pilot), what="the other screen")
        await pilot.press("R")
        await wait_for(pilot, lambda: ("repair",) in lab.commands, what="the repair")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_dead_nginx_is_a_red_line_until_it_is_back(size: tuple[int, int]) -> None:
    """Across the whole width, with the key that helps; the title doesn't say that nginx runs."""
    lab = FakeLab()
    async with dashboard_of(lab, size=size) as pilot:
        line = dashboard(pilot).query_one(AlarmLine)
        assert not is_seen(line)
        await show(pilot, lab, running(2, nginx=DEAD))
        await wait_for(pilot, lambda: "nginx is dead: R starts it again" in text_of(pilot, AlarmLine), what="the line")
        assert line.region.width == size[0]
        assert "✗ nginx is dead" in text_of(pilot, TitleBar)
        assert dashboard(pilot).query_one(RequestFeed).size.height >= 2
        await pilot.press("R")
        await wait_for(pilot, lambda: lab.commands == [("repair",)], what="the repair")
        await show(pilot, lab, running(3))
        await wait_for(pilot, lambda: not is_seen(line), what="the line to go")
        assert "nginx 1.31.3" in text_of(pilot, TitleBar)


async def test_death_of_the_client_is_a_toast_and_stays_a_line() -> None:
    """The notice is shown once, the line for as long as it holds."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await show(pilot, lab, running(2, notices=(CLIENT_ENDED,), traffic=DEAD_CLIENT))
        await wait_for(pilot, lambda: toasts(pilot) == [CLIENT_ENDED], what="the toast")
        await wait_for(pilot, lambda: "nothing is fired" in text_of(pilot, AlarmLine), what="the line")
        await show(pilot, lab, running(3, notices=(CLIENT_ENDED, CLIENT_BACK)))
        await wait_for(pilot, lambda: toasts(pilot) == [CLIENT_ENDED, CLIENT_BACK], what="the second toast")
        assert not is_seen(dashboard(pilot).query_one(AlarmLine))


async def test_repair_that_fails_is_a_toast() -> None:
    """Why it can't be repaired is the lab's sentence."""
    lab = FakeLab()
    lab.refuses = LabError("Port 70 is taken by python (PID 4711).")
    async with dashboard_of(lab, running(nginx=DEAD)) as pilot:
        await pilot.press("R")
        await wait_for(pilot, lambda: any("Port 70 is taken" in text for text in toasts(pilot)), what="the toast")
