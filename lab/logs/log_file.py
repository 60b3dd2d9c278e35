"""Follows a file that nginx logs to, whatever becomes of it: rotated by the lab, or cut, removed or replaced."""

import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

MAX_LOG_BYTES = 64 * 2**20
MIN_LOG_BYTES = 64 * 2**10
SHARE_OF_DISK = 16
"""A log may take so small a part of what is free: there are two, each with the file that was put aside before."""
RENAMES_OPEN_FILES = sys.platform != "win32"
"""Whether a file can be renamed while it is read: not on Windows, where Python shares its files less than nginx."""
RETIRED_SECONDS = 5.0
"""How long a file that was put aside is still read once there is another one: nginx flushes what it holds when it
reopens its logs."""
REOPENING_SECONDS = 1.0
"""How long nginx gets to make a file that is gone anew before it is told again."""
MOST_REOPENINGS = 5

_NO_FIFO = getattr(os, "O_NONBLOCK", 0)


def most_log_bytes(folder: Path) -> int:
    """How large a log in that folder may grow until it is put aside."""
    return max(min(MAX_LOG_BYTES, shutil.disk_usage(folder).free // SHARE_OF_DISK), MIN_LOG_BYTES)


class Tail:
    """What is appended to one file, line by line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rest = b""

    @property
    def position(self) -> int:
        """How many bytes of the file have been read."""
        return self._file.tell()

    @property
    def status(self) -> os.stat_result:
        """Of the file that is read, whatever its path leads to by now."""
        return os.fstat(self._file.fileno())

    def lines(self) -> list[bytes]:
        """The complete lines that have come since the last time."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return lines

    def go_to(self, position: int) -> None:
        """Read on from there."""
        self._file.seek(position)
        self._rest = b""

    def rename(self, path: Path, new_path: Path) -> None:
        """Rename the file that is read, and read on.

        Raises:
            OSError: it keeps its name, and is read on all the same.
        """
        if RENAMES_OPEN_FILES:
            path.replace(new_path)
            return
        position = self.position
        self._file.close()
        try:
            path.replace(new_path)
            path = new_path
        finally:
            self._file = path.open("rb")
            self._file.seek(position)

    def close(self) -> None:
        self._file.close()


class LogFile:
    """One log. Its owner rotates it when it wants that, and has nginx reopen its logs when it wants that."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        max_bytes: int = MAX_LOG_BYTES,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._max_bytes = max_bytes
        self._tell = tell
        self._current: Tail | None = None
        self._retired: Tail | None = None
        self._opened_at = 0.0
        self._is_adrift = False
        """nginx writes on to a file that isn't at this path any more, and has to be told so."""
        self._asked_at = 0.0
        self._asked = 0
        """How often it was told."""

    @property
    def wants_rotation(self) -> bool:
        """Whether the file has grown past its limit, and the last rotation is over."""
        return self._retired is None and self._current is not None and self._current.position > self._max_bytes

    def rotate(self) -> None:
        """Put the file aside. nginx writes on to it until it is told to reopen its logs; both are read meanwhile."""
        assert self._current is not None
        try:
            self._current.rename(self._path, self._path.with_suffix(".old"))
        except FileNotFoundError:  # somebody has removed it a moment ago
            pass
        except OSError as error:
            self._tell(f"{self._path.name} can't be put aside ({error.strerror}) and grows on: close what reads it.")
            return
        self._retire()

    @property
    def wants_reopening(self) -> bool:
        """Whether nginx is to be told to reopen its logs: it writes to a file that isn't at the log's path any more.

        A file that stays away is asked for a few times, and then given up. One that is there is asked for once more,
        since it may be somebody else's.
        """
        has_been_patient = self._asked == 0 or self._clock() - self._asked_at >= REOPENING_SECONDS
        return self._is_adrift and has_been_patient and self._asked < MOST_REOPENINGS

    def note_reopening(self) -> None:
        """nginx has been told."""
        self._asked += 1
        self._asked_at = self._clock()
        if self._current is not None:
            self._is_adrift = False
        elif self._asked == MOST_REOPENINGS:
            self._tell(f"nginx doesn't make {self._path.name} anew: what it logs isn't seen any more.")

    def lines(self) -> list[bytes]:
        """All complete lines that were logged since the last time; nothing while nginx hasn't made the file yet."""
        lines: list[bytes] = []
        if self._retired is not None:
            lines += self._retired.lines()
            if self._current is not None and self._clock() - self._opened_at > RETIRED_SECONDS:
                self._retired.close()
                self._retired = None
        if self._current is None:
            self._open()
        if self._current is not None:
            self._look_for_a_cut(self._current)
            lines += self._current.lines()
            self._look_for_a_loss(self._current)
        return lines

    def close(self) -> None:
        """Close the files."""
        for tail in (self._current, self._retired):
            if tail is not None:
                tail.close()
        self._current = self._retired = None

    def _open(self) -> None:
        try:
            file = open(self._path, "rb", opener=_open_nonblocking)  # noqa: SIM115 - Path.open takes no opener
        except FileNotFoundError:
            return
        except OSError as error:
            self._tell(f"The lab can't read {self._path.name} ({error.strerror}): what nginx logs isn't seen.")
            return
        tail = Tail(file)
        if not stat.S_ISREG(tail.status.st_mode):
            tail.close()
            self._tell(f"{self._path.name} is no file any more: what nginx logs isn't seen.")
            return
        self._current, self._opened_at = tail, self._clock()

    def _look_for_a_cut(self, tail: Tail) -> None:
        if tail.status.st_size < tail.position:
            tail.go_to(0)
            self._tell(f"Somebody has cut {self._path.name}: it is read on from its beginning.")

    def _look_for_a_loss(self, tail: Tail) -> None:
        """nginx writes on to a file that has lost its name, until it is told to reopen its logs."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            self._tell(f"Somebody has removed {self._path.name}: nginx makes it anew.")
            self._retire()
            return
        except OSError:
            return
        mine = tail.status
        if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
            self._tell(f"Somebody has replaced {self._path.name}: what stood in the new one isn't counted.")
            self._retire()
            self._open()
            if self._current is not None:
                self._current.go_to(self._current.status.st_size)
                self._is_adrift = True

    def _retire(self) -> None:
        if self._retired is not None:
            self._retired.close()
        self._current, self._retired = None, self._current
        self._is_adrift, self._asked = True, 0


def _open_nonblocking(path: str, flags: int) -> int:
    """A pipe in the file's place would otherwise be waited for."""
    return os.open(path, flags | _NO_FIFO)
