"""What nginx logged between two readings. What many of its lines have in common is looked at once: a busy nginx logs
thousands a second.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lab.logs.access_log import LogLine


@dataclass(frozen=True)
class Batch:
    """Lines in the order in which they were logged."""

    lines: Sequence[LogLine]
    others: Sequence[LogLine] = ()
    """Those of them that other clients than the lab's own sent."""

    @cached_property
    def kinds(self) -> list[tuple[LogLine, int]]:
        """One line of each kind, and how many there are: of the same configuration, worker, attempts
        and end.

        The same attempts are one object, as the parser remembers them; what it has forgotten makes a kind more.
        """
        kinds = [(line.generation, line.worker_pid, id(line.attempts), line.is_cut) for line in self.lines]
        examples = dict(zip(kinds, self.lines, strict=True))
        return [(examples[kind], count) for kind, count in Counter(kinds).items()]

    @cached_property
    def others_failed(self) -> int:
        """How many of other clients' requests failed; what became of the lab's own, its client tells."""
        return sum(line.is_failure for line in self.others)

    def is_plain(self, generation: int, worker_pid: int) -> bool:
        """Whether all are of that configuration and that worker, and were answered by the first backend tried."""
        return all(
            line.generation == generation
            and line.worker_pid == worker_pid
            and len(line.attempts) == 1
            and line.attempts[0].is_answer
            for line, _ in self.kinds
        )
