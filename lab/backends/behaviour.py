"""How a backend answers."""

from dataclasses import dataclass

from lab.backends.workload import Workload
from lab.durations import MAX_SECONDS
from lab.errors import UsageError


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a backend answers.

    The service time is waited, not burnt; requests beyond the capacity wait their turn.
    """

    service_time_ms: float = 0.0
    capacity: int | None = None
    """How many requests it works on at once; None for no limit."""
    workload: Workload | None = None
    """How the service time is spread over the lab's own requests; None for the same for each."""

    def service_time_of(self, number: int | None) -> float:
        """What the lab's request of that number takes, in milliseconds; None for another client's."""
        if self.workload is None or number is None:
            return self.service_time_ms
        return self.service_time_ms * self.workload.share(number)

    def __post_init__(self) -> None:
        if not 0 <= self.service_time_ms <= MAX_SECONDS * 1000:
            raise UsageError(f"A service time of {self.service_time_ms:g} ms can't be: give 0 or more, up to a week.")
        if self.capacity is not None and self.capacity < 1:
            raise UsageError(f"A capacity of {self.capacity} would never answer: give 1 or more.")
