"""Log lines, outcomes and reports that no nginx and no client has seen."""

import json
from typing import Any

from lab.logs.access_log import LogLine
from lab.traffic.outcome import Fate, Outcome
from lab.witnesses import Attempt

FIELDS = {
    "time": 1721000000.123,
    "generation": 3,
    "worker": 4242,
    "id": "0123456789abcdef0123456789abcdef",
    "shot": "",
    "method": "GET",
    "uri": "/",
    "status": "200",
    "seconds": 0.002,
    "upstream": "127.0.0.1:71",
    "upstream_status": "200",
    "upstream_header": "0.001",
    "upstream_seconds": "0.001",
    "bytes_sent": "120",
    "bytes_received": "180",
    "length": "27",
    "body_bytes": 27,
    "agent": "curl/8.0",
    "address": "127.0.0.1",
}
"""A line of the log in the order in which nginx writes it: what nginx itself made up is a number."""


def raw_line(**changes: Any) -> bytes:
    """A line as nginx writes it, without its end."""
    return json.dumps(list((FIELDS | changes).values()), separators=(",", ":")).encode()


def answered_by(port: int) -> Attempt:
    """An attempt that the backend answered."""
    return Attempt(f"127.0.0.1:{port}", port, 200, 0.001, 0.001, 120, 180)


def refused_by(port: int) -> Attempt:
    """An attempt on a backend that isn't there."""
    return Attempt(f"127.0.0.1:{port}", port, 502, None, 0.0, 0, 0)


def log_line(*attempts: Attempt, shot: str = "", status: int = 200, agent: str = "curl/8.0", uri: str = "/") -> LogLine:
    """A parsed line; by another client unless it is given the name of a shot."""
    return LogLine(
        time=1721000000.0,
        generation=1,
        worker_pid=4242,
        request_id="0123456789abcdef0123456789abcdef",
        shot=shot,
        method="GET",
        uri=uri,
        status=status,
        seconds=0.002,
        attempts=attempts or (answered_by(71),),
        agent=agent,
        address="127.0.0.1",
    )


def outcome(number: int = 1, latency_us: int = 1500, late_us: int = 20, **changes: Any) -> Outcome:
    """A request that backend 71 answered in 1.5 ms."""
    fate: dict[str, Any] = {"status": 200, "pid": 7171, "upstream": "127.0.0.1:71"}
    return Outcome(number, latency_us, late_us, Fate(**(fate | changes)))
