"""How the dashboard begins and ends."""

import asyncio
import contextvars

import pytest

from lab.errors import NotReadyError
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import running, starting
from tests.tui.showing import dashboard, dashboard_of, is_seen, show, text_of, toasts
from tests.waiting import wait_for
from tui.app import LabApp, run_dashboard
from tui.widgets.backend_grid import BackendGrid
from tui.widgets.curtain import Curtain


async def test_start_shows_the_steps_and_then_the_dashboard() -> None:
    """While the lab starts, what it did and what it does is listed; then the backends are there."""
    lab = FakeLab(starts=False)
    async with dashboard_of(lab, starting("backends: starting")) as pilot:
        await show(pilot, lab, starting("nginx: testing the configuration", sequence=2))
        curtain = text_of(pilot, Curtain)
        assert "✓ backends: starting" in curtain
        assert "nginx: testing the configuration" in curtain
        assert is_seen(dashboard(pilot).query_one(Curtain))
        lab.may_start.set()
        await show(pilot, lab, running(sequence=3))
        assert not is_seen(dashboard(pilot).query_one(Curtain))
        assert is_seen(dashboard(pilot).query_one(BackendGrid))


async def test_lab_that_cannot_start_ends_the_app_with_its_error() -> None:
    """A LabError from the start is the app's result, and the lab is stopped."""
    error = NotReadyError("Port 70 is held by nginx (pid 123).")
    lab = FakeLab(start_error=error)
    app = LabApp(lab)
    async with app.run_test() as pilot:
        await wait_for(pilot, lambda: app.return_value is error, what="the error as the app's result")
    assert lab.stop_calls == 1


async def test_unexpected_error_of_the_start_is_not_swallowed() -> None:
    """What is no LabError crashes the app."""
    lab = FakeLab(start_error=ZeroDivisionError("boom"))
    with pytest.raises(Exception, match="boom"):
        async with LabApp(lab).run_test() as pilot:
            await wait_for(pilot, lambda: not pilot.app.is_running, what="the crash")


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quitting_waits_for_the_lab_to_stop(key: str) -> None:
    """The app says that it is stopping, and is gone no sooner than the lab has stopped."""
    lab = FakeLab(stops=False)
    app = LabApp(lab)
    async with app.run_test(size=(120, 36)) as pilot:
        await show(pilot, lab, running())
        await pilot.press(key)
        await wait_for(pilot, lambda: lab.stop_calls == 1, what="the lab being told to stop")
        assert app.is_running
        await wait_for(pilot, lambda: "Stopping the lab" in text_of(pilot, Curtain), what="the word that it stops")
        await pilot.press(key)
        lab.may_stop.set()
        await wait_for(pilot, lambda: not app.is_running, what="the end of the app")
    assert lab.stop_calls == 1
    assert app.return_value is None


async def test_signal_handler_can_quit() -> None:
    """Asked from outside the app, it ends as with the key."""
    lab = FakeLab()
    app = LabApp(lab)
    async with app.run_test() as pilot:
        await show(pilot, lab, running())
        asyncio.get_running_loop().call_soon(app.quit_soon, context=contextvars.Context())
        await wait_for(pilot, lambda: not app.is_running, what="the end of the app")
    assert lab.stop_calls == 1


async def test_quitting_during_the_start_gives_the_start_up() -> None:
    """Nobody has to wait for a start that hangs."""
    lab = FakeLab(starts=False)
    app = LabApp(lab)
    async with app.run_test() as pilot:
        await wait_for(pilot, lambda: lab.start_calls == 1, what="the start")
        await pilot.press("q")
        await wait_for(pilot, lambda: not app.is_running, what="the end of the app")
    assert lab.stop_calls == 1


async def test_lab_is_stopped_when_the_app_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends the app, the lab is stopped."""

    async def crash(_: LabApp) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(LabApp, "run_async", crash)
    lab = FakeLab()
    with pytest.raises(ZeroDivisionError):
        await run_dashboard(LabApp(lab))
    assert lab.stop_calls == 1


async def test_what_ends_the_app_from_another_thread_is_an_error_too() -> None:
    """Textual prints its traceback, and would have the command end with 0."""
    lab = FakeLab()
    app = LabApp(lab)

    async def panic_soon() -> None:
        async with app.run_test() as pilot:
            await wait_for(pilot, lambda: lab.start_calls == 1, what="the start")
            app.panic("it broke")

    app.run_async = panic_soon  # type: ignore[method-assign,assignment]
    with pytest.raises(SystemExit) as ended:
        await run_dashboard(app)
    assert ended.value.code == 1
    assert lab.stop_calls == 1


async def test_notices_are_shown_once_and_stay_in_the_help() -> None:
    """What a person should know about the start comes as a toast, and can be read again."""
    lab = FakeLab()
    notice = "Port 70 isn't allowed here, so the lab uses 8070."
    async with dashboard_of(lab, running(notices=(notice,))) as pilot:
        await wait_for(pilot, lambda: len(toasts(pilot)) == 1, what="the toast")
        await show(pilot, lab, running(sequence=2, notices=(notice,)))
        assert len(toasts(pilot)) == 1
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: bool(pilot.app.screen.query("Document")), what="the help")
        document = pilot.app.screen.query_one("Document")
        assert "Port 70 isn't allowed here" in document.render_line(0).text
