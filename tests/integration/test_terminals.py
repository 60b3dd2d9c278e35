"""What the dashboard makes of terminals that send no text, vanish, or were somebody else's for a while."""

import contextlib
import os
from typing import Any

import pexpect
import psutil
import pytest

from tests.integration.conftest import Place
from tests.integration.facts import LABLB, commands_in, only_one, wait_until
from tests.soak.terminal import Terminal, dashboard

ENTER_SCREEN, LEAVE_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
"""xterm's second screen, on which nothing that was there before is painted over."""


def test_a_byte_that_is_no_text_ends_no_dashboard(place: Place) -> None:
    """It is dropped, with what came at the same moment; `dashboard` sees that it quits with 0 and leaves nothing."""
    with dashboard(place) as terminal:
        for byte in (b"\xff", b"\xc3(", b"\xff\xfe\xfd"):
            terminal.press(byte)
        wait_until(lambda: _is_heard(terminal), what="a key to be heard", seconds=20)


def _is_heard(terminal: Terminal) -> bool:
    terminal.press("R")
    return "nothing to start again" in " ".join(terminal.text.split())


@pytest.mark.parametrize("takes_long", [False, True], ids=["soon", "after_seconds"])
def test_a_dashboard_whose_terminal_vanishes_ends(place: Place, *, takes_long: bool) -> None:
    """A closed window, a lost connection: nobody reads what is painted any more, and that holds nothing up.

    Not even when ending takes long, as it does with a stopped nginx, and much is painted meanwhile.
    """
    options = ["-q", "500", *place.port_options]
    terminal: Any = pexpect.spawn(str(LABLB), options, dimensions=(60, 200), timeout=30)
    wait_until(lambda: terminal.read_nonblocking(65536, timeout=5) and place.is_traffic_flowing(), what="traffic")
    if takes_long:
        only_one([p for p, command in commands_in(place.folder) if "nginx: master" in " ".join(command)]).suspend()
    terminal.ptyproc.fileobj.close()  # not by its number, which is somebody else's by the time that pexpect closes it
    wait_until(lambda: os.waitid(os.P_PID, terminal.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), what="its end")
    _, status = os.waitpid(terminal.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    place.wait_until_empty()


def test_a_dashboard_that_was_stopped_takes_its_terminal_anew(place: Place) -> None:
    """And gives it back as it was before, however often that happened."""
    terminal: Any = pexpect.spawn(str(LABLB), ["-q", "50", *place.port_options], dimensions=(36, 120), timeout=30)
    terminal.expect_exact(ENTER_SCREEN)
    terminal.expect_exact(b"ledger")
    process = psutil.Process(terminal.pid)
    for _ in range(2):
        process.suspend()
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, what="it to be stopped")
        process.resume()
        terminal.expect_exact(LEAVE_SCREEN)
        terminal.expect_exact(ENTER_SCREEN)
        terminal.expect_exact(b"ledger")
    terminal.send("q")
    with contextlib.suppress(pexpect.EOF):
        terminal.expect_exact(LEAVE_SCREEN)
        terminal.expect_exact(ENTER_SCREEN)
        pytest.fail("it took the terminal once more, though it was told to quit")
    terminal.close()
    assert terminal.exitstatus == 0
    place.wait_until_empty()
