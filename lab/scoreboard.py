"""A backend's count of answers, in a file it shares with the lab: it outlives a SIGKILL, to the last answer."""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

_COUNTS = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Score:
    """What a backend had done when it last wrote."""

    begun: int = 0
    """Answers it has begun to write."""
    served: int = 0
    """Answers it has written; at most one less than it has begun."""


class Scoreboard:
    """The backend's side of the file."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(_COUNTS.pack(0, 0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _COUNTS.size)

    def write(self, begun: int, served: int) -> None:
        """Note how many answers were begun and how many written so far."""
        _COUNTS.pack_into(self._memory, 0, begun, served)


def read_scoreboard(path: Path) -> Score:
    """The lab's side; nothing done, for a backend that has not begun to keep score."""
    try:
        return Score(*_COUNTS.unpack(path.read_bytes()))
    except (FileNotFoundError, struct.error):
        return Score()
