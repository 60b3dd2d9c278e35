"""Parsing and following what nginx logs."""

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab.logs.access_log import AccessLog, LogLine, parse, parse_attempts
from lab.logs.log_file import RETIRED_SECONDS, Tail
from lab.witnesses import Attempt
from tests.unit.clock import FakeClock
from tests.unit.made_up import FIELDS, raw_line


def test_a_line_is_read_field_by_field() -> None:
    """Numbers become numbers, and the rest stays as it came."""
    assert parse(raw_line(shot="us-7", uri="/a?b=c")) == LogLine(
        time=1721000000.123,
        generation=3,
        worker_pid=4242,
        request_id="0123456789abcdef0123456789abcdef",
        shot="us-7",
        method="GET",
        uri="/a?b=c",
        status=200,
        seconds=0.002,
        attempts=(Attempt("127.0.0.1:71", 71, 200, 0.001, 0.001, 120, 180),),
        agent="curl/8.0",
        address="127.0.0.1",
        is_cut=False,
    )


def test_a_retry_is_two_attempts_in_their_order() -> None:
    """nginx separates the backends it tried by a comma, and `-` stands for a phase that wasn't reached."""
    assert parse_attempts("127.0.0.1:71, 127.0.0.1:72", "502, 200", "-, 0.004", "2.001, 0.005", "0, 120", "0, 180") == (
        Attempt("127.0.0.1:71", 71, 502, None, 2.001, 0, 0),
        Attempt("127.0.0.1:72", 72, 200, 0.004, 0.005, 120, 180),
    )


def test_an_internal_redirect_goes_on_with_the_attempts() -> None:
    """nginx separates the two halves of a redirected request by a colon between spaces."""
    figures = ("-, 0.001 : 0.002", "-, 0.001 : 0.002", "-, 120 : 120", "-, 180 : 180")
    attempts = parse_attempts("127.0.0.1:71, 127.0.0.1:72 : 127.0.0.1:73", "-, 404 : 200", *figures)
    assert [(attempt.port, attempt.status) for attempt in attempts] == [(71, None), (72, 404), (73, 200)]


def test_no_live_peer_is_an_attempt_on_no_port() -> None:
    """nginx then logs the upstream's name instead of an address."""
    (attempt,) = parse_attempts("lablb", "502", "-", "0.000", "0", "0")
    assert (attempt.upstream, attempt.port, attempt.status) == ("lablb", None, 502)
    assert not attempt.is_answer


@pytest.mark.parametrize("nothing", ["", "-"])
def test_a_request_that_nginx_answered_itself_has_no_attempts(nothing: str) -> None:
    """For example a 400: no backend was asked."""
    assert parse_attempts(*[nothing] * 6) == ()


def test_addresses_and_statuses_that_dont_line_up_are_no_line() -> None:
    """Guessing which status belongs to which backend would be a lie."""
    with pytest.raises(ValueError, match="shorter"):
        parse_attempts("127.0.0.1:71, 127.0.0.1:72", "200", *["0, 0"] * 4)


@pytest.mark.parametrize(
    ("changes", "is_cut"),
    [
        ({"length": "27", "body_bytes": 27}, False),
        ({"length": "20000", "body_bytes": 1000}, True),
        ({"length": "20000", "body_bytes": 0, "method": "HEAD"}, False),
        ({"length": "20000", "body_bytes": 0, "status": "304"}, False),
        ({"length": "", "body_bytes": 1000}, False),
        ({"length": "many", "body_bytes": 1000}, False),
    ],
)
def test_a_body_shorter_than_its_header_promised_is_cut(changes: dict[str, object], is_cut: bool) -> None:
    """nginx logs the status all the same, since the header had been sent; without a length it can't be told."""
    assert parse(raw_line(**changes)).is_cut is is_cut


@pytest.mark.parametrize("figure", [float("inf"), float("nan"), -1.0, 1e300])
@pytest.mark.parametrize("name", ["time", "seconds"])
def test_a_time_that_cant_be_is_no_line(name: str, figure: float) -> None:
    """Nobody should have to reckon with it."""
    with pytest.raises(ValueError, match="no time"):
        parse(raw_line(**{name: figure}))


def test_an_address_that_is_none_is_no_line() -> None:
    """It is going to be hashed."""
    with pytest.raises(ValueError, match="nobody"):
        parse(raw_line(address="nobody"))


def test_foreign_text_stays_text() -> None:
    """Control characters, markup and quotes come through as they were sent; bytes that aren't UTF-8 are marked."""
    line = raw_line(uri="/[bold red]\x1b[31m\n\"'\u202e", agent="@@")
    parsed = parse(line.replace(b"@@", b"\xff\xfe"))
    assert parsed.uri == "/[bold red]\x1b[31m\n\"'\u202e"
    assert parsed.agent == "\ufffd\ufffd"


@given(uri=st.text(), agent=st.text(), length=st.integers(0, 10_000))
def test_a_line_cut_anywhere_is_refused_as_no_line(uri: str, agent: str, length: int) -> None:
    """A cut line never passes for a whole one, and never raises anything but ValueError."""
    line = raw_line(uri=uri, agent=agent)
    with pytest.raises(ValueError, match=r"."):
        parse(line[: length % len(line)])


@given(line=st.binary())
@example(b"[]")
@example(b"null")
@example(b"{}")
def test_bytes_that_are_no_line_raise_only_value_errors(line: bytes) -> None:
    """Whatever somebody writes into the log, the lab goes on."""
    with suppress(ValueError):
        parse(line)


