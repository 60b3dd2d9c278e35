"""What can go wrong with a backend, and how a person names it."""

from dataclasses import dataclass
from enum import StrEnum

from lab.errors import UsageError


class FaultKind(StrEnum):
    """The ways in which a backend can be made to fail, all of them on the real process."""

    KILL = "kill"
    """SIGKILL."""
    TERMINATE = "terminate"
    """SIGTERM: it answers what it has on its hands, and ends."""
    FREEZE = "freeze"
    """SIGSTOP: its port accepts, and nobody answers."""
    SLOW = "slow"
    """Each request takes a fixed time."""
    TAIL = "tail"
    """Most requests take about a given time, a few many times as long."""
    ERRORS = "errors"
    """A share of the requests is answered with a status of 500 or 503."""
    REFUSE = "refuse"
    """It closes its port: connections are refused."""
    RESET = "reset"
    """It resets the connection in the middle of a response's body."""
    SILENCE = "silence"
    """It takes requests and never answers."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One of them, with its figures.

    Raises:
        UsageError: a figure makes no sense.
    """

    kind: FaultKind
    service_time_ms: float = 300.0
    """For `SLOW` and `TAIL`: of each request; of half of them."""
    status: int = 500
    """For `ERRORS`."""
    share: float = 1.0
    """For `ERRORS`, `RESET` and `SILENCE`: of the requests that it befalls, more than 0 and up to 1."""

    def __post_init__(self) -> None:
        if not 0 < self.service_time_ms < float("inf"):
            raise UsageError(f"A service time of {self.service_time_ms:g} ms can't be: give more than 0.")
        if not 400 <= self.status <= 599:
            raise UsageError(f"{self.status} is no error's status: give 400 to 599, like 500 or 503.")
        if not 0 < self.share <= 1:
            raise UsageError(f"A share of {self.share:.0%} can't be: give more than 0 % and up to 100 %.")


def in_words(fault: Fault) -> str:
    """What it makes of a backend, in a few words: `errors 500, 30 %`."""
    service_time = f"{fault.service_time_ms:,g} ms"
    words = {
        FaultKind.KILL: "killed",
        FaultKind.TERMINATE: "terminated",
        FaultKind.FREEZE: "frozen",
        FaultKind.SLOW: f"slow {service_time}",
        FaultKind.TAIL: f"tail {service_time}",
        FaultKind.ERRORS: f"errors {fault.status}",
        FaultKind.REFUSE: "refuses",
        FaultKind.RESET: "resets",
        FaultKind.SILENCE: "silent",
    }[fault.kind]
    has_share = fault.kind in (FaultKind.ERRORS, FaultKind.RESET, FaultKind.SILENCE) and fault.share < 1
    return f"{words}, {fault.share * 100:g} %" if has_share else words
