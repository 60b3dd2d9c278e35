"""Reads HTTP responses off a stream of bytes, however it is cut."""

import httptools

KEPT_BODY_BYTES = 64
"""As much of a body as tells which backend wrote it."""
MOST_HEAD_BYTES = 65_536
FIRST_FINAL_STATUS = 200
_END_OF_HEAD = b"\r\n\r\n"
_UPSTREAM = b"\r\nX-Upstream: "
_BODILESS = (204, 304)
_FRAMING = (b"\r\ncontent-length:", b"\r\ntransfer-encoding:")


class BadResponseError(Exception):
    """What came is no HTTP response, or more than one."""


class ResponseReader:
    """One response after the other, on one connection.

    `httptools` parses; what it leaves open is decided here: where a response to HEAD ends, and what the connection's
    end means (RFC 9112, section 6.3). The few headers that matter are looked up in the head as it came, since being
    called for each of a response's headers costs more than everything else.
    """

    def __init__(self) -> None:
        self.status = 0
        self.upstream = b""
        """From `X-Upstream`, which nginx sets last; empty where there is none."""
        self.received = b""
        """All bytes up to and with those that completed the head."""
        self.body = b""
        """Its beginning, at most `KEPT_BODY_BYTES`."""
        self.is_complete = True
        self.has_begun = False
        """Whether a byte of the response has come."""
        self.keeps_alive = False
        """Whether the connection may be used again after this response."""
        self._is_head = False
        self._has_header = False
        self._interim_heads = 0
        self._parser = httptools.HttpResponseParser(self)

    def expect(self, *, is_head: bool = False) -> None:
        """A request was sent: its response comes next."""
        self.status = self._interim_heads = 0
        self.received = self.body = self.upstream = b""
        self.is_complete = self.has_begun = self.keeps_alive = self._has_header = False
        self._is_head = is_head

    def feed(self, data: bytes) -> None:
        """Take what came.

        Raises:
            BadResponseError: it isn't the response that was expected.
        """
        if self.is_complete:
            raise BadResponseError("bytes that nobody asked for")
        self.has_begun = True
        if not self._has_header:
            if len(self.received) > MOST_HEAD_BYTES:
                raise BadResponseError("a head without end")
            self.received += data
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise BadResponseError(str(error)) from None

    def feed_end(self) -> None:
        """The connection has ended: that completes a response without a length of its own."""
        if self._has_header and not self._is_framed:
            self.is_complete = True

    @property
    def _head(self) -> bytes:
        """The final response's, without its end; what came before it were interim ones, and perhaps blank lines."""
        return self.received.lstrip().split(_END_OF_HEAD, self._interim_heads + 1)[self._interim_heads]

    @property
    def _is_framed(self) -> bool:
        """Whether the response itself says where it ends, or may have: between blank lines its head isn't found."""
        head = self._head.lower()
        return not head or self.status in _BODILESS or any(name in head for name in _FRAMING)

    def on_message_begin(self) -> None:
        if self.is_complete:
            self.keeps_alive = False
            raise BadResponseError("a second response to one request")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < FIRST_FINAL_STATUS:
            self._interim_heads += 1
            return
        self.status = status
        self._has_header = True
        _, name, rest = self._head.rpartition(_UPSTREAM)
        if name:
            self.upstream = rest.partition(b"\r\n")[0]
        if self._is_head:
            self.is_complete = True

    def on_body(self, body: bytes) -> None:
        if len(self.body) < KEPT_BODY_BYTES:
            self.body = (self.body + body)[:KEPT_BODY_BYTES]

    def on_message_complete(self) -> None:
        if self._has_header:
            self.is_complete = True
            self.keeps_alive = self._parser.should_keep_alive()
