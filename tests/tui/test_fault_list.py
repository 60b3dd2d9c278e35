"""The list of faults: chosen by key, cursor or click, for the backend it was opened for."""

from dataclasses import replace

import pytest

from lab.faults.fault import Fault, FaultKind
from lab.nginx.belief import Belief, Standing
from lab.states import BackendState
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import backend, running
from tests.tui.showing import AppPilot, dashboard, dashboard_of, lines, show
from tests.waiting import wait_for
from tui.fault_choices import FAULT_CHOICES, Circumstances, circumstances_of
from tui.ink import plain_text
from tui.screens.dashboard import Dashboard
from tui.screens.fault_kit import FaultKit, FaultList, fault_lines

DEFAULT = ("error", "timeout")
AMONG_OTHERS = Circumstances(DEFAULT, others=4)
NARROWEST = 76


async def open_kit(pilot: AppPilot) -> FaultList:
    await pilot.press("e")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, FaultKit), what="the list of faults")
    await pilot.pause()
    return pilot.app.screen.query_one(FaultList)


def test_every_kind_of_fault_can_be_had() -> None:
    """All nine, in their order, each by a key of its own; errors in two ways."""
    kinds = list(dict.fromkeys(choice.fault.kind for choice in FAULT_CHOICES))
    assert kinds == list(FaultKind)
    assert len({choice.key for choice in FAULT_CHOICES}) == len(FAULT_CHOICES)
    assert len({choice.name for choice in FAULT_CHOICES}) == len(FAULT_CHOICES)


@pytest.mark.parametrize("choice", FAULT_CHOICES, ids=lambda choice: choice.name)
async def test_key_breaks_the_chosen_backend(choice: object) -> None:
    """Its key gives the fault with its figures to the backend under the cursor, and closes the list."""
    lab = FakeLab()
    wanted = next(each for each in FAULT_CHOICES if each is choice)
    async with dashboard_of(lab) as pilot:
        await pilot.press("j")
        await open_kit(pilot)
        await pilot.press(wanted.key)
        await wait_for(pilot, lambda: lab.commands == [("inject", 72, wanted.fault)], what="the fault, and no other")
        assert pilot.app.screen is dashboard(pilot)


async def test_cursor_and_click_break_as_well() -> None:
    """Enter takes what the cursor is on, a click what it hits: both lines of it."""
    lab = FakeLab()
    slow, kill = Fault(FaultKind.SLOW, service_time_ms=300), Fault(FaultKind.KILL)
    async with dashboard_of(lab) as pilot:
        await open_kit(pilot)
        await pilot.press("down", "j", "down", "down", "up", "enter")
        await wait_for(pilot, lambda: lab.commands == [("inject", 71, slow)], what="the fourth of the list")
        await open_kit(pilot)
        await pilot.click(FaultList, offset=(20, 3))
        await wait_for(pilot, lambda: lab.commands[1:] == [("inject", 71, kill)], what="the first of the list")


async def test_undo_in_the_list_and_leaving_it() -> None:
    """u undoes what was done to the backend; esc, q and e only close the list."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        for key in ("escape", "q", "e"):
            await open_kit(pilot)
            await pilot.press(key)
            await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert lab.commands == []
        await open_kit(pilot)
        await pilot.press("u")
        await wait_for(pilot, lambda: lab.commands == [("undo_faults", 71)], what="the undoing")
        assert lab.stop_calls == 0


async def test_fault_goes_to_the_backend_that_the_list_was_opened_for() -> None:
    """A backend that goes away meanwhile doesn't pass it on to its neighbour."""
    lab = FakeLab()
    async with dashboard_of(lab, running(backends=3)) as pilot:
        await pilot.press("j")
        await open_kit(pilot)
        await show(pilot, lab, replace(running(2), backends=(backend(71), backend(73))))
        await pilot.press("8")
        await wait_for(pilot, lambda: lab.commands == [("inject", 72, Fault(FaultKind.REFUSE))], what="72's fault")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_list_says_whose_it_is_and_is_whole(size: tuple[int, int]) -> None:
    """At 80 × 24 already all faults are there with both of their lines, uncut, and what is wrong now."""
    broken = backend(71, fault="errors 500, 30 %", state=BackendState.UP, belief=Belief(Standing.IN_USE))
    async with dashboard_of(FakeLab(), replace(running(), backends=(broken, backend(72))), size=size) as pilot:
        shown = lines(await open_kit(pilot))
        assert shown[0].strip() == "with proxy_next_upstream error timeout;"
        for choice in FAULT_CHOICES:
            for line in fault_lines(choice, AMONG_OTHERS, is_chosen=choice is FAULT_CHOICES[0]):
                assert plain_text(line) in shown
        assert str(pilot.app.screen.query_one(FaultList).border_title) == "Break 71 · now: errors 500, 30 %"


def said(kind: FaultKind, *rules: str) -> str:
    return told(kind, Circumstances(rules, others=4))


def told(kind: FaultKind, given: Circumstances) -> str:
    return next(choice for choice in FAULT_CHOICES if choice.fault.kind is kind).nginx_makes(given)


def test_what_nginx_makes_of_it_follows_the_rules_in_force() -> None:
    """Refusals and time-outs always count; whether another one is asked, and whether errors count, the rules say."""
    assert said(FaultKind.KILL, *DEFAULT) == "refused at once, it asks another one; counted as a failure"
    assert said(FaultKind.REFUSE) == "refused at once, and the client gets 502; counted as a failure"
    assert said(FaultKind.FREEZE, *DEFAULT) == "times out, asks another one (POST: 504); counted as a failure"
    assert said(FaultKind.SILENCE, "timeout", "non_idempotent") == "times out, asks another one; counted as a failure"
    assert said(FaultKind.SILENCE, "error") == "times out, and the client gets 504; counted as a failure"
    assert said(FaultKind.ERRORS, *DEFAULT) == "passed on to the client as it is: not retried, not counted"
    assert "http_500 is listed, so it asks another one; counted" in said(FaultKind.ERRORS, "http_500")
    assert "not retried, not counted" in said(FaultKind.TAIL, *DEFAULT)
    assert "cut 200; not counted" in said(FaultKind.RESET, *DEFAULT)


def test_nobody_else_is_asked_where_there_is_nobody_else() -> None:
    """An only backend's failures aren't even counted; beside others that are down or dead they are."""
    only = circumstances_of(replace(running(), backends=(backend(71),)), 71)
    assert told(FaultKind.KILL, only) == "refused at once, and the client gets 502; not counted: only one"
    assert told(FaultKind.FREEZE, only) == "times out, and the client gets 504; not counted: only one"
    unused = (backend(71), backend(72, is_down=True), backend(73, state=BackendState.KILLED))
    last = circumstances_of(replace(running(), backends=unused), 71)
    assert told(FaultKind.KILL, last) == "refused at once, and the client gets 502; counted as a failure"
    assert told(FaultKind.KILL, circumstances_of(replace(running(), backends=unused), 73)).startswith(
        "refused at once, it asks"
    )


@pytest.mark.parametrize("rules", [(), DEFAULT, ("http_500", "http_503", "timeout", "non_idempotent")])
def test_no_line_is_wider_than_the_narrowest_list(rules: tuple[str, ...]) -> None:
    """80 columns, less frame and padding."""
    for choice in FAULT_CHOICES:
        for line in fault_lines(choice, Circumstances(rules, is_only=True), is_chosen=True):
            assert len(plain_text(line)) <= NARROWEST
