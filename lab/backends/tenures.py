"""Which process had a port when: who answered a request is told later, and the port may be another one's by then."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

REMEMBERED = 8
"""Processes of a port: what is read of a log is seconds old, and no process answers within a tenth of one."""
UNBORN_SECONDS = 0.05
"""After its start no Python process answers yet: what is logged then is the one's before it."""
LAG_SECONDS = 0.5
"""By so much later than the answer nginx may say that it sent it."""


class Tenant(Protocol):
    """A process that has the port."""

    @property
    def pid(self) -> int: ...


@dataclass(slots=True)
class Tenure:
    """A process's time on the port, by the clock of `Tenures`."""

    tenant: Tenant
    since: float
    until: float | None = None
    """None while it has the port."""


class Tenures:
    """Of one port; times of day are turned into the clock's, which nobody sets, as soon as they are heard of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wall = wall
        self._tenures: deque[Tenure] = deque(maxlen=REMEMBERED)

    def begin(self, tenant: Tenant) -> None:
        """It was started to serve the port."""
        self._tenures.append(Tenure(tenant, self._clock()))

    def end(self, tenant: Tenant) -> None:
        """It has ended."""
        for tenure in self._tenures:
            if tenure.tenant is tenant:
                tenure.until = self._clock()

    def pid_at(self, epoch: float) -> int | None:
        """Of the process that gave an answer which nginx had sent at that time of day; None if none can have."""
        at = self._clock() - (self._wall() - epoch)
        for tenure in reversed(self._tenures):
            if tenure.since + UNBORN_SECONDS <= at:
                is_over = tenure.until is not None and at > tenure.until + LAG_SECONDS
                return None if is_over else tenure.tenant.pid
        return None
