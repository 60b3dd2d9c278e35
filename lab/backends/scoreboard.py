"""A backend's counts in a file that it shares with the lab: always current, and to the last answer after a SIGKILL."""

import mmap
from array import array
from pathlib import Path

from lab.machine.private_files import opener

_BEGUN, _SERVED, _IN_FLIGHT, _DIRECT = range(4)
_SIZE = 4 * array("Q").itemsize


class Scoreboard:
    """The backend writes it, the lab reads it; without a file it is the backend's own.

    Each count is one aligned machine word, so that none is seen half-written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._memory: mmap.mmap | None = None
        self._counts: array[int] | memoryview[int] = array("Q", bytes(_SIZE))
        if path is not None:
            with open(path, "a+b", opener=opener) as file:
                file.write(bytes(max(0, _SIZE - file.tell())))  # a hole could find the disk full at the first count
                file.flush()
                self._memory = mmap.mmap(file.fileno(), _SIZE)
            self._counts = memoryview(self._memory).cast("Q")

    @property
    def begun(self) -> int:
        """Answers to nginx that it has begun to write; at most one more than it has written."""
        return self._counts[_BEGUN]

    @property
    def served(self) -> int:
        """Answers it has written to nginx."""
        return self._counts[_SERVED]

    @property
    def direct(self) -> int:
        """Answers it has written to those who came to it past nginx."""
        return self._counts[_DIRECT]

    @property
    def in_flight(self) -> int:
        """Requests accepted and not yet answered, the waiting ones included."""
        return self._counts[_IN_FLIGHT]

    def note_arrival(self) -> None:
        """A request was accepted."""
        self._counts[_IN_FLIGHT] += 1

    def note_answer(self) -> None:
        """A request of nginx's is about to be answered: should the process die now, nobody can tell whether it was."""
        self._counts[_BEGUN] = self._counts[_SERVED] + 1

    def note_departure(self, *, is_served: bool, is_direct: bool) -> None:
        """A request was answered, or its client has gone."""
        self._counts[_DIRECT if is_direct else _SERVED] += is_served
        self._counts[_BEGUN] = self._counts[_SERVED]
        self._counts[_IN_FLIGHT] -= 1

    def clear(self) -> None:
        """Begin anew: the port gets another process."""
        for place in range(len(self._counts)):
            self._counts[place] = 0

    def close(self) -> None:
        """Let go of the file; what it said last is remembered."""
        if self._memory is not None:
            self._counts = array("Q", list(self._counts))
            self._memory.close()
            self._memory = None
