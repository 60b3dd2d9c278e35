"""Guessing whom nginx picks next."""

from dataclasses import replace

from lab.errors import LabError
from lab.models import Snapshot, TrafficView
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import request, running
from tests.tui.showing import AppPilot, dashboard, dashboard_of, is_seen, show, toasts
from tests.tui.test_xray import open_xray, shown, xray_of
from tests.unit.made_up import answered_by
from tests.waiting import wait_for
from tui.screens.dashboard import Dashboard
from tui.screens.guess import GuessScreen
from tui.widgets.guess_panel import GuessPanel
from tui.widgets.xray_table import XRayTable

PAUSED = TrafficView(target_rps=100.0, is_paused=True)


async def open_game(pilot: AppPilot) -> None:
    await pilot.press("g")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, GuessScreen), what="the game")
    await wait_for(pilot, lambda: any(shown(pilot, GuessPanel)), what="its panel")


def revealed(sequence: int, *ports: int) -> Snapshot:
    """The lab's client is paused; its latest request went to the last of these, and the X-ray knows of it."""
    xray = xray_of("round_robin", *ports)
    picks = [replace(pick, request_id=str(number)) for number, pick in enumerate(xray.picks, start=1)]
    feed = [
        request(number, attempts=(answered_by(port),), request_id=str(number))
        for number, port in enumerate(ports, start=1)
    ]
    return running(sequence, traffic=PAUSED, feed=tuple(feed), xray=replace(xray, picks=tuple(picks)))


async def test_leaving_the_game_twice_leaves_nothing_else() -> None:
    """The client is told to go on before the screen goes; whoever presses esc again meanwhile must not close two."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await pilot.press("g")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, GuessScreen), what="the game")
        game = pilot.app.screen
        assert isinstance(game, GuessScreen)
        for _ in range(3):
            game.action_leave()
        await wait_for(pilot, lambda: pilot.app.screen is dashboard(pilot), what="the dashboard")
        await pilot.pause()
        assert pilot.app.screen is dashboard(pilot)
        assert lab.commands == [("toggle_traffic",), ("toggle_traffic",)]


async def test_a_guess_fires_one_request_and_is_revealed() -> None:
    """The client is paused first; the answer comes with the X-ray's sentence, and counts; then the client goes on."""
    lab = FakeLab()
    async with dashboard_of(lab, running(xray=xray_of("round_robin", 71))) as pilot:
        await open_game(pilot)
        await wait_for(pilot, lambda: lab.commands == [("toggle_traffic",)], what="the pause")
        await pilot.press("2")
        assert lab.commands == [("toggle_traffic",)], "nothing is fired before the client has stopped"
        await show(pilot, lab, revealed(2, 71))
        await wait_for(pilot, lambda: "Press its number" in "".join(shown(pilot, GuessPanel)), what="the question")
        assert "next" not in "".join(shown(pilot, GuessPanel)[3:8]), "the answer isn't given away"
        await pilot.press("2")
        await wait_for(pilot, lambda: lab.commands[1:] == [("fire_once",)], what="the request")
        assert "You say 72" in "".join(shown(pilot, GuessPanel))
        await show(pilot, lab, revealed(3, 71, 72))
        await wait_for(pilot, lambda: "✓ Right: nginx picked 72." in shown(pilot, GuessPanel), what="the answer")
        assert "it went to 72: its current weight" in "".join(shown(pilot, GuessPanel))
        await pilot.press("1")
        await show(pilot, lab, revealed(4, 71, 72, 73))
        await wait_for(
            pilot, lambda: "✗ You said 71: nginx picked 73." in shown(pilot, GuessPanel), what="the second answer"
        )
        assert "Score: 1 of 2 right" in shown(pilot, GuessPanel)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert lab.commands.count(("toggle_traffic",)) == 2


async def test_another_clients_request_is_no_answer() -> None:
    """The learner's own is one as soon as it is in the feed; the X-ray explains it when it has gone through it."""
    lab = FakeLab()
    async with dashboard_of(lab, revealed(1, 71)) as pilot:
        await open_game(pilot)
        await pilot.press("2")
        await wait_for(pilot, lambda: lab.commands == [("fire_once",)], what="the request, and no pause")
        foreign = revealed(2, 71, 72)
        feed = (foreign.feed[0], replace(foreign.feed[1], client="curl/8"))
        await show(pilot, lab, replace(foreign, feed=feed))
        assert "on its way" in "".join(shown(pilot, GuessPanel))
        early = revealed(3, 71, 72, 73)
        assert early.xray is not None
        await show(pilot, lab, replace(early, feed=(*feed, early.feed[2]), xray=replace(early.xray, picks=())))
        await wait_for(pilot, lambda: "nginx picked 73." in "".join(shown(pilot, GuessPanel)), what="the answer")
        assert "it went to 73" not in "".join(shown(pilot, GuessPanel))
        await show(pilot, lab, replace(early, sequence=4, feed=(*feed, early.feed[2])))
        await wait_for(pilot, lambda: "it went to 73" in "".join(shown(pilot, GuessPanel)), what="the explanation")
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert lab.commands == [("fire_once",)], "a client that was paused stays so"


async def test_a_request_that_went_by_among_too_many_is_given_up() -> None:
    """Another client sent so many that the feed has passed over it: the game goes on."""
    lab = FakeLab()
    async with dashboard_of(lab, revealed(1, 71)) as pilot:
        await open_game(pilot)
        await pilot.press("2")
        feed = tuple(request(number, client="wrk") for number in range(600, 1100))
        await show(pilot, lab, running(2, traffic=PAUSED, feed=feed, xray=xray_of("round_robin", 71)))
        assert "on its way" in "".join(shown(pilot, GuessPanel)), "its answer isn't there yet"
        await show(
            pilot, lab, running(3, traffic=replace(PAUSED, answered=1), feed=feed, xray=xray_of("round_robin", 71))
        )
        await wait_for(pilot, lambda: "went by" in "".join(shown(pilot, GuessPanel)), what="the reason")


async def test_the_game_opens_from_the_xray_and_leads_back_to_it() -> None:
    """As the tour suggests; it says that the client pauses."""
    lab = FakeLab()
    async with dashboard_of(lab, running(xray=xray_of("round_robin", 71))) as pilot:
        await open_xray(pilot)
        await open_game(pilot)
        await show(pilot, lab, revealed(2, 71))
        await wait_for(pilot, lambda: "The lab's client pauses" in "".join(shown(pilot, GuessPanel)), what="the pause")
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert is_seen(dashboard(pilot).query_one(XRayTable))


async def test_hints_can_be_hidden_and_a_refusal_is_told() -> None:
    """Without hints there are question marks; a lab that can't fire says why, and another guess may follow."""
    lab = FakeLab()
    async with dashboard_of(lab, revealed(1, 71)) as pilot:
        await open_game(pilot)
        await pilot.press("h")
        await wait_for(pilot, lambda: "?" in shown(pilot, GuessPanel)[3], what="hidden hints")
        lab.refuses = LabError("The lab's client has ended: R starts it again.")
        await pilot.press("1")
        await wait_for(pilot, lambda: any("has ended" in toast for toast in toasts(pilot)), what="the reason")
        await wait_for(pilot, lambda: "on its way" not in "".join(shown(pilot, GuessPanel)), what="the question again")
