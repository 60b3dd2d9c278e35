"""Whether a process lives, and what becomes of that when somebody sets the clock."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from lab.backends.desk import Desk
from lab.machine.living import birth, lives
from lab.machine.runtime import NEWBORN_SECONDS, RuntimeFolder, sweep

REQUEST = "0123456789abcdef" * 2
"""An ID as nginx gives one."""


def test_a_process_lives_until_it_has_ended() -> None:
    """One that nobody has reaped yet has ended, too; another birth is another process."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        born = birth(process.pid)
        assert lives(process.pid, born)
        assert not lives(process.pid, born - 1)
        process.kill()
        deadline = time.monotonic() + 5
        while lives(process.pid, born):
            assert time.monotonic() < deadline
    assert not lives(process.pid, born)
    with pytest.raises(ProcessLookupError):
        birth(process.pid)


@pytest.fixture
def another_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has set the clock back by a day: the kernel's time of boot goes with it."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 86_400)
    if sys.platform == "linux":
        booted = psutil.boot_time()
        monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted - 86_400)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RuntimeFolder:
    """Of this process, made before the clock was set."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return RuntimeFolder.create()


def test_a_living_lab_is_not_swept_away_when_the_clock_is_set(folder: RuntimeFolder, another_clock: None) -> None:
    """Its birth is not told by the time of day, or the next lab would take it for dead and end its nginx."""
    sweep()
    assert folder.path.exists()


def test_a_folder_that_is_just_being_made_is_left_when_the_clock_is_set(
    folder: RuntimeFolder, another_clock: None
) -> None:
    """It is then as old as tomorrow."""
    (folder.path / "owner.json").unlink()
    tomorrow = time.time() + NEWBORN_SECONDS + 86_400
    os.utime(folder.path, (tomorrow, tomorrow))
    sweep()
    assert folder.path.exists()


def test_a_backend_counts_on_when_the_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says of a request then is that it ended before it came."""
    desk = Desk()
    visit = desk.accept(REQUEST)
    monkeypatch.setattr(time, "time", lambda: visit.arrived - 3600)
    desk.dismiss(visit, is_served=True)
    assert visit.done == visit.arrived - 3600
    assert desk.recall(REQUEST) is visit
