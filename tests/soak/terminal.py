"""The real dashboard in a terminal: resized again and again under load, and given thousands of random keys."""

import contextlib
import random
import time
from collections.abc import Iterator
from typing import Any

import pexpect
import pyte

from tests.integration.conftest import Place
from tests.integration.facts import LABLB

ROWS, COLUMNS = 36, 120
LOAD = ("-q", "500")
READ_SECONDS = 0.05
START_SECONDS = 60.0
QUIT_SECONDS = 300.0
"""It takes keys one after the other, and thousands of them are still on their way when the last one is typed."""
LEAVE = "\rqq"
"""Quits from wherever it is: leaves the filter or opens a request, closes what is open, and quits."""
KEYS = (
    *"abcdefghijklmnoprstuvwxyz0123456789 +-/?.=AWR",  # all that does something, but for q
    *("\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~"),  # arrows and pages
    *("\t", "\r", "\x1b", "\x7f", "\x1bOP"),  # tab, enter, escape, backspace, F1
)
"""None quits: neither `q` nor Ctrl with anything, nor Ctrl-P, since the palette has a line that does."""
KEYS_AT_ONCE = 25


class Terminal:
    """A dashboard and what it paints."""

    def __init__(self, place: Place) -> None:
        arguments = [*LOAD, *place.port_options]
        self._process: Any = pexpect.spawn(str(LABLB), arguments, dimensions=(ROWS, COLUMNS), timeout=QUIT_SECONDS)
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """What is to be seen."""
        return "\n".join(self._screen.display)

    def resize(self, rows: int, columns: int) -> None:
        """As a person does who drags the window's corner."""
        self._process.setwinsize(rows, columns)
        self._screen.resize(rows, columns)
        self.read(READ_SECONDS)

    def press(self, keys: str | bytes) -> None:
        self._process.send(keys)
        self.read(READ_SECONDS)

    def read(self, seconds: float) -> None:
        """Paint what comes within that time.

        Raises:
            AssertionError: the dashboard has ended.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._stream.feed(self._process.read_nonblocking(65536, timeout=left))
            except pexpect.TIMEOUT:
                return
            except pexpect.EOF:
                raise AssertionError(f"the dashboard has ended; last it showed:\n{self.text}") from None

    def wait_for(self, words: str) -> None:
        """Return when the words are to be seen.

        Raises:
            AssertionError: they weren't in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while words not in self.text:
            assert time.monotonic() < deadline, f"waited in vain for {words!r} in\n{self.text}"
            self.read(0.5)

    def quit(self) -> None:
        """Have it quit, which it does once it has taken all keys before, and see it end as it should.

        Raises:
            AssertionError: it doesn't.
        """
        rest = b""
        deadline = time.monotonic() + QUIT_SECONDS
        with contextlib.suppress(pexpect.EOF):
            while True:
                assert time.monotonic() < deadline, f"it doesn't quit:\n{self.text}"
                self._process.send(LEAVE)
                with contextlib.suppress(pexpect.TIMEOUT):
                    rest += (painted := self._process.read_nonblocking(65536, timeout=1))
                    self._stream.feed(painted)
        self._process.close()
        assert b"Traceback" not in rest, rest[-2000:]
        assert self._process.exitstatus == 0, (self._process.exitstatus, self._process.signalstatus)

    def kill(self) -> None:
        """If it hasn't ended; a busy machine may take longer for that than pexpect waits."""
        with contextlib.suppress(pexpect.ExceptionPexpect):
            self._process.close(force=True)


@contextlib.contextmanager
def dashboard(place: Place) -> Iterator[Terminal]:
    """A dashboard that runs; in the end it has to quit when asked, and to leave nothing."""
    terminal = Terminal(place)
    try:
        terminal.wait_for("ledger")
        yield terminal
        terminal.quit()
    finally:
        terminal.kill()
    place.wait_until_empty()


def resize(place: Place, rng: random.Random, times: int) -> str:
    """Any size, from too small to large."""
    with dashboard(place) as terminal:
        for _ in range(times):
            terminal.resize(rng.randint(1, 60), rng.randint(1, 200))
        terminal.resize(ROWS, COLUMNS)
        terminal.wait_for("ledger")
    return f"{times:,} sizes at {LOAD[1]} req/s; it goes on, and quits when asked"


def press_any_keys(place: Place, rng: random.Random, times: int) -> str:
    """Whatever they do; none of them quits."""
    with dashboard(place) as terminal:
        for _ in range(0, times, KEYS_AT_ONCE):
            terminal.press("".join(rng.choices(KEYS, k=KEYS_AT_ONCE)))
    return f"{times:,} keys at {LOAD[1]} req/s; it takes them all, and quits when asked"
