"""A simulated backend of the lab: it works on so many requests at once, lets the others wait, and can die."""

from collections import deque
from dataclasses import dataclass

from lab.simulation.agenda import Agenda, Deed


@dataclass(slots=True, eq=False)
class Job:
    """What nginx asks of a backend. The asker may have gone when it is done: it is worked on all the same."""

    work_ms: float
    """On a backend that isn't slow."""
    on_done: Deed
    on_death: Deed
    """Is told instead, if the backend dies."""


class Workplace:
    """One backend, as `lab.backends.desk` works."""

    def __init__(self, agenda: Agenda, capacity: int, slowness: float) -> None:
        self.is_dead = False
        self._agenda = agenda
        self._capacity = capacity
        self._slowness = slowness
        self._working: set[Job] = set()
        self._queue: deque[Job] = deque()

    def take(self, job: Job) -> None:
        """Work on it, or let it wait its turn."""
        if len(self._working) < self._capacity:
            self._begin(job)
        else:
            self._queue.append(job)

    def die(self) -> None:
        """Everybody inside sees the connection break."""
        self.is_dead = True
        left = [*self._working, *self._queue]
        self._working.clear()
        self._queue.clear()
        for job in left:
            job.on_death()

    def revive(self) -> None:
        """A new process listens."""
        self.is_dead = False

    def _begin(self, job: Job) -> None:
        self._working.add(job)
        self._agenda.after(job.work_ms * self._slowness, lambda: self._finish(job))

    def _finish(self, job: Job) -> None:
        if job not in self._working:  # it died with the process
            return
        self._working.discard(job)
        if self._queue:
            self._begin(self._queue.popleft())
        job.on_done()
