"""What happened in some span of time, counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lab.counts.histogram import Histogram
from lab.logs.batch import Batch
from lab.traffic.outcome import FIRST_SERVER_ERROR, UNSENT, Fate, Outcome
from lab.witnesses import Attempt

LATE_US = 10_000

Latencies = Mapping[int | None, Histogram]
"""By the port of the backend that answered."""


@dataclass(slots=True)
class Counts:
    """What happened in some span of time."""

    hits: Counter[int] = field(default_factory=Counter)
    """Requests that a backend answered, by its port, as nginx logged them."""
    failures: Counter[int] = field(default_factory=Counter)
    """Attempts of nginx on a backend that got no valid answer, a server error or a cut body, by its port."""
    other_clients: int = 0
    others_failed: int = 0
    others_retried: int = 0
    answered: int = 0
    failed: int = 0
    retried: int = 0
    """Answered or not, as long as a header came and said so."""
    resent: int = 0
    """Sent again on a new connection, since the kept-alive one had been closed under them; answered or not."""
    late: int = 0
    """Sent more than 10 ms after they were due; a closed loop is never late."""
    errors: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    """Of the complete answers that the lab's client got, whoever gave them."""
    latencies: defaultdict[int | None, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    """Of the lab's client's answered requests, by the port of the backend that answered; None if that was not the
    first one tried, since then most of the time may be another one's fault."""

    def add(self, other: "Counts") -> None:
        """Add the other's counts to these."""
        self.add_numbers(other)
        for port, histogram in other.latencies.items():
            self.latencies[port].merge(histogram)

    def add_numbers(self, other: "Counts") -> None:
        """Add all but the latencies."""
        self.hits.update(other.hits)
        self.failures.update(other.failures)
        self.errors.update(other.errors)
        self.statuses.update(other.statuses)
        self.other_clients += other.other_clients
        self.others_failed += other.others_failed
        self.others_retried += other.others_retried
        self.answered += other.answered
        self.failed += other.failed
        self.retried += other.retried
        self.resent += other.resent
        self.late += other.late

    def disown(self, port: int) -> None:
        """Whoever has the port from now on did nothing of this; the latencies stay among those of all."""
        del self.hits[port], self.failures[port]
        if (histogram := self.latencies.pop(port, None)) is not None:
            self.latencies[None].merge(histogram)

    def count_lines(self, batch: Batch) -> None:
        """Count what nginx logged."""
        for line, count in batch.kinds:
            for attempt in line.attempts:
                if attempt.port is None:
                    continue
                if attempt.is_answer:
                    self.hits[attempt.port] += count
                if is_bad(attempt) or (line.is_cut and attempt is line.attempts[-1]):
                    self.failures[attempt.port] += count
        self.other_clients += len(batch.others)
        self.others_failed += batch.others_failed
        self.others_retried += sum(line.is_retried for line in batch.others)

    def count_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Count what the lab's client saw, fate by fate."""
        latencies: defaultdict[Fate, list[int]] = defaultdict(list)
        for _, latency_us, late_us, fate in outcomes:
            latencies[fate].append(latency_us)
            if late_us > LATE_US and fate.error != UNSENT:
                self.late += 1
        for fate, latencies_us in latencies.items():
            count = len(latencies_us)
            self.retried += fate.is_retried * count
            self.resent += fate.is_resent * count
            if fate.status is not None:
                self.statuses[fate.status] += count
            if fate.failure is not None:
                self.failed += count
                self.errors[fate.failure] += count
            else:
                self.answered += count
                self.latencies[None if fate.is_retried else fate.port].record(latencies_us)


def is_bad(attempt: Attempt) -> bool:
    """Whether it gave no valid answer, or a server error."""
    return not attempt.is_answer or attempt.status is None or attempt.status >= FIRST_SERVER_ERROR
