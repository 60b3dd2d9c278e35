"""Hands the newest snapshot to whoever wants it; a slow reader skips, and nothing queues."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.models import Snapshot


class Publisher:
    """One writer, any number of readers."""

    def __init__(self) -> None:
        self._latest: Snapshot | None = None
        self._changed = asyncio.Event()
        self._readers = 0
        self._is_closed = False
        self._failure: BaseException | None = None

    @property
    def has_readers(self) -> bool:
        """Whether anybody waits for a newer snapshot."""
        return self._readers > 0

    def publish(self, snapshot: "Snapshot") -> None:
        """Make this the newest."""
        self._latest = snapshot
        self._wake()

    def close(self, failure: BaseException | None = None) -> None:
        """Let the readers end once they have the newest, or raise `failure` in them."""
        self._is_closed = True
        self._failure = self._failure or failure
        self._wake()

    async def snapshots(self) -> "AsyncIterator[Snapshot]":
        """The newest, then each newer one."""
        seen = None
        self._readers += 1
        try:
            while True:
                changed = self._changed
                if self._latest is not None and self._latest is not seen:
                    seen = self._latest
                    yield seen
                elif self._failure is not None:
                    raise self._failure
                elif self._is_closed:
                    return
                else:
                    await changed.wait()
        finally:
            self._readers -= 1

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
