"""What became of one request, and how it crosses from the process that fired it."""

from functools import lru_cache
from typing import NamedTuple

FIRST_SERVER_ERROR = 500


class Outcome(NamedTuple):
    """One request of the lab's client, as the client saw it. A tuple, since a busy client makes thousands a second."""

    number: int
    """The client's own count; nginx logs it as part of `X-Lablb-Shot`, which joins the two."""
    latency_us: int
    """From the moment it was due to the last byte of the answer, or to the failure."""
    late_us: int
    """From the moment it was due to the moment it was sent."""
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

    @property
    def is_answer(self) -> bool:
        """Whether a complete response came, whatever its status."""
        return self.status is not None

    @property
    def failure(self) -> str | None:
        """What the person behind the client would call a failure: no answer, or a server error."""
        if self.status is None:
            return self.error or "unknown"
        return f"http_{self.status}" if self.status >= FIRST_SERVER_ERROR else None

    @property
    def port(self) -> int | None:
        """Of the backend that nginx tried last, which is the one that answered if any did."""
        return _last_port(self.upstream)

    @property
    def is_retried(self) -> bool:
        """Whether nginx tried more than one backend."""
        return "," in self.upstream


@lru_cache(maxsize=4096)
def _last_port(upstream: str) -> int | None:
    port = upstream.rpartition(":")[2]
    return int(port) if port.isdecimal() else None
