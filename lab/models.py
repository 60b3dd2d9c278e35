"""The immutable facts that cross the border between the engine and whoever shows them.

Unknown is None, never 0. Times of day are seconds since the epoch; durations carry their unit in the name.
"""

from dataclasses import dataclass, field, replace
from enum import Enum


class Phase(Enum):
    """Where the lab is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


class BackendState(Enum):
    """What the operating system says of a backend's process."""

    STARTING = "starting"
    UP = "up"
    FROZEN = "frozen"
    KILLED = "killed"
    """The lab killed it."""
    EXITED = "exited"
    """It ended by itself, or somebody else ended it."""

    @property
    def is_alive(self) -> bool:
        return self in (BackendState.STARTING, BackendState.UP, BackendState.FROZEN)


class LoopKind(Enum):
    """How the lab's client decides when to send: by the clock, or when an answer came back."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Percentiles of a set of latencies, in milliseconds; None where there was none to measure."""

    count: int = 0
    min_ms: float | None = None
    mean_ms: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    p99_9_ms: float | None = None
    max_ms: float | None = None


@dataclass(frozen=True, slots=True)
class BackendView:
    """One backend: its process, its place in the upstream, and what it did."""

    port: int
    state: BackendState
    pid: int | None = None
    weight: int = 1
    is_down: bool = False
    """Taken out of rotation: nginx's `down`."""
    is_backup: bool = False
    service_time_ms: float = 0.0
    """What each request is made to take; 0 answers at once."""
    is_slowed: bool = False
    """Its service time was raised since the lab started."""
    hits: int = 0
    """Requests it answered through nginx, whoever sent them, since the counters were zeroed."""
    share: float | None = None
    """Its part of all hits, 0 to 1."""
    failures: int = 0
    """Attempts nginx made on it that gave no valid answer, since the counters were zeroed."""
    rate_rps: float = 0.0
    """Hits per second over the last few seconds."""
    in_flight: int | None = None
    """Requests it has accepted and not yet answered."""
    latency: LatencySummary = LatencySummary()
    """The lab's own client's view of the requests it answered, over the last 10 s, from the moment each was due."""
    cpu_percent: float | None = None
    rss_bytes: int | None = None
    note: str | None = None
    """Why it isn't serving, in a few words: its last words on stderr, or what was done to it."""


@dataclass(frozen=True, slots=True)
class NginxView:
    """The running nginx."""

    version: str
    source: str
    """`bundled`, `system`, or a path."""
    port: int
    master_pid: int | None = None
    worker_pids: tuple[int, ...] = ()
    cpu_percent: float | None = None
    """Of the master and all workers together."""
    rss_bytes: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@dataclass(frozen=True, slots=True)
class AlgorithmChoice:
    """One algorithm of the catalogue, and whether this nginx has it."""

    name: str
    title: str
    summary: str
    is_available: bool = True
    why_not: str | None = None
    """For example `needs nginx 1.31.0 or newer`."""


@dataclass(frozen=True, slots=True)
class TrafficView:
    """The lab's own client."""

    loop: LoopKind = LoopKind.OPEN
    target_rps: float | None = None
    """None for a closed loop, which has no target."""
    connections: int = 1
    is_paused: bool = False
    sent: int = 0
    answered: int = 0
    """A complete answer with a status below 500."""
    failed: int = 0
    """No complete answer, or a status of 500 and above. sent = answered + failed + in_flight."""
    retried: int = 0
    """Answered requests for which nginx had to try more than one backend."""
    late: int = 0
    """Open loop: sent more than 10 ms after they were due, for want of a free connection."""
    in_flight: int = 0
    errors: tuple[tuple[str, int], ...] = ()
    """Kind of failure and how often, most frequent first."""
    rate_rps: float = 0.0
    """Answers per second over the last few seconds."""
    other_clients: int = 0
    """Requests by anyone else (a browser, curl, wrk), as nginx logged them."""
    latency: LatencySummary = LatencySummary()
    """Over the last 10 s."""


