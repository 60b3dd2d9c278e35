"""A log that somebody cuts, removes or replaces while it is read."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.logs.error_log import ErrorLog, worker_death
from lab.logs.log_file import (
    MAX_LOG_BYTES,
    MIN_LOG_BYTES,
    MOST_REOPENINGS,
    REOPENING_SECONDS,
    LogFile,
    most_log_bytes,
)
from tests.unit.clock import FakeClock


class Followed:
    """A log file, what was told of it, and a pen that writes as nginx does: on into the file that it has open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = FakeClock()
        self.told: list[str] = []
        self.log = LogFile(path, self.clock, tell=self.told.append)
        self._pen = path.open("ab", buffering=0)

    def write(self, text: str) -> None:
        self._pen.write(text.encode())

    def reopen(self) -> None:
        """As nginx does when it is told."""
        self._pen.close()
        self._pen = self.path.open("ab", buffering=0)

    def close(self) -> None:
        self._pen.close()
        self.log.close()

    def lines(self) -> list[str]:
        return [line.decode() for line in self.log.lines()]

    def reopen_if_wanted(self) -> bool:
        """What the log's owner does."""
        if not self.log.wants_reopening:
            return False
        self.reopen()
        self.log.note_reopening()
        return True


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    """With one line that was read."""
    followed = Followed(tmp_path / "access.log")
    followed.write("first\n")
    assert followed.lines() == ["first"]
    yield followed
    followed.close()


def test_a_log_that_is_cut_is_read_on_from_its_beginning(followed: Followed) -> None:
    """Half a line that was read before is gone with it."""
    followed.write("hal")
    assert followed.lines() == []
    os.truncate(followed.path, 0)
    assert followed.lines() == []
    followed.write("second\n")
    assert followed.lines() == ["second"]
    assert followed.told == ["Somebody has cut access.log: it is read on from its beginning."]
    assert not followed.log.wants_reopening


def test_a_log_that_is_removed_is_made_anew_and_loses_no_line(followed: Followed) -> None:
    """nginx writes on to the file without a name until it is told, and what it writes there is read."""
    followed.path.unlink()
    assert followed.lines() == []
    assert followed.told == ["Somebody has removed access.log: nginx makes it anew."]
    followed.write("nameless\n")
    assert followed.reopen_if_wanted()
    followed.write("named\n")
    assert followed.lines() == ["nameless", "named"]
    followed.clock.advance(REOPENING_SECONDS)
    assert followed.reopen_if_wanted()
    assert not followed.log.wants_reopening


def test_a_log_that_is_replaced_is_reopened_and_its_old_lines_are_not_counted(followed: Followed) -> None:
    """An editor saves a copy in its place: the same lines would count twice."""
    copy = followed.path.with_name("copy")
    copy.write_text("first\n")
    copy.replace(followed.path)
    assert followed.lines() == []
    assert followed.told == ["Somebody has replaced access.log: what stood in the new one isn't counted."]
    followed.write("nameless\n")
    assert followed.reopen_if_wanted()
    followed.write("named\n")
    assert followed.lines() == ["nameless", "named"]
    assert not followed.log.wants_reopening


