"""The backends: starts them side by side, has them fail and recover, restarts, adds and removes them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab.backends.backend_port import Backend
from lab.backends.behaviour import Behaviour
from lab.backends.port_life import PidListener, PortLife
from lab.backends.revival import Reviver
from lab.errors import LabError, NotReadyError
from lab.machine.private_files import writing_to

LEAVING_SECONDS = 5.0
"""How long a backend that is removed may take for what it has on its hands."""


class Fleet:
    """All backends of a lab, by port."""

    def __init__(  # noqa: PLR0913 - all but the first three are named where it is made
        self,
        ports: Sequence[int],
        folder: Path,
        behaviour: Behaviour,
        *,
        on_start: PidListener,
        reviver: Reviver | None = None,
        user: str | None = None,
    ) -> None:
        self._folder = folder
        self._behaviour = behaviour
        self._on_start = on_start
        self._user = user
        self._reviver = reviver
        self._backends: dict[int, Backend] = {}
        self._served_by_removed = self._direct_of_removed = self._in_doubt_of_removed = 0
        for port in ports:
            self._make(port)

    def __iter__(self) -> Iterator[Backend]:
        return iter(self._backends.values())

    def __getitem__(self, port: int) -> Backend:
        try:
            return self._backends[port]
        except KeyError:
            raise LabError(f"There is no backend on port {port}.") from None

    def get(self, port: int) -> Backend | None:
        """The backend on that port; None if it was removed."""
        return self._backends.get(port)

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(self._backends)

    @property
    def served(self) -> int:
        """What all backends say they answered to nginx, the removed ones included."""
        return self._served_by_removed + sum(backend.counts.served for backend in self)

    @property
    def direct(self) -> int:
        """What all backends say they answered to those who came past nginx."""
        return self._direct_of_removed + sum(backend.counts.direct for backend in self)

    @property
    def in_doubt(self) -> int:
        """Answers of which no backend can know whether they were sent, as it was killed in the middle of them."""
        return self._in_doubt_of_removed + sum(backend.counts.in_doubt for backend in self)

    def pid_of(self, port: int, epoch: float) -> int | None:
        """Of the process that gave the answer which nginx had sent at that time of day; None if that isn't known."""
        backend = self._backends.get(port)
        return None if backend is None else backend.tenures.pid_at(epoch)

    def note_statuses(self, is_stopped: Mapping[int, bool], looked_at: float) -> None:
        """Which processes, by PID, were stopped when somebody looked, at that time of `time.monotonic`."""
        for backend in self:
            if (stopped := is_stopped.get(backend.pid or 0)) is not None:
                backend.note_status(is_stopped=stopped, looked_at=looked_at)

    async def spawn(self) -> None:
        """Start the processes of all."""
        await asyncio.gather(*(backend.spawn() for backend in self))

    async def wait_until_ready(self) -> None:
        """Return once all of them listen.

        Raises:
            NotReadyError: one didn't start.
        """
        await asyncio.gather(*(backend.wait_until_ready() for backend in self))

    async def add(self, port: int) -> None:
        """Start one more backend, on that port, and return when it listens.

        Raises:
            NotReadyError: it didn't start; the fleet is as it was.
        """
        with writing_to(self._folder):
            backend = self._make(port)
        try:
            await backend.start()
        except NotReadyError:
            await self.remove(port)
            raise

    async def remove(self, port: int) -> None:
        """End a backend for good, once it has answered what it has on its hands; what it served stays counted."""
        backend = self[port]
        if self._reviver is not None:
            self._reviver.forget(port)
        await backend.leave(LEAVING_SECONDS)
        if self._backends.get(port) is backend:
            self._served_by_removed += backend.counts.served
            self._direct_of_removed += backend.counts.direct
            self._in_doubt_of_removed += backend.counts.in_doubt
            del self._backends[port]

    async def stop(self) -> None:
        """End all of them."""
        if self._reviver is not None:
            self._reviver.stop()
        await asyncio.gather(*(backend.close() for backend in self))

    def _make(self, port: int) -> Backend:
        backend = self._backends[port] = Backend(
            port, self._folder, self._behaviour, on_start=self._on_start, on_end=self._note_end, user=self._user
        )
        return backend

    def _note_end(self, backend: PortLife) -> None:
        if self._reviver is not None:
            self._reviver.consider(backend)
