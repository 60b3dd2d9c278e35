"""A backend's port: open, or shut so that whoever knocks is refused."""

import asyncio
import socket
import sys
from asyncio import Future
from collections.abc import Callable
from weakref import WeakSet

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import add_accept_handler, bind_sockets
from tornado.web import Application

from lab.machine.loopback import HOST

BACKLOG = 1024
KEEPS_ITS_PORT = sys.platform == "linux"
"""Whether a listening socket that was shut down stays bound and can listen again, as Linux has it.

Elsewhere the port is bound anew, which a process that has given up root can't do below 1024.
"""

RefusalListener = Callable[[bytes], None]
"""Is told the head of what was refused."""
REFUSAL = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""Tornado's whole answer to what is no HTTP to it: no application is asked, and none is told."""


class _Stream(IOStream):
    """Tells when what came on it is refused."""

    def __init__(self, connection: socket.socket, on_refusal: RefusalListener) -> None:
        super().__init__(connection)
        self._on_refusal = on_refusal
        self._head = b""
        """Of the latest request."""

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Future[bytes]:
        """As Tornado reads the head of a request."""
        reading = asyncio.ensure_future(super().read_until_regex(regex, max_bytes))  # the future that it already is
        if reading.done():
            self._note_head(reading)
        else:
            reading.add_done_callback(self._note_head)
        return reading

    def write(self, data: bytes | memoryview) -> Future[None]:
        if data == REFUSAL:
            self._on_refusal(self._head)
        return super().write(data)

    def _note_head(self, reading: Future[bytes]) -> None:
        if not reading.cancelled() and reading.exception() is None:
            self._head = reading.result()


class Door:
    """Lets connections to an application in.

    Raises:
        OSError: the port is taken or not allowed.
    """

    def __init__(self, application: Application, port: int, on_refusal: RefusalListener = lambda _: None) -> None:
        self.is_open = False
        self._on_refusal = on_refusal
        self._port = port
        self._busy: set[IOStream] = set()
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._streams: WeakSet[IOStream] = WeakSet()
        """Of connections, kept alive or busy."""
        self._server = HTTPServer(application)
        self._stop_accepting: Callable[[], None]
        self._socket: socket.socket | None = None
        self.open()

    def open(self) -> None:
        """Let connections in, if it doesn't yet."""
        if self.is_open:
            return
        if self._socket is None:
            (self._socket,) = bind_sockets(self._port, HOST, backlog=BACKLOG)
        else:
            self._socket.listen(BACKLOG)
        self._stop_accepting = add_accept_handler(self._socket, self._let_in)
        self.is_open = True

    def shut(self) -> None:
        """Refuse connections, and end those that are kept alive; the busy ones end with their answer."""
        if not self.is_open or self._socket is None:
            return
        self.is_open = False
        self._stop_accepting()
        if KEEPS_ITS_PORT:
            self._socket.shutdown(socket.SHUT_RDWR)
        else:
            self._socket.close()
            self._socket = None
        for stream in set(self._streams) - self._busy:
            stream.close()

    def note_request(self, stream: IOStream) -> None:
        """A connection is busy with a request."""
        self._busy.add(stream)
        self._is_empty.clear()

    def note_answer(self, stream: IOStream) -> None:
        """A connection isn't busy any more, and ends here if the door was shut meanwhile."""
        self._busy.discard(stream)
        if not self.is_open and not stream.writing():  # who is sent more than the system takes at once ends it itself
            stream.close()
        if not self._busy:
            self._is_empty.set()

    def _let_in(self, connection: socket.socket, address: tuple[object, ...]) -> None:
        stream = _Stream(connection, self._on_refusal)
        self._streams.add(stream)
        self._server.handle_stream(stream, address)

    async def wait_until_empty(self) -> None:
        """Return once no connection is busy."""
        await self._is_empty.wait()