def test_a_log_that_stays_away_is_asked_for_a_few_times(followed: Followed) -> None:
    """A second apart, and then given up with a sentence; should it come back after all, it is read."""
    followed.path.unlink()
    followed.lines()
    asked = 0
    for _ in range(10 * MOST_REOPENINGS):
        if followed.log.wants_reopening:
            followed.log.note_reopening()
            asked += 1
            assert not followed.log.wants_reopening
        followed.clock.advance(REOPENING_SECONDS / 2)
        followed.lines()
    assert asked == MOST_REOPENINGS
    assert followed.told[1:] == ["nginx doesn't make access.log anew: what it logs isn't seen any more."]
    followed.reopen()
    followed.write("back\n")
    assert followed.lines() == ["back"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_what_is_no_file_is_told_and_never_waited_for(followed: Followed) -> None:
    """A pipe in the log's place has no end, a folder no lines."""
    followed.path.unlink()
    os.mkfifo(followed.path)
    assert followed.lines() == []
    assert followed.lines() == []
    assert "access.log is no file any more: what nginx logs isn't seen." in followed.told
    followed.path.unlink()
    followed.path.mkdir()
    assert followed.lines() == []
    assert "The lab can't read access.log (Is a directory): what nginx logs isn't seen." in followed.told


@given(steps=st.lists(st.sampled_from(["write", "cut", "remove", "replace", "read", "second"]), max_size=40))
def test_whatever_is_done_to_a_log_it_is_read_on_and_no_line_counts_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    """In any order; in the end what is written then is read."""
    followed = Followed(tmp_path_factory.mktemp("log") / "access.log")
    written, read = 0, followed.lines()
    for step in steps:
        match step:
            case "write":
                followed.write(f"{written}\n")
                written += 1
            case "cut" if followed.path.exists():
                os.truncate(followed.path, 0)
            case "remove":
                followed.path.unlink(missing_ok=True)
            case "replace":
                copy = followed.path.with_name("copy")
                copy.write_text("foreign\n")
                copy.replace(followed.path)
            case "second":
                followed.clock.advance(1)
        if step == "read":
            read += followed.lines()
            followed.reopen_if_wanted()
    for _ in range(3):
        read += followed.lines()
        followed.clock.advance(REOPENING_SECONDS)
        followed.reopen_if_wanted()
    followed.write("last\n")
    read += followed.lines()
    followed.close()
    numbers = [int(line) for line in read if line.isdecimal()]
    assert numbers == sorted(set(numbers))
    assert read[-1] == "last"


@pytest.mark.parametrize("renames_open_files", [True, False], ids=["POSIX", "Windows"])
def test_a_log_that_cant_be_put_aside_is_read_on_and_told(
    followed: Followed, monkeypatch: pytest.MonkeyPatch, renames_open_files: bool
) -> None:
    """On Windows whoever reads the one before keeps it from being replaced, as a folder does anywhere."""
    monkeypatch.setattr("lab.logs.log_file.RENAMES_OPEN_FILES", renames_open_files)
    followed.path.with_suffix(".old").mkdir()
    followed.write("second\n")
    followed.log.rotate()
    followed.write("third\n")
    assert followed.lines() == ["second", "third"]
    (told,) = followed.told
    assert told.startswith("access.log can't be put aside (")
    assert not followed.log.wants_reopening


def test_a_log_may_take_a_small_part_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are two, and those that were put aside; never so small a part that a log is put aside at once."""
    for free, most in ((1 << 40, MAX_LOG_BYTES), (160 << 20, 10 << 20), (0, MIN_LOG_BYTES)):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, free=free: SimpleNamespace(free=free))
        assert most_log_bytes(tmp_path) == most


def test_grave_complaints_are_found_in_the_error_log(tmp_path: Path) -> None:
    """Without time, PIDs and the request they are about; those of requests are left to the figures."""
    path = tmp_path / "error.log"
    path.write_text(
        "2026/01/01 00:00:00 [notice] 12#12: start worker process 13\n"
        "2026/01/01 00:00:00 [error] 13#13: *7 connect() failed (111: Connection refused) while connecting\n"
        "2026/01/01 00:00:00 [alert] 12#12: worker process 13 exited on signal 9\n"
        "2026/01/01 00:00:00 [alert] 12#12: worker process 14 exited on signal 11 (core dumped)\n"
        "2026/01/01 00:00:00 [alert] 13#13: *8 4096 worker_connections are not enough, client: 127.0.0.1, server: x\n"
        '2026/01/01 00:00:00 [emerg] 12#12: open() "/x" failed (28: No space left on device)\n'
    )
    log = ErrorLog(path, FakeClock())
    complaints = log.read()
    log.close()
    assert complaints == [
        "worker process 13 exited on signal 9",
        "worker process 14 exited on signal 11 (core dumped)",
        "4096 worker_connections are not enough",
        'open() "/x" failed (28: No space left on device)',
    ]
    assert [worker_death(each) for each in complaints] == [(13, 9), (14, 11), None, None]