@dataclass(frozen=True, slots=True)
class SecondView:
    """One second of the lab's client, for charts: latencies of what was answered in it, and what failed."""

    second: int
    answered: int = 0
    failed: int = 0
    retried: int = 0
    late: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


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

    @property
    def is_answer(self) -> bool:
        """Whether the backend itself answered: a status alone may be nginx's own 502 or 504."""
        return self.header_seconds is not None


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
    pid: int | None = None
    """Of the backend that answered."""
    latency_ms: float | None = None
    """By the client's clock if the lab's client sent it, by nginx's otherwise (whole milliseconds)."""
    client: str | None = None
    """Who sent it, from its User-Agent; None for the lab's own client."""
    request_id: str = ""


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


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many of the lab's client's answered requests took from `from_ms` to less than `to_ms`."""

    from_ms: float
    to_ms: float
    count: int


@dataclass(frozen=True, slots=True)
class LatencySeries:
    """The latencies of one backend, or of all together."""

    port: int | None
    """None for all together."""
    seconds: tuple[SecondView, ...]
    """The last 60 s, oldest first, without gaps; the last one is still filling."""
    buckets: tuple[Bucket, ...]
    """Since the counters were zeroed, ascending, each 1 % wider than the one before; empty ones are left out."""
    summary: LatencySummary = LatencySummary()
    """Since the counters were zeroed."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Three independent counts since the lab started: client, nginx, backends."""

    client_answered: int = 0
    """Complete responses that the lab's client received."""
    nginx_logged: int = 0
    """Responses that nginx logged as sent to the lab's client in full."""
    backends_served: int = 0
    """Requests that the backends say they answered, by whomever they were sent."""
    nginx_forwarded: int = 0
    """Attempts that nginx logged as answered by a backend, by whomever they were sent."""
    other_clients: int = 0
    """Requests of other clients, in nginx's log."""
    crossed: int = 0
    """Answers that were under way when whoever waited for them gave up: sent by one side, not received by the other.
    Already settled in the counts above."""
    settling: int = 0
    """Requests so recent that not all three can have counted them yet."""

    @property
    def largest_gap(self) -> int:
        """By how much two of the counts differ at the most, what is still settling included."""
        return max(abs(self.client_answered - self.nginx_logged), abs(self.nginx_forwarded - self.backends_served))

    @property
    def differences(self) -> tuple[str, ...]:
        """By how much and between whom the counts disagree, beyond what is still settling."""
        found = []
        if abs(gap := self.client_answered - self.nginx_logged) > self.settling:
            found.append(f"client has {abs(gap):,} {'more' if gap > 0 else 'fewer'} answers than nginx logged")
        if abs(gap := self.nginx_forwarded - self.backends_served) > self.settling:
            found.append(f"nginx has {abs(gap):,} {'more' if gap > 0 else 'fewer'} answers than the backends gave")
        return tuple(found)

    def settled(self) -> "Ledger":
        """The same counts once everybody has had the time to speak."""
        return replace(self, settling=0)

    @property
    def is_balanced(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a configuration compared with the one before: mark is `+`, `-` or a space."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class ConfigView:
    """nginx's configuration in force."""

    generation: int
    """Counts the configurations since the lab started; the first is 1."""
    change: str
    """What was done, in a few words: `least_conn`, `weight of 72: 1 → 2`."""
    main: str
    """The text of nginx.conf."""
    site: str
    """The text of sites-available/lablb.conf."""
    site_diff: tuple[DiffLine, ...] = ()
    """The site against the one before; empty for the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything that may be shown, as of one instant."""

    sequence: int = 0
    phase: Phase = Phase.STARTING
    activity: str | None = None
    """What the lab is busy with (`nginx: testing the configuration`); None when it is at rest."""
    notices: tuple[str, ...] = ()
    """What a person should know about how the lab started, for example that it moved to port 8070."""
    algorithm: str = ""
    """The name of the algorithm in force."""
    algorithms: tuple[AlgorithmChoice, ...] = ()
    nginx: NginxView | None = None
    backends: tuple[BackendView, ...] = ()
    traffic: TrafficView = field(default_factory=TrafficView)
    seconds: tuple[SecondView, ...] = ()
    """The last 60 s, oldest first, without gaps; the last one is still filling."""
    feed: tuple[RequestView, ...] = ()
    """The latest requests, oldest first, at most 500."""
    ledger: Ledger = field(default_factory=Ledger)
    config: ConfigView | None = None


EMPTY = Snapshot()
