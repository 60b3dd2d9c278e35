"""Responses read off a stream, cut anywhere."""

import contextlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.traffic.response import MOST_HEAD_BYTES, BadResponseError, ResponseReader

GREETING = b"Hello from Process Id = 4242"
HEADER = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nX-Upstream: 127.0.0.1:74, 127.0.0.1:75\r\n"
WHOLE = {
    "length": HEADER + b"Content-Length: 28\r\n\r\n" + GREETING,
    "chunked": HEADER + b"Transfer-Encoding: chunked\r\n\r\n1c\r\n" + GREETING + b"\r\n0\r\n\r\n",
    "chunks": HEADER
    + b"Transfer-Encoding: chunked\r\n\r\n8\r\nHello fr\r\n14\r\nom Process Id = 4242\r\n0\r\nX: y\r\n\r\n",
    "closing": HEADER + b"Connection: close\r\nContent-Length: 28\r\n\r\n" + GREETING,
    "continued": b"HTTP/1.1 100 Continue\r\n\r\n" + HEADER + b"Content-Length: 28\r\n\r\n" + GREETING,
    "small letters": HEADER + b"content-length: 28\r\n\r\n" + GREETING,
    "blank lines": b"\r\n\r\n" + HEADER + b"Content-Length: 28\r\n\r\n" + GREETING,
    "its own": HEADER.replace(b"Server: nginx", b"X-Upstream: 127.0.0.1:1") + b"Content-Length: 28\r\n\r\n" + GREETING,
}


def pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes, cut at these places."""
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return [whole[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize("kind", WHOLE)
@given(cuts=st.lists(st.integers(0, 1000), max_size=12))
def test_a_response_reads_alike_however_it_is_cut(kind: str, cuts: list[int]) -> None:
    """It is complete with its last byte and not before."""
    reader = ResponseReader()
    for _ in range(2):
        reader.expect()
        for piece in pieces(WHOLE[kind], cuts):
            assert not reader.is_complete
            reader.feed(piece)
        assert reader.is_complete
        assert (reader.status, reader.body, reader.upstream) == (200, GREETING, b"127.0.0.1:74, 127.0.0.1:75")
        assert reader.keeps_alive is (kind != "closing")
        if kind == "closing":
            break


@given(cuts=st.lists(st.integers(0, 1000), max_size=12), length=st.integers(0, 200))
def test_the_connections_end_completes_only_what_has_no_length(cuts: list[int], length: int) -> None:
    """A response cut short is none; one of HTTP/1.0 without a length ends with its connection."""
    for header, is_complete in ((HEADER + b"Content-Length: 201\r\n\r\n", False), (b"HTTP/1.0 200 OK\r\n\r\n", True)):
        reader = ResponseReader()
        reader.expect()
        for piece in pieces(header + b"x" * length, cuts):
            reader.feed(piece)
        assert not reader.is_complete
        reader.feed_end()
        assert reader.is_complete is is_complete
        assert not reader.keeps_alive


def test_the_connections_end_before_any_header_completes_nothing() -> None:
    """No status, no response."""
    reader = ResponseReader()
    reader.expect()
    reader.feed(b"HTTP/1.1 200 OK\r\nServer: ng")
    reader.feed_end()
    assert not reader.is_complete


LENGTHS = (b"Content-Length: 201", b"content-length: 201", b"Transfer-Encoding: chunked")
BEFORE = (b"", b"\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n\r\n\r\n")


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("before", BEFORE)
def test_what_promised_a_length_is_not_completed_by_the_connections_end(before: bytes, length: bytes) -> None:
    """However the header is written, and whatever comes before the response."""
    reader = ResponseReader()
    reader.expect()
    reader.feed(before + HEADER + length + b"\r\n\r\n")
    reader.feed_end()
    assert not reader.is_complete


def test_what_a_body_says_of_the_upstream_is_not_believed() -> None:
    """Only the head counts."""
    body = b"\r\n\r\nX-Upstream: 127.0.0.1:1\r\n\r\n"
    reader = ResponseReader()
    reader.expect()
    reader.feed(HEADER + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert reader.upstream == b"127.0.0.1:74, 127.0.0.1:75"


def test_a_head_without_end_is_an_error() -> None:
    """Nobody keeps reading for ever."""
    reader = ResponseReader()
    reader.expect()
    reader.feed(b"HTTP/1.1 200 OK\r\n")
    line = b"X-Filler: %b\r\n" % (b"x" * 1000)
    for _ in range(MOST_HEAD_BYTES // len(line) + 1):
        reader.feed(line)
    with pytest.raises(BadResponseError, match="without end"):
        reader.feed(line)


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    """Whatever their header says of a length."""
    reader = ResponseReader()
    reader.expect()
    reader.feed(b"HTTP/1.1 %d No Body\r\nContent-Length: 5\r\n\r\n" % status)
    assert reader.is_complete


@given(garbage=st.binary(min_size=1, max_size=400), cuts=st.lists(st.integers(0, 1000), max_size=5))
def test_garbage_is_an_error_or_an_incomplete_response_and_nothing_else(garbage: bytes, cuts: list[int]) -> None:
    """Nothing that comes crashes the reader."""
    reader = ResponseReader()
    reader.expect()
    try:
        for piece in pieces(garbage, cuts):
            reader.feed(piece)
    except BadResponseError:
        return
    assert not reader.is_complete or garbage.startswith(b"HTTP/")


@given(extra=st.binary(min_size=1, max_size=50))
def test_more_than_one_response_keeps_no_connection_alive(extra: bytes) -> None:
    """The response counts; what follows it is nobody's."""
    reader = ResponseReader()
    reader.expect()
    with contextlib.suppress(BadResponseError):  # what follows may be half of a second response
        reader.feed(WHOLE["length"] + extra)
    with pytest.raises(BadResponseError):
        reader.feed(extra)
    assert reader.is_complete
    assert reader.body == GREETING
