"""Reads HTTP responses off a stream of bytes, however it is cut."""

import httptools

KEPT_BODY_BYTES = 64
"""As much of a body as tells which backend wrote it."""
FIRST_FINAL_STATUS = 200
_UPSTREAM = b"x-upstream"
_FRAMING = (b"content-length", b"transfer-encoding")
_LENGTHS = frozenset(map(len, (_UPSTREAM, *_FRAMING)))
"""Of the names that matter: most of a response's headers are passed over by length alone."""


class BadResponseError(Exception):
    """What came is no HTTP response, or more than one."""


class ResponseReader:
    """One response after the other, on one connection.

    `httptools` parses; what it leaves open is decided here: where a response to HEAD ends, and what the connection's
    end means (RFC 9112, section 6.3).
    """

    def __init__(self) -> None:
        self.status = 0
        self.upstream = b""
        """From `X-Upstream`, which nginx sets last."""
        self.body = b""
        """Its beginning, at most `KEPT_BODY_BYTES`."""
        self.is_complete = True
        self.has_begun = False
        """Whether a byte of the response has come."""
        self.keeps_alive = False
        """Whether the connection may be used again after this response."""
        self._is_head = False
        self._has_header = False
        self._is_framed = False
        self._parser = httptools.HttpResponseParser(self)

    def expect(self, *, is_head: bool = False) -> None:
        """A request was sent: its response comes next."""
        self.status = 0
        self.upstream = b""
        self.body = b""
        self.is_complete = self.has_begun = self.keeps_alive = False
        self._has_header = self._is_framed = False
        self._is_head = is_head

    def feed(self, data: bytes) -> None:
        """Take what came.

        Raises:
            BadResponseError: it isn't the response that was expected.
        """
        if self.is_complete:
            raise BadResponseError("bytes that nobody asked for")
        self.has_begun = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise BadResponseError(str(error)) from None

    def feed_end(self) -> None:
        """The connection has ended: that completes a response without a length of its own."""
        if self._has_header and not self._is_framed:
            self.is_complete = True

    def on_message_begin(self) -> None:
        if self.is_complete:
            self.keeps_alive = False
            raise BadResponseError("a second response to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) not in _LENGTHS:
            return
        lowered = name.lower()
        if lowered == _UPSTREAM:
            self.upstream = value
        elif lowered in _FRAMING:
            self._is_framed = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < FIRST_FINAL_STATUS:
            self._is_framed = False
            return
        self.status = status
        self._has_header = True
        if status in (204, 304):
            self._is_framed = True
        if self._is_head:
            self.is_complete = True

    def on_body(self, body: bytes) -> None:
        if len(self.body) < KEPT_BODY_BYTES:
            self.body = (self.body + body)[:KEPT_BODY_BYTES]

    def on_message_complete(self) -> None:
        if self._has_header:
            self.is_complete = True
            self.keeps_alive = self._is_framed and self._parser.should_keep_alive()
