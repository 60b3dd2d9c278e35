"""What nginx, the lab's client and the backends tell of single requests. Every text in it is foreign.

Times of day are seconds since the epoch.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempt:
    """One backend that nginx tried for a request."""

    upstream: str
    """As nginx logged it: `127.0.0.1:71`, or the upstream's name when no peer was live."""
    port: int | None
    """None when it is not one of the lab's backends."""
    status: int | None
    """None when the connection gave no status."""
    header_seconds: float | None = None
    """From the attempt's start to the backend's response header; None when none came."""
    seconds: float | None = None
    """From the attempt's start to its end, in nginx's whole milliseconds."""
    bytes_sent: int | None = None
    """To the backend; 0 when it refused the connection."""
    bytes_received: int | None = None
    """From the backend."""

    @property
    def is_answer(self) -> bool:
        """Whether the backend itself answered: a status alone may be nginx's own 502 or 504."""
        return self.header_seconds is not None

    @property
    def may_have_arrived(self) -> bool:
        """Whether the backend may have got the request, or a part of it."""
        return self.port is not None and self.bytes_sent != 0


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request as nginx logged it, joined with what the lab's client saw of it. Every text in it is foreign."""

    number: int
    """Counts the log's lines; the newest has the highest."""
    time: float
    method: str
    uri: str
    status: int
    attempts: tuple[Attempt, ...]
    worker_pid: int
    """Of the nginx worker that served it."""
    generation: int
    """Of the configuration that served it."""
    seconds: float
    """By nginx's clock, in whole milliseconds."""
    shot: int | None = None
    """The lab's client's own number for it; None if somebody else sent it."""
    pid: int | None = None
    """Of the backend that answered."""
    latency_ms: float | None = None
    """By the client's clock if the lab's client sent it, None until it has told; by nginx's, in whole milliseconds, of
    others' requests."""
    client: str | None = None
    """Who sent it, from its User-Agent; None for the lab's own client."""
    request_id: str = ""
    is_cut: bool = False
    """Less of the body was sent than the header had promised."""


@dataclass(frozen=True, slots=True)
class ClientWitness:
    """What the lab's client saw of one of its requests. Times of day are seconds since the epoch."""

    due: float
    sent: float
    first_byte: float | None
    """None when no byte of an answer came."""
    done: float
    status: int | None
    error: str | None
    """The kind of failure when no complete answer came."""
    headers: tuple[tuple[str, str], ...] = ()
    """Of the response, as they came."""
    body: str = ""
    """Its beginning."""
    is_resent: bool = False
    """Sent again on a new connection, since the kept-alive one had been closed under it."""


@dataclass(frozen=True, slots=True)
class NginxWitness:
    """What nginx logged of a request."""

    logged: float
    worker_pid: int
    generation: int
    """Of the configuration that served it."""
    status: int
    seconds: float
    attempts: tuple[Attempt, ...] = ()
    reasons: tuple[str, ...] = ()
    """What nginx made of each attempt and by which rule, one for each; empty when the rules then are forgotten."""


@dataclass(frozen=True, slots=True)
class BackendWitness:
    """What one backend saw of a request that nginx sent it."""

    port: int
    pid: int
    arrived: float
    in_flight: int
    """Requests it had on its hands when this one arrived, this one included."""
    done: float | None = None
    """None while it works on it, or when the client had gone before."""


@dataclass(frozen=True, slots=True)
class RequestDetail:
    """One request, as its three witnesses tell of it."""

    view: RequestView
    nginx: NginxWitness
    client: ClientWitness | None = None
    """None for another client's request, or when it is too long ago."""
    backends: tuple[BackendWitness, ...] = ()
    """In the order in which nginx tried them; without those that are dead, or have forgotten."""
