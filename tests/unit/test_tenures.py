"""Which process of a port answered, though it is asked about later."""

from dataclasses import dataclass

import pytest

from lab.backends.tenures import LAG_SECONDS, REMEMBERED, UNBORN_SECONDS, Tenures
from tests.unit.clock import FakeClock

EPOCH = 1_700_000_000.0
"""The time of day when the clock shows 0."""


@dataclass
class Process:
    pid: int


class History:
    """Two processes of a port: the first from 0 to 10 s, the second from 10.1 s on."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.began = self.clock()
        self.offset = EPOCH - self.began
        self.tenures = Tenures(self.clock, lambda: self.clock() + self.offset)
        self.first, self.second = Process(1001), Process(1002)
        self.tenures.begin(self.first)
        self.clock.advance(10)
        self.tenures.end(self.first)
        self.clock.advance(0.1)
        self.tenures.begin(self.second)
        self.clock.advance(5)

    def pid_at(self, seconds: float) -> int | None:
        return self.tenures.pid_at(self.began + self.offset + seconds)


@pytest.mark.parametrize(
    ("seconds", "pid"),
    [
        (UNBORN_SECONDS / 2, None),
        (1.0, 1001),
        (9.999, 1001),
        (10.001, 1001),
        (10.1 + UNBORN_SECONDS - 0.001, 1001),
        (10.1 + UNBORN_SECONDS + 0.001, 1002),
        (15.0, 1002),
    ],
)
def test_the_pid_is_that_of_the_process_that_had_the_port_then(seconds: float, pid: int | None) -> None:
    """Asked when another process has it; what nginx logs a moment after the first one's end was that one's."""
    assert History().pid_at(seconds) == pid


def test_after_the_end_of_the_last_process_nobody_answered() -> None:
    """It may have been somebody else's server; before its end, and a moment after, it was that process."""
    history = History()
    history.tenures.end(history.second)
    history.clock.advance(2 * LAG_SECONDS)
    assert history.pid_at(15.1) == 1002
    assert history.pid_at(15.1 + LAG_SECONDS - 0.01) == 1002
    assert history.pid_at(15.1 + LAG_SECONDS + 0.01) is None


def test_a_clock_that_is_set_changes_nothing() -> None:
    """What nginx logs from then on has the new time of day, and so has the asking."""
    for hours in (-1, 1):
        history = History()
        history.offset += hours * 3600
        assert history.pid_at(15.0) == 1002
        assert history.pid_at(9.0) == 1001


def test_a_pid_that_is_told_later_counts() -> None:
    """What was started may only have started the process that serves, as a venv's python.exe does."""
    history = History()
    history.second.pid = 2002
    assert history.pid_at(14.0) == 2002


def test_only_the_latest_processes_are_remembered() -> None:
    """However often a backend crashes."""
    tenures = Tenures(clock := FakeClock(), clock)
    for pid in range(100):
        tenures.begin(process := Process(pid))
        clock.advance(1)
        tenures.end(process)
    assert len(tenures._tenures) == REMEMBERED
    assert tenures.pid_at(clock() - 0.5) == 99


def test_before_any_process_there_is_none() -> None:
    """A port that nobody has had yet."""
    assert Tenures().pid_at(EPOCH) is None
