"""Keys, clicks and the palette turn into the lab's commands."""

from dataclasses import replace

import pytest

from lab.errors import LabError
from lab.faults.fault import Fault, FaultKind
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import CHOICES, running, starting
from tests.tui.showing import chosen_port, dashboard, dashboard_of, toasts
from tests.waiting import wait_for
from tui.widgets.algorithm_bar import AlgorithmChip
from tui.widgets.backend_grid import BackendGrid


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("2", ("use_algorithm", "least_conn")),
        ("8", ("use_algorithm", "least_time")),
        ("k", ("kill_backend", 72)),
        ("r", ("restart_backend", 72)),
        ("f", ("toggle_freeze", 72)),
        ("s", ("slow_backend", 72)),
        ("w", ("change_weight", 72, 1)),
        ("W", ("change_weight", 72, -1)),
        ("d", ("toggle_down", 72)),
        ("b", ("toggle_backup", 72)),
        ("u", ("undo_faults", 72)),
        ("a", ("add_backend",)),
        ("A", ("remove_backend", 72)),
        ("R", ("repair",)),
        ("space", ("toggle_traffic",)),
        ("plus", ("step_rate", 1)),
        ("equals_sign", ("step_rate", 1)),
        ("minus", ("step_rate", -1)),
        ("enter", ("fire_once",)),
        ("z", ("zero_counters",)),
    ],
)
async def test_key_gives_its_command_for_the_chosen_backend(key: str, command: tuple[str | int, ...]) -> None:
    """Each key gives one command, and those for a backend name the one under the cursor."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await pilot.press("j", key)
        await wait_for(pilot, lambda: lab.commands == [command], what=f"{command} and nothing else")


async def test_cursor_moves_with_the_arrows_and_stops_at_the_ends() -> None:
    """Down, j and up choose a backend; beyond the last there is none."""
    async with dashboard_of(FakeLab(), running(backends=3)) as pilot:
        await pilot.press("up")
        assert chosen_port(pilot) == 71
        await pilot.press("down", "j", "j")
        assert chosen_port(pilot) == 73
        await pilot.press("up")
        assert chosen_port(pilot) == 72


async def test_command_that_the_lab_refuses_becomes_a_toast_of_plain_text() -> None:
    """The lab's sentence is shown as it is, whatever markup or escape sequence it holds."""
    lab = FakeLab()
    lab.refuses = LabError("nginx: [emerg] [red]bad[/red] \x1b[31mdirective")
    async with dashboard_of(lab) as pilot:
        await pilot.press("d")
        await wait_for(pilot, lambda: bool(toasts(pilot)), what="the toast")
        assert "nginx: [emerg] [red]bad[/red] ␛[31mdirective" in toasts(pilot)[0]
        assert pilot.app.is_running


async def test_keys_do_nothing_while_the_lab_starts() -> None:
    """There is no backend to kill yet, and no nginx to reload."""
    lab = FakeLab(starts=False)
    async with dashboard_of(lab, starting("nginx: starting")) as pilot:
        await pilot.press("k", "2", "space", "enter", "z", "j", "e", "u", "a", "A", "R", "o")
        await pilot.pause()
        assert lab.commands == []
        assert pilot.app.screen is dashboard(pilot)
        lab.may_start.set()


async def test_algorithm_that_nginx_lacks_is_explained_instead_of_chosen() -> None:
    """The lab isn't bothered; a toast says what it would need."""
    lab = FakeLab()
    missing = replace(CHOICES[7], is_available=False, why_not="needs nginx 1.31.0 or newer")
    async with dashboard_of(lab, running(algorithms=(*CHOICES[:7], missing))) as pilot:
        chip = list(dashboard(pilot).query(AlgorithmChip))[7]
        assert chip.has_class("-unavailable")
        assert "needs nginx 1.31.0" in str(chip.tooltip)
        await pilot.press("8")
        await wait_for(pilot, lambda: bool(toasts(pilot)), what="the toast")
        assert "needs nginx 1.31.0 or newer" in toasts(pilot)[0]
        assert lab.commands == []


async def test_click_on_an_algorithm_switches_to_it() -> None:
    """The bar is a row of buttons."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        chips = list(dashboard(pilot).query(AlgorithmChip))
        assert [chip.has_class("-active") for chip in chips] == [True, *[False] * 7]
        await pilot.click(chips[4])
        await wait_for(pilot, lambda: lab.commands == [("use_algorithm", "ip_hash")], what="ip_hash")


async def test_click_on_a_backend_chooses_it() -> None:
    """A click on a row moves the cursor there; the first line is the heading."""
    async with dashboard_of(FakeLab()) as pilot:
        await pilot.click(BackendGrid, offset=(20, 4))
        assert chosen_port(pilot) == 73


async def test_click_on_the_footer_does_what_the_key_does() -> None:
    """The keys in the footer are buttons."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        key = next(key for key in pilot.app.screen.query("FooterKey") if getattr(key, "key", "") == "u")
        await pilot.click(key)
        await wait_for(pilot, lambda: lab.commands == [("undo_faults", 71)], what="the undoing")


async def test_footer_shows_the_keys_that_matter_most() -> None:
    """Few enough to be read at a glance, and to fit 80 columns."""
    async with dashboard_of(FakeLab(), size=(80, 24)) as pilot:
        keys = [getattr(key, "key", "") for key in pilot.app.screen.query("FooterKey")]
        assert keys == ["e", "u", "space", "plus", "minus", "l", "n", "question_mark", "q"]
        assert max(key.region.right for key in pilot.app.screen.query("FooterKey")) <= 80


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("consistent", ("use_algorithm", "hash_consistent")),
        ("errors 503", ("inject", 71, Fault(FaultKind.ERRORS, status=503))),
        ("reset, 30", ("inject", 71, Fault(FaultKind.RESET, share=0.3))),
        ("repair", ("repair",)),
    ],
)
async def test_palette_runs_an_action_by_its_name(typed: str, command: tuple[object, ...]) -> None:
    """Typing a part of a name, of an algorithm or a fault for instance, and enter does it."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await pilot.press("ctrl+p", *typed)
        options = pilot.app.screen.query_one("CommandList")
        await wait_for(pilot, lambda: getattr(options, "option_count", 0) > 0, what="a hit")
        await pilot.press("enter")
        await wait_for(pilot, lambda: lab.commands == [command], what=f"{command} and nothing else")


async def test_theme_key_switches_between_dark_and_light() -> None:
    """Two themes, one key."""
    async with dashboard_of(FakeLab()) as pilot:
        assert pilot.app.theme == "lablb-dark"
        await pilot.press("t")
        assert pilot.app.theme == "lablb-light"
