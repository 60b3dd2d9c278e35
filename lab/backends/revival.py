"""Brings backends back that died, a little later each time, and leaves alone one that keeps dying."""

import asyncio
from collections.abc import Callable

from lab.backends.port_life import PortLife
from lab.errors import LabError

TRIES = 5
BACKOFF_SECONDS = 0.5
"""Before the first try; doubled for each further one."""
SETTLED_SECONDS = 10.0
"""How long a revived backend has to live to count as well again."""


class Reviver:
    """Sees to backends that have failed.

    One that was told to end, or ended with code 0, stays ended, as with `Restart=on-failure` in systemd.
    """

    def __init__(self, tell: Callable[[str], None], tell_of_death: Callable[[str], None]) -> None:
        """`tell` is told whom it has brought back, once a port; `tell_of_death` whom it leaves alone."""
        self._tell = tell
        self._tell_of_death = tell_of_death
        self._brought_back: set[int] = set()
        """Ports of which that was told, until the backend is removed or left alone: how often it happens is counted."""
        self._is_over = False
        self._revivals: dict[int, asyncio.Task[None]] = {}

    def consider(self, backend: PortLife) -> None:
        """A backend's process has ended."""
        revival = self._revivals.get(backend.port)
        if not self._is_over and backend.has_failed and (revival is None or revival.done()):
            self._revivals[backend.port] = asyncio.create_task(self._revive(backend))

    def forget(self, port: int) -> None:
        """Let that backend be; another one may have its port next."""
        self._brought_back.discard(port)
        if (revival := self._revivals.pop(port, None)) is not None:
            revival.cancel()

    def stop(self) -> None:
        """Revive nobody any more."""
        self._is_over = True
        for port in list(self._revivals):
            self.forget(port)

    async def _revive(self, backend: PortLife) -> None:
        why_gone = backend.note
        for attempt in range(TRIES):
            if not backend.has_failed:
                return
            wait_seconds = BACKOFF_SECONDS * 2**attempt
            backend.note = f"restarting in {wait_seconds:g} s (try {attempt + 1} of {TRIES}): {backend.note}"
            await asyncio.sleep(wait_seconds)
            if await self._brings_back(backend) and backend.port not in self._brought_back:
                self._brought_back.add(backend.port)
                self._tell(f"The backend on port {backend.port} was gone ({why_gone}): --restart brought it back.")
            await asyncio.wait((backend.end,), timeout=SETTLED_SECONDS)
        if backend.has_failed:
            self._leave_alone(backend)

    async def _brings_back(self, backend: PortLife) -> bool:
        try:
            is_revived = await backend.revive()
        except LabError:  # its note says why it didn't start
            return False
        backend.revivals += is_revived
        return is_revived

    def _leave_alone(self, backend: PortLife) -> None:
        self._brought_back.discard(backend.port)
        note = backend.note or ""
        why = note.removesuffix(f": {backend.last_words[-1]}") if backend.last_words else note
        backend.left_alone = (why, *backend.last_words)
        backend.note = f"left alone after {TRIES} tries: {note}"
        self._tell_of_death(f"The backend on port {backend.port} keeps failing and is {backend.note.rstrip('.')}.")
