"""What became of the client's requests, and how that crosses from the process that fired them.

A busy client makes thousands a second: what many requests have in common is kept, sent and judged once, as their fate.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

BODY_PREFIX = b"Hello from Process Id = "
FIRST_SERVER_ERROR = 500
_BACKEND = re.compile(r":[0-9]+(?![^, ])")
"""The port of an address in `$upstream_addr`, where `, ` parts attempts and ` : ` internal redirects."""


@dataclass(frozen=True, eq=False)
class Fate:
    """What became of a request, but for when. Two are the same only if they are one object: that compares fast."""

    status: int | None = None
    """None when no complete answer came."""
    error: str | None = None
    """The kind of failure when no complete answer came."""
    pid: int | None = None
    """From the body: of the backend that answered."""
    upstream: str = ""
    """From `X-Upstream`: every backend that nginx tried."""
    is_resent: bool = False
    """Sent again on a new connection, since the kept-alive one had been closed under it."""

    @cached_property
    def is_answer(self) -> bool:
        """Whether a complete response came, whatever its status."""
        return self.status is not None

    @cached_property
    def failure(self) -> str | None:
        """What the person behind the client would call a failure: no answer, or a server error."""
        if self.status is None:
            return self.error or "unknown"
        return f"http_{self.status}" if self.status >= FIRST_SERVER_ERROR else None

    @cached_property
    def port(self) -> int | None:
        """Of the backend that nginx tried last, which is the one that answered if any did."""
        port = self.upstream.rpartition(":")[2]
        return int(port) if port.isdecimal() else None

    @cached_property
    def is_retried(self) -> bool:
        """Whether nginx tried more than one backend; the upstream's name, for want of a live peer, is none."""
        return len(_BACKEND.findall(self.upstream)) > 1


@lru_cache(maxsize=4096)
def answered(status: int, upstream: bytes, body: bytes, is_resent: bool) -> Fate:
    """The fate of a request that was answered like this; `body` need only be its beginning."""
    digits = body[len(BODY_PREFIX) :]
    pid = int(digits) if body.startswith(BODY_PREFIX) and digits.isdigit() else None
    return Fate(status, None, pid, upstream.decode("latin-1"), is_resent)


UNSENT = "unsent"
"""The kind of failure of requests that found no free connection in time."""
UNFINISHED = "unfinished"
"""The kind of failure of requests that were still under way when an interrupted run waited no longer."""
CLIENT_DIED = "client_died"
"""The kind of failure of requests that were under way when the process that fired them died."""


@lru_cache(maxsize=4096)
def failed(error: str, is_resent: bool = False, upstream: bytes = b"") -> Fate:
    """The fate of a request that got no complete answer; the header may have come, and have told whom nginx tried."""
    return Fate(None, error, None, upstream.decode("latin-1"), is_resent)


class Shot(NamedTuple):
    """One request as the process that fired it saw it. Times are seconds of `time.perf_counter`."""

    number: int
    """The client's own count; nginx logs it as part of `X-Lablb-Shot`, which joins the two."""
    due: float
    sent: float
    first_byte: float | None
    done: float
    """When the last byte of the answer came, or the failure."""
    fate: Fate
    response: bytes = b""
    """The response's first bytes, as they came."""

    @property
    def latency_us(self) -> int:
        """From the moment it was due until it was done."""
        return round((self.done - self.due) * 1e6)

    @property
    def late_us(self) -> int:
        """From the moment it was due to the moment it was sent."""
        return round((self.sent - self.due) * 1e6)


class Outcome(NamedTuple):
    """One request as the lab gets to know it."""

    number: int
    latency_us: int
    late_us: int
    fate: Fate


def pack(shots: Sequence[Shot]) -> dict[str, Any]:
    """As JSON has it: in columns, with each fate told once."""
    places: dict[Fate, int] = {}
    fates = [places.setdefault(shot.fate, len(places)) for shot in shots]
    return {
        "fates": [(fate.status, fate.error, fate.pid, fate.upstream, fate.is_resent) for fate in places],
        "number": [shot.number for shot in shots],
        "latency_us": [shot.latency_us for shot in shots],
        "late_us": [shot.late_us for shot in shots],
        "fate": fates,
    }


def unpack(columns: dict[str, Any]) -> list[Outcome]:
    """The outcomes of the shots that were packed."""
    fates = [Fate(*fields) for fields in columns["fates"]]
    of_each = map(fates.__getitem__, columns["fate"])
    return list(map(Outcome, columns["number"], columns["latency_us"], columns["late_us"], of_each))
