"""What the processes of one port have answered, all of them together."""

from pathlib import Path

from lab.backends.scoreboard import Scoreboard


class PortCounts:
    """Reads the scoreboard that each of a port's processes writes in its turn."""

    def __init__(self, folder: Path, port: int) -> None:
        self.file = folder / f"scores-{port}"
        """The scoreboard's."""
        self.in_doubt = 0
        """Answers in the middle of which a process was killed: it can't be known from it whether they were sent."""
        self._scores = Scoreboard(self.file)
        self._served_before = self._direct_before = 0

    @property
    def served(self) -> int:
        """What they say they answered to nginx."""
        return self._served_before + self._scores.served

    @property
    def direct(self) -> int:
        """What they say they answered to those who came past nginx."""
        return self._direct_before + self._scores.direct

    @property
    def in_flight(self) -> int:
        """Requests that the latest process has accepted and not answered; it may be dead by now."""
        return self._scores.in_flight

    def begin(self) -> None:
        """The port gets another process: what the one before has counted is kept."""
        self._served_before, self._direct_before = self.served, self.direct
        self._scores.clear()

    def note_end(self) -> None:
        """The latest process has ended."""
        self.in_doubt += self._scores.begun - self._scores.served

    def close(self) -> None:
        """Let go of the file; what was counted is remembered."""
        self._scores.close()
        self.file.unlink(missing_ok=True)
