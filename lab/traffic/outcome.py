"""What became of one request, and how it crosses from the process that fired it."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, Self

FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request of the lab's client, as the client saw it."""

    shot: str
    """The client's own name for it, sent along as `X-Lablb-Shot` so that nginx's log can be joined."""
    latency_us: float
    """From the moment it was due to the last byte of the answer, or to the failure."""
    late_us: float
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
        port = self.upstream.rpartition(":")[2]
        return int(port) if port.isdigit() else None

    @property
    def is_retried(self) -> bool:
        """Whether nginx tried more than one backend."""
        return "," in self.upstream

    def pack(self) -> tuple[Any, ...]:
        """As a JSON array."""
        return astuple(self)

    @classmethod
    def unpack(cls, fields: Sequence[Any]) -> Self:
        """From what `pack` gave."""
        return cls(*fields)
