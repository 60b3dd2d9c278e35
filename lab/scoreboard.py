"""A backend's count of answers, in a file it shares with the lab: it outlives a SIGKILL, to the last answer."""

import mmap
import struct
from pathlib import Path

_COUNT = struct.Struct("<Q")


class Scoreboard:
    """The backend's side of the file."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(_COUNT.pack(0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _COUNT.size)

    def write(self, served: int) -> None:
        """Note how many requests were answered so far."""
        _COUNT.pack_into(self._memory, 0, served)


def read_scoreboard(path: Path) -> int | None:
    """The lab's side: how many requests the backend had answered; None before it has begun."""
    try:
        return int(_COUNT.unpack(path.read_bytes())[0])
    except (FileNotFoundError, struct.error):
        return None
