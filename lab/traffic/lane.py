"""What fires: one connection to nginx, one request at a time. Whatever happens to a request becomes an `Outcome`."""

import asyncio
import time
from typing import Protocol, cast

from lab.machine.loopback import HOST
from lab.traffic.outcome import Fate, Shot, answered, failed
from lab.traffic.request import Target
from lab.traffic.response import BadResponseError, ResponseReader

RACE_SECONDS = 0.25
"""nginx may close a kept-alive connection as idle while a request is on its way to it, and has not read it then; one
that has waited for longer was read, and is lost with whoever read it."""


class Owner(Protocol):
    """Who is told what became of a lane's requests."""

    def finish(self, lane: "Lane", shot: Shot) -> None:
        """The request under way has its fate; the lane takes another one if it is still open."""

    def resend(self, lane: "Lane", number: int, due: float) -> None:
        """The lane's kept-alive connection was closed before a byte of the answer came: send it on another one."""


class Lane(asyncio.Protocol):
    """One connection, from its opening to its end. All times are seconds of `time.perf_counter`."""

    def __init__(self, target: Target, owner: Owner) -> None:
        self.is_open = True
        """Whether it can take a request, now or once it is connected."""
        self._target = target
        self._owner = owner
        self._reader = ResponseReader()
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._number: int | None = None
        """Of the request under way; None between two."""
        self._due = self._sent = 0.0
        self._first_byte: float | None = None
        self._is_fresh = True
        """Nothing was answered on this connection yet."""
        self._is_resent = False

    def fire(self, number: int, due: float, *, is_resent: bool = False) -> None:
        """Send request `number`, which is due at `due`."""
        self._number, self._due, self._is_resent = number, due, is_resent
        self._first_byte = None
        self._sent = time.perf_counter()
        if self._transport is not None:
            self._send(self._transport, number)
        else:
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def give_up(self, error: str) -> None:
        """End the request under way with this kind of failure, and the connection with it."""
        self.close()
        self._fail(error)

    def close(self) -> None:
        """End the connection."""
        self.is_open = False
        if self._connecting is not None:
            self._connecting.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self.is_open and self._number is not None:
            self._send(self._transport, self._number)
        else:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if not reader.has_begun:
            self._first_byte = time.perf_counter()
        try:
            reader.feed(data)
        except BadResponseError:
            if not reader.is_complete or self._number is None:
                self.give_up("bad_response")
                return
            reader.keeps_alive = False
        if reader.is_complete:
            self._is_fresh = False
            if not reader.keeps_alive:
                self.close()
            self._answer()

    def connection_lost(self, exc: Exception | None) -> None:
        was_open, self.is_open = self.is_open, False
        if not was_open or self._number is None:
            return
        reader = self._reader
        reader.feed_end()
        if reader.is_complete:
            self._answer()
        elif self._may_be_resent and time.perf_counter() - self._sent <= RACE_SECONDS:
            number, self._number = self._number, None
            self._owner.resend(self, number, self._due)
        else:
            self._fail("broken_off" if exc is None else "reset")

    @property
    def _may_be_resent(self) -> bool:
        return self._target.is_repeatable and not (self._is_fresh or self._reader.has_begun or self._is_resent)

    def _send(self, transport: asyncio.Transport, number: int) -> None:
        self._reader.expect(is_head=self._target.is_head)
        transport.write(self._target.request(number))

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self, HOST, self._target.port)
        except ConnectionRefusedError:
            self.give_up("refused")
        except OSError:
            self.give_up("no_connection")

    def _fail(self, error: str) -> None:
        self._finish(failed(error, self._is_resent, self._reader.upstream))

    def _answer(self) -> None:
        reader = self._reader
        self._finish(answered(reader.status, reader.upstream, reader.body, self._is_resent))

    def _finish(self, fate: Fate) -> None:
        number, self._number = self._number, None
        if number is not None:
            done = time.perf_counter()
            shot = Shot(number, self._due, self._sent, self._first_byte, done, fate, self._reader.received)
            self._owner.finish(self, shot)