def test_a_line_nested_beyond_measure_is_no_line() -> None:
    """Python's JSON gives up on it with an error of its own, which must not end the lab."""
    nested = b"[" * 100_000
    with pytest.raises(ValueError, match="not a line"):
        parse(nested)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from(sorted(FIELDS)), value=json_values)
@example("status", float("inf"))
@example("upstream", 71)
def test_a_field_of_another_kind_raises_only_value_errors(name: str, value: object) -> None:
    """JSON with the right names and the wrong values is no line of the lab's, or reads like one."""
    with suppress(ValueError):
        parsed = parse(raw_line(**{name: value}))
        assert isinstance(parsed.uri, str)
        assert isinstance(parsed.shot, str)
        assert isinstance(parsed.agent, str)


@given(lines=st.lists(st.binary().map(lambda line: line.replace(b"\n", b"")), max_size=8), cuts=st.data())
def test_lines_come_whole_however_the_writing_is_cut(lines: list[bytes], cuts: st.DataObject) -> None:
    """Reading between any two bytes gives each line once, in order, and never half a line."""
    content = b"".join(line + b"\n" for line in lines)
    file = io.BytesIO()
    tail = Tail(file)
    read: list[bytes] = []
    written = 0
    while written < len(content):
        size = cuts.draw(st.integers(1, len(content) - written))
        place = file.tell()
        file.seek(written)
        file.write(content[written : written + size])
        file.seek(place)
        written += size
        read += tail.lines()
    assert read == lines


def test_a_line_without_its_end_is_kept_until_it_comes() -> None:
    """Half a line is not a line yet."""
    file = io.BytesIO(b"one\ntw")
    tail = Tail(file)
    assert list(tail.lines()) == [b"one"]
    assert list(tail.lines()) == []
    file.seek(0, io.SEEK_END)
    file.write(b"o\n")
    file.seek(6)
    assert list(tail.lines()) == [b"two"]


@contextmanager
def followed(clock: Callable[[], float], max_bytes: int = 2**20) -> Iterator[tuple[Path, AccessLog]]:
    """A log in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "access.log"
        log = AccessLog(path, clock, max_bytes)
        try:
            yield path, log
        finally:
            log.close()


def uris(lines: list[LogLine]) -> list[str]:
    return [line.uri for line in lines]


def test_a_log_that_isnt_there_yet_has_no_lines() -> None:
    """nginx makes the file when it starts, which may be after the lab first looks."""
    with followed(FakeClock()) as (path, log):
        assert log.read() == []
        path.write_bytes(raw_line(uri="/first") + b"\n")
        assert uris(log.read()) == ["/first"]
        assert log.read() == []


def test_lines_of_somebody_else_are_counted_and_stop_nothing() -> None:
    """An invalid line between two valid ones costs neither of them."""
    with followed(FakeClock()) as (path, log):
        path.write_bytes(raw_line(uri="/a") + b"\nrubbish\n\n" + raw_line(uri="/b") + b"\n")
        assert uris(log.read()) == ["/a", "/b"]
        assert log.foreign_lines == 2


def test_rotation_is_wanted_once_the_file_is_larger_than_its_limit() -> None:
    """And not again while the file that was put aside is still being read."""
    clock = FakeClock()
    line = raw_line() + b"\n"
    with followed(clock, max_bytes=len(line)) as (path, log):
        path.write_bytes(line)
        log.read()
        assert not log.wants_rotation
        with path.open("ab") as file:
            file.write(line)
        log.read()
        assert log.wants_rotation
        log.rotate()
        assert not path.exists()
        path.write_bytes(line * 3)
        log.read()
        assert not log.wants_rotation
        clock.advance(RETIRED_SECONDS + 0.1)
        log.read()
        assert log.wants_rotation


class Writer:
    """Writes as nginx does: on into the file it has open, until it is told to open the path anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("ab", buffering=0)
        self.written: list[str] = []

    def write(self) -> None:
        uri = f"/{len(self.written)}"
        self.written.append(uri)
        self._file.write(raw_line(uri=uri) + b"\n")

    def reopen(self) -> None:
        self._file.close()
        self._file = self._path.open("ab", buffering=0)

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize("renames_open_files", [True, False], ids=["POSIX", "Windows"])
@given(steps=st.lists(st.sampled_from(["write", "read", "rotate", "reopen", "second"]), max_size=60))
def test_rotation_loses_no_line_and_doubles_none(renames_open_files: bool, steps: list[str]) -> None:
    """Lines that nginx writes to the old file before it opens the new one are read too, as long as it isn't ages."""
    clock = FakeClock()
    with (
        patch("lab.logs.log_file.RENAMES_OPEN_FILES", renames_open_files),
        followed(clock, max_bytes=1) as (path, log),
    ):
        writer = Writer(path)
        read: list[str] = []
        is_behind = False
        for step in steps:
            if step == "write":
                writer.write()
            elif step == "read":
                read += uris(log.read())
            elif step == "rotate" and log.wants_rotation and not is_behind:
                log.rotate()
                is_behind = True
            elif step == "reopen" and is_behind:
                writer.reopen()
                is_behind = False
            elif step == "second" and not is_behind:
                clock.advance(1)
        writer.close()
        read += uris(log.read())
        assert sorted(read) == sorted(writer.written)
        assert log.foreign_lines == 0
