"""The immutable facts that cross the border between the engine and whoever shows them.

Unknown is None, never 0. Times of day are seconds since the epoch; durations carry their unit in the name.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.counts.latency import NOTHING_MEASURED, LatencySummary
from lab.counts.ledger import Ledger
from lab.states import BackendState, LoopKind, Phase

if TYPE_CHECKING:
    from lab.counts.latency import SecondView
    from lab.counts.noise import Noise
    from lab.nginx.belief import Belief
    from lab.witnesses import RequestView
    from lab.xray.view import XRay


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
    """Attempts nginx made on it that gave no valid answer, a server error or a cut body, since the counters were
    zeroed."""
    rate_rps: float = 0.0
    """Hits per second over the last few seconds."""
    in_flight: int | None = None
    """Requests it has accepted and not yet answered."""
    latency: LatencySummary = NOTHING_MEASURED
    """The lab's own client's view of the requests it answered, over the last 10 s, from the moment each was due."""
    cpu_percent: float | None = None
    rss_bytes: int | None = None
    fault: str | None = None
    """What the lab made it do wrong, in a few words (`errors 500, 30 %`); None while it does nothing wrong."""
    belief: "Belief | None" = None
    """What nginx believes of it, inferred from nginx's log; None where that can't be known, and while nginx is dead."""
    note: str | None = None
    """Why it isn't serving, in a few words: its last words on stderr, or what was done to it."""
    revivals: int = 0
    """How often `--restart` has brought it back."""
    left_alone: tuple[str, ...] | None = None
    """Why `--restart` has given it up, and the latest lines of its last process on stderr; None unless it has."""


@dataclass(frozen=True, slots=True)
class NginxView:
    """The running nginx."""

    version: str
    source: str
    """`bundled`, `system`, or a path."""
    port: int
    master_pid: int | None = None
    worker_pids: tuple[int, ...] = ()
    stopped_pids: tuple[int, ...] = ()
    """Of master and workers that somebody has stopped (SIGSTOP)."""
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
    is_dead: bool = False
    """Its process has ended before its time: nothing is fired."""
    stopped_pid: int | None = None
    """Its process's, if somebody has stopped that (SIGSTOP)."""
    is_done: bool = False
    """All that was asked for was sent and has its outcome; single shots may follow."""
    sent: int = 0
    answered: int = 0
    """A complete answer with a status below 500."""
    failed: int = 0
    """No complete answer, or a status of 500 and above. sent = answered + failed + in_flight."""
    retried: int = 0
    """Requests for which nginx tried more than one backend, answered or failed; of those to which no header came, the
    client can't know."""
    resent: int = 0
    """Requests that the client sent again, answered or failed: their kept-alive connection had been closed before a
    byte of the answer came, by an nginx that was ending, or killed."""
    late: int = 0
    """Open loop: sent more than 10 ms after they were due, for want of a free connection."""
    in_flight: int = 0
    errors: tuple[tuple[str, int], ...] = ()
    """Kind of failure and how often, most frequent first."""
    statuses: tuple[tuple[int, int], ...] = ()
    """HTTP status of the complete answers and how often, most frequent first."""
    rate_rps: float = 0.0
    """Answers per second over the last few seconds."""
    other_clients: int = 0
    """Requests by anyone else (a browser, curl, wrk), as nginx logged them."""
    direct: int = 0
    """Answers of backends to those who came past nginx."""
    latency: LatencySummary = NOTHING_MEASURED
    """Over the last 10 s."""


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


@dataclass(frozen=True, slots=True)
class OldWorker:
    """A worker of nginx that finishes its last requests after a reload."""

    pid: int
    connections: int | None = None
    """Of clients, that it still holds; None where the system doesn't tell."""


@dataclass(frozen=True, slots=True)
class Reload:
    """The latest change of nginx's configuration, and what has happened since."""

    generation: int
    """Of the configuration that it brought."""
    change: str
    """What was done, in a few words."""
    time: float
    """When it was asked for, seconds since the epoch."""
    seconds: float
    """From asking nginx until the new workers ran and the old ones took no more requests."""
    old_pids: tuple[int, ...]
    new_pids: tuple[int, ...]
    finishing: tuple[OldWorker, ...] = ()
    """The old workers that still run."""
    finished_by_old: int = 0
    """Requests that the configuration before answered after the change was asked for."""
    answered: int = 0
    """Requests that nginx has answered since, whoever sent them."""
    failed: int = 0
    """Requests that failed since: the lab's client's, and other clients' as far as nginx knows."""
    failed_meanwhile: int = 0
    """Those of them that were told of while old workers still ran, or shortly after; 0 is what is expected."""
    was_failing: bool = False
    """Whether requests had failed just before the change, so that it isn't to blame."""
    hits: tuple[tuple[int, int], ...] = ()
    """Port and hits since, of each backend."""


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
    seconds: "tuple[SecondView, ...]" = ()
    """The last 60 s, oldest first, without gaps; the last one is still filling."""
    feed: "tuple[RequestView, ...]" = ()
    """The latest requests, oldest first, at most 500."""
    ledger: Ledger = field(default_factory=Ledger)
    config: ConfigView | None = None
    reload: Reload | None = None
    """None until the configuration was changed."""
    retry_rules: tuple[str, ...] = ()
    """What has nginx try another backend: the words of `proxy_next_upstream` in force."""
    xray: "XRay | None" = None
    """The algorithm's inside, by a model; None until nginx has a configuration."""
    noise: "Noise | None" = None
    """Whether shares differ by more than chance; None until the lab runs."""


EMPTY = Snapshot()
