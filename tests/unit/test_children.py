"""Which children a process has."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from lab.machine.children import Children

SLEEPER = [sys.executable, "-c", "input()"]


@pytest.fixture
def sleepers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two children of this process."""
    started = [subprocess.Popen(SLEEPER, stdin=subprocess.PIPE) for _ in range(2)]
    yield started
    for each in started:
        each.kill()
        each.communicate()


def soon(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline


def test_they_are_the_ones_that_psutil_finds(sleepers: list[subprocess.Popen[bytes]]) -> None:
    """Without those that have ended, reaped or not."""
    children = Children(os.getpid())
    known = set(children.pids())
    assert known >= {each.pid for each in sleepers}
    assert known == {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}
    ended, goes_on = sleepers
    ended.kill()
    soon(lambda: ended.pid not in children.pids())
    assert goes_on.pid in children.pids()
    assert Children(goes_on.pid).pids() == ()


def test_one_that_a_list_lacks_is_still_known(
    sleepers: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a list may that is read while another child ends; one that nobody knew yet is found later."""
    lists = [[sleepers[0].pid], [], [each.pid for each in sleepers]]
    monkeypatch.setattr(Children, "_listed", lambda _: lists.pop(0))
    children = Children(os.getpid())
    assert children.pids() == (sleepers[0].pid,)
    assert children.pids() == (sleepers[0].pid,)
    assert set(children.pids()) == {each.pid for each in sleepers}


def test_a_parent_that_has_ended_has_none(sleepers: list[subprocess.Popen[bytes]]) -> None:
    """Though they may go on for a moment, as nginx's workers do when its master is killed."""
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'input()']).pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        children = Children(parent.pid)
        assert children.pids() == (child,)
        parent.kill()
        soon(lambda: not children.pids())
