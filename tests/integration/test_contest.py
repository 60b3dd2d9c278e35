"""A comparison beside a lab that runs, on real processes: from the dashboard and without it."""

import asyncio
import signal
import sys
from contextlib import aclosing
from pathlib import Path

import pexpect
import pytest

from lab.errors import LabError
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import LABLB, commands_in, only_one, running, wait_until

WORKER = "lab.comparison.worker"


@pytest.mark.timeout(120)
async def test_a_comparison_beside_a_lab_finds_and_leaves_nothing_behind(
    start_lab: StartLab, place: Place, nginx: str
) -> None:
    """The lab's client pauses meanwhile and goes on; all algorithms met as many requests, on ports of their own."""
    lab = await start_lab(nginx=nginx, is_firing=True)
    driver, before = lab.parts.driver, len(commands_in(place.folder))
    titles, most_folders = [], 0
    async with aclosing(lab.compare("even", 0.5)) as standings:
        async for standing in standings:
            assert driver.is_paused
            titles.append(standing.title)
            most_folders = max(most_folders, len(place.runtime_folders))
            if standing.is_over:
                break
    assert list(dict.fromkeys(titles)) == ["round robin", "least conn", "random", "random two", "round robin, again"]
    assert most_folders == 2
    assert not driver.is_paused
    assert (len(commands_in(place.folder)), len(place.runtime_folders)) == (before, 1)
    runs = standing.comparison.runs
    assert len({run.sent for run in runs}) == 1
    assert all(run.answered == run.sent > 30 for run in runs)
    assert {int(share.name) for run in runs for share in run.shares}.isdisjoint(
        (lab.parts.ports.nginx, *lab.parts.fleet.ports)
    )
    path = await lab.save_comparison(standing.comparison)
    assert path.parent == Path.cwd()
    assert "round robin, again" in path.read_text(encoding="utf-8")


async def test_a_comparison_that_is_closed_ends_with_all_that_belongs_to_it(start_lab: StartLab, place: Place) -> None:
    """In the middle of a run; a client that was paused stays so, and there may be only one at a time."""
    lab = await start_lab()
    before = len(commands_in(place.folder))
    async with aclosing(lab.compare("one-dies", 30.0)) as standings:
        assert (await anext(standings)).number == 1
        assert running(WORKER, place.folder)
        async with aclosing(lab.compare("even", 1.0)) as others:
            with pytest.raises(LabError, match="under way already"):
                await anext(others)
    assert (len(commands_in(place.folder)), len(place.runtime_folders)) == (before, 1)
    assert lab.parts.driver.is_paused


async def test_a_comparison_whose_process_dies_says_so(start_lab: StartLab, place: Place) -> None:
    """Its lab goes with it, and the client of the one that runs goes on."""
    lab = await start_lab(is_firing=True)

    async def follow() -> None:
        async with aclosing(lab.compare("even", 30.0)) as standings:
            async for standing in standings:
                if standing.number:
                    only_one(running(WORKER, place.folder)).kill()

    with pytest.raises(LabError, match="ended before its time"):
        await follow()
    assert not lab.parts.driver.is_paused
    await asyncio.to_thread(wait_until, lambda: len(place.runtime_folders) == 1, what="the end of its lab", seconds=4.0)


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect needs a pseudo-terminal")
@pytest.mark.parametrize("end", ["escape", "ctrl+c", "kill -9"])
def test_however_the_dashboard_goes_its_comparison_goes_too(place: Place, end: str) -> None:
    """Escape leaves the dashboard running, ctrl+c ends it in good order, and kill -9 in none."""
    terminal = pexpect.spawn(str(LABLB), ["-q", "50", *place.port_options], dimensions=(36, 120), timeout=30)
    wait_until(lambda: terminal.read_nonblocking(65536, timeout=5) and place.is_traffic_flowing(), what="traffic")
    terminal.send("c")
    terminal.expect("Compare algorithms")
    terminal.send("\r")
    terminal.expect("run 1 of 5")
    assert len(place.runtime_folders) == 2
    if end == "escape":
        terminal.send("\x1b")
        terminal.expect("End this comparison")
        terminal.send("q")
        wait_until(lambda: not running(WORKER, place.folder), what="the end of the comparison")
        wait_until(lambda: len(place.runtime_folders) == 1, what="the end of its lab")
        assert terminal.isalive()
    if end == "kill -9":
        terminal.kill(signal.SIGKILL)
    else:
        terminal.send("\x03")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    place.wait_until_empty()
