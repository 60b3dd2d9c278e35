"""The access log that nginx writes: parses its lines."""

import contextlib
import ipaddress
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from lab.logs.log_file import LogFile
from lab.traffic.outcome import FIRST_SERVER_ERROR
from lab.witnesses import Attempt

MAX_FIGURE = 1e12
"""No time or number of bytes that nginx logs is larger."""
NOT_MODIFIED = 304
CLIENT_GONE = 499
"""nginx's status for a request whose client closed the connection before the answer."""


class LogLine(NamedTuple):
    """One request as nginx logged it. Whatever the client sent is in it as it came.

    A tuple, since a busy nginx logs thousands a second.
    """

    time: float
    """When nginx had sent the answer, seconds since the epoch."""
    generation: int
    """Of the configuration that served it."""
    worker_pid: int
    request_id: str
    shot: str
    """The lab's client's own name for the request; empty for other clients, unless they make one up."""
    method: str
    uri: str
    status: int
    seconds: float
    attempts: tuple[Attempt, ...]
    agent: str
    address: str
    """The client's, as nginx sees it."""
    is_cut: bool = False
    """Less of the body was sent than the header had promised: the backend, or the client, broke off in it."""

    @property
    def is_failure(self) -> bool:
        """What its client would call one: a server error, or half a body."""
        return self.status >= FIRST_SERVER_ERROR or self.is_cut

    @property
    def is_retried(self) -> bool:
        """Whether nginx tried more than one backend."""
        return sum(attempt.port is not None for attempt in self.attempts) > 1


def parse(line: bytes) -> LogLine:
    """One line of the log.

    Raises:
        ValueError: it isn't a line of the lab's log format.
    """
    return _log_line(_from_json(line))


def parse_all(lines: Sequence[bytes]) -> tuple[list[LogLine], int]:
    """All lines of the lab's log format, and how many others there were.

    Together they parse in a third of the time that they take one by one, which is what happens if one is foreign.
    """
    try:
        together = _from_json(b"[%b]" % b",".join(lines))
        if len(together) == len(lines):
            return [_log_line(fields) for fields in together], 0
    except ValueError:
        pass
    parsed = []
    for line in lines:
        with contextlib.suppress(ValueError):
            parsed.append(parse(line))
    return parsed, len(lines) - len(parsed)


def _from_json(text: bytes) -> Any:
    # A URI may hold any byte; JSON wants UTF-8, and what isn't becomes U+FFFD.
    try:
        return json.loads(text.decode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("not a line of the lab's log: nested beyond measure") from None


def _log_line(fields: Any) -> LogLine:
    try:
        (
            time,
            generation,
            worker_pid,
            request_id,
            shot,
            method,
            uri,
            status,
            seconds,
            addresses,
            statuses,
            header_times,
            times,
            bytes_sent,
            bytes_received,
            length,
            body_bytes,
            agent,
            address,
        ) = fields
        request_id + shot + method + uri + agent + ""  # a TypeError unless all of them are texts
        return LogLine(
            _figure(time),
            int(generation),
            int(worker_pid),
            request_id,
            shot,
            method,
            uri,
            int(status),
            _figure(seconds),
            parse_attempts(addresses, statuses, header_times, times, bytes_sent, bytes_received),
            agent,
            _address(address),
            _is_cut(method, int(status), length, int(body_bytes)),
        )
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a line of the lab's log: {str(fields)[:200]}") from error


def _is_cut(method: str, status: int, length: str, body_bytes: int) -> bool:
    """Answers to HEAD, and 304, promise a body and have none (RFC 9110, section 8.6)."""
    return length.isdecimal() and body_bytes < int(length) and method != "HEAD" and status != NOT_MODIFIED


@lru_cache(maxsize=4096)
def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _figure(value: Any) -> float:
    number = float(value)
    if not 0 <= number < MAX_FIGURE:
        raise ValueError(f"not a line of the lab's log: {number} is no time and no number of bytes")
    return number


@lru_cache(maxsize=4096)
def parse_attempts(addresses: str, *figures: str) -> tuple[Attempt, ...]:
    """The backends that nginx tried, in order, from their addresses and their figures as `Attempt` has them.

    nginx lists them by position: `a, b` is a retry and `a : b` an internal redirect, with `-` where a phase wasn't
    reached (ngx_http_upstream.c, ngx_http_upstream_addr_variable). No upstream at all is an empty text.
    """
    if not addresses or addresses == "-":
        return ()
    parts = (_split(text) for text in (addresses, *figures))
    return tuple(
        Attempt(
            upstream=address,
            port=_port_of(address),
            status=None if status == "-" else int(status),
            header_seconds=None if header == "-" else _figure(header),
            seconds=None if seconds == "-" else _figure(seconds),
            bytes_sent=None if sent == "-" else int(sent),
            bytes_received=None if received == "-" else int(received),
        )
        for address, status, header, seconds, sent, received in zip(*parts, strict=True)
    )


def _split(text: str) -> list[str]:
    return text.replace(" : ", ", ").split(", ")


def _port_of(address: str) -> int | None:
    host, _, port = address.rpartition(":")
    return int(port) if host and port.isdigit() else None


class AccessLog(LogFile):
    """What nginx has logged of requests."""

    foreign_lines = 0
    """Lines that are not of the lab's format: somebody else writes to the log."""

    def read(self) -> list[LogLine]:
        """All that was logged since the last time."""
        lines, foreign = parse_all(self.lines())
        self.foreign_lines += foreign
        return lines
