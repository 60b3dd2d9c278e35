"""What the lab is asked to be: validated where it is built, so that the rest may trust it."""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from lab.algorithms import DEFAULT_ALGORITHM, algorithm_named
from lab.errors import UsageError
from lab.fault_plan import PlannedFault
from lab.retry_rules import DEFAULT_RETRY_RULES, in_order
from lab.workload import Workload

PRIVILEGED_PORTS = (70, 71)
"""The article's ports: nginx's, and the first backend's."""
FALLBACK_PORTS = (8070, 8071)
"""Where the lab moves when the article's need a privilege it doesn't have."""
MAX_PORT = 65535
MAX_WEIGHT = 1000
"""nginx takes more, but a consistent hash allocates 160 points a unit of weight."""
MAX_FAILS = 1_000_000
MAX_SECONDS = 7 * 24 * 3600
"""A week: nginx and the event loops count longer times wrongly, or not at all."""
DASHBOARD_RATE_RPS = 20.0
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""What RFC 9110 (section 5.6.2) allows in the names of methods and headers."""
_OWN_HEADERS = frozenset(("connection", "content-length", "transfer-encoding", "x-lablb-shot"))
READ_TIMEOUT_SHARE = 0.4
"""The part of the client's patience that nginx spends on a silent backend, so that another has time to answer."""
MIN_READ_TIMEOUT_MS = 2000


def _positive(what: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        figure = f"{value:g}" if isinstance(value, float) else f"{value}"
        raise UsageError(f"A {what} of {figure} can't be: give more than 0.")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a backend answers.

    The service time is waited, not burnt; requests beyond the capacity wait their turn.
    """

    service_time_ms: float = 0.0
    capacity: int | None = None
    """How many requests it works on at once; None for no limit."""
    workload: Workload | None = None
    """How the service time is spread over the lab's own requests; None for the same for each."""

    def service_time_of(self, number: int | None) -> float:
        """What the lab's request of that number takes, in milliseconds; None for another client's."""
        if self.workload is None or number is None:
            return self.service_time_ms
        return self.service_time_ms * self.workload.share(number)

    def __post_init__(self) -> None:
        if not 0 <= self.service_time_ms <= MAX_SECONDS * 1000:
            raise UsageError(f"A service time of {self.service_time_ms:g} ms can't be: give 0 or more, up to a week.")
        if self.capacity is not None and self.capacity < 1:
            raise UsageError(f"A capacity of {self.capacity} would never answer: give 1 or more.")


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """One `server` line of the upstream. Its port is the lab's base port plus its place in the list."""

    weight: int = 1
    is_down: bool = False
    is_backup: bool = False
    max_fails: int = 1
    fail_timeout_seconds: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.weight <= MAX_WEIGHT:
            raise UsageError(f"A weight of {self.weight} can't be: give 1 to {MAX_WEIGHT:,}.")
        if not 0 <= self.max_fails <= MAX_FAILS:
            raise UsageError(
                f"max_fails of {self.max_fails} can't be: give 0 (never put aside) or more, to {MAX_FAILS:,}."
            )
        if not 1 <= self.fail_timeout_seconds <= MAX_SECONDS:
            raise UsageError(
                f"A fail timeout of {self.fail_timeout_seconds} s can't be: give 1s or more, up to a week."
            )


class Arrivals(StrEnum):
    """How the requests of an open loop are spread."""

    STEADY = "steady"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class Ramp:
    """An open loop's rate that goes evenly from one to the other, and stays there."""

    from_rps: float
    to_rps: float
    seconds: float

    def __post_init__(self) -> None:
        _positive("rate", self.from_rps)
        _positive("rate", self.to_rps)
        _positive("ramp time", self.seconds)


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """What a request looks like."""

    method: str = "GET"
    paths: tuple[str, ...] = ("/",)
    """Taken in turn."""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    keeps_alive: bool = True
    """Whether a connection is used again."""

    def __post_init__(self) -> None:
        if not re.fullmatch(_NAME, self.method):
            raise UsageError(f"{self.method!r} is no HTTP method: give one like GET or POST.")
        if not self.paths:
            raise UsageError("A request needs a path: give one like /.")
        for path in self.paths:
            if not re.fullmatch(r"/[!-~]*", path):
                raise UsageError(f"{path!r} is no path: begin it with / and percent-encode what isn't plain ASCII.")
        try:
            self.body.encode()
        except UnicodeEncodeError:
            raise UsageError("The body isn't valid text: give it in UTF-8.") from None
        for name, value in self.headers:
            if not re.fullmatch(_NAME, name) or not re.fullmatch(r"[\t -~\x80-\xff]*", value):
                raise UsageError(f"{f'{name}: {value}'!r} is no header: write it like 'X-Name: value'.")
            if name.lower() in _OWN_HEADERS:
                raise UsageError(f"The lab's client sets {name} itself: leave that header out.")


@dataclass(frozen=True, slots=True)
class TrafficSpec:
    """What the lab's client fires: an open loop when it has a rate, a closed one when it hasn't."""

    rate_rps: float | None = None
    connections: int | None = None
    """Closed loop: how many requests are under way at once (1 unless given). Open loop: the most there may be."""
    requests: int | None = None
    """Stop after so many; None for no limit."""
    duration_seconds: float | None = None
    """Stop after so long; None for no limit."""
    timeout_seconds: float = 5.0
    """From the moment a request was due."""
    arrivals: Arrivals = Arrivals.STEADY
    seed: int | None = None
    """Of what is left to chance; None for another one each time."""
    ramp: Ramp | None = None
    """Beats `rate_rps`, which is then where it begins."""
    request: RequestSpec = RequestSpec()

    def __post_init__(self) -> None:
        _positive("rate", self.rate_rps)
        _positive("number of connections", self.connections)
        _positive("number of requests", self.requests)
        _positive("duration", self.duration_seconds)
        _positive("timeout", self.timeout_seconds)
        if self.timeout_seconds > MAX_SECONDS:
            raise UsageError(f"A timeout of {self.timeout_seconds:g} s can't be: give up to a week.")
        if self.connections is not None and self.connections > 10_000:
            raise UsageError(f"{self.connections:,} connections are more than one client can hold: give up to 10,000.")
        if self.arrivals is Arrivals.POISSON and self.rate_rps is None:
            raise UsageError("Poisson arrivals need a rate: give one with -q or --ramp.")


@dataclass(frozen=True, slots=True)
class LabConfig:
    """A whole lab.

    Raises:
        UsageError: a value, or a combination of values, makes no sense.
    """

    algorithm: str = DEFAULT_ALGORITHM
    backends: tuple[BackendSpec, ...] = field(default=(BackendSpec(),) * 5)
    behaviour: Behaviour = Behaviour()
    port: int | None = None
    """nginx's port; None for 70, or 8070 where 70 isn't allowed."""
    base_port: int | None = None
    """The first backend's port; None for 71, or 8071 where 71 isn't allowed."""
    nginx: str = "bundled"
    """`bundled`, `system`, or the path of a binary."""
    nginx_workers: int = 1
    restart: bool = False
    """Bring a backend that died back."""
    keep_root: bool = False
    """Let backends and nginx's workers stay root where the lab was started by root."""
    faults: tuple[PlannedFault, ...] = ()
    """What is to go wrong by the clock."""
    retry_rules: tuple[str, ...] = DEFAULT_RETRY_RULES
    """What has nginx try another backend: words of `proxy_next_upstream`."""
    traffic: TrafficSpec = TrafficSpec(rate_rps=DASHBOARD_RATE_RPS)

    def __post_init__(self) -> None:
        algorithm_named(self.algorithm)
        in_order(self.retry_rules)
        if not self.backends:
            raise UsageError("A lab needs backends: give 1 or more.")
        if all(spec.is_backup for spec in self.backends):
            raise UsageError("nginx needs a backend that is no backup: make fewer of them backups.")
        if not 1 <= self.nginx_workers <= 64:
            raise UsageError(f"{self.nginx_workers} nginx workers can't be: give 1 to 64.")
        for port in (self.port, self.base_port):
            if port is not None and not 1 <= port <= MAX_PORT:
                raise UsageError(f"There is no port {port}: give 1 to {MAX_PORT}.")
        port, base_port = self.preferred_ports
        last = base_port + len(self.backends) - 1
        if last > MAX_PORT:
            raise UsageError(
                f"{len(self.backends)} backends from port {base_port} on would need port {last}, and ports end at"
                f" {MAX_PORT}: give a lower --base-port or fewer --backends."
            )
        if base_port <= port <= last:
            raise UsageError(
                f"nginx's port {port} lies among the backends' ports {base_port}-{last}:"
                " give another --port or --base-port."
            )

        for fault in self.faults:
            self.place_of(fault)

    def place_of(self, fault: PlannedFault) -> int:
        """The place of the backend that a fault is meant for, counted from 0.

        The article's ports and those that the lab falls back to mean the same backends, so that a plan holds on both.

        Raises:
            UsageError: there is no such backend.
        """
        _, base_port = self.preferred_ports
        count = len(self.backends)
        first_ports = (base_port,) if self.base_port is not None else (base_port, FALLBACK_PORTS[1])
        places = (fault.place,) if fault.place is not None else (fault.port - first for first in first_ports)
        for place in places:
            if 0 <= place < count:
                return place
        ports = f"{base_port} to {base_port + count - 1}" if count > 1 else f"only {base_port}"
        raise UsageError(f"{fault.text!r} is for a backend that isn't there: the lab has {ports}.")

    @property
    def read_timeout_ms(self) -> int:
        """How long nginx waits for a silent backend: 2 s, or more for a patient client or backends that take long."""
        patience_ms = READ_TIMEOUT_SHARE * self.traffic.timeout_seconds * 1000
        return round(max(MIN_READ_TIMEOUT_MS, patience_ms, 2 * self.behaviour.service_time_ms))

    @property
    def preferred_ports(self) -> tuple[int, int]:
        """nginx's port and the first backend's, as asked for."""
        port, base_port = PRIVILEGED_PORTS
        return self.port or port, self.base_port or base_port

    def with_weights(self, weights: tuple[int, ...]) -> Self:
        """The same lab with one weight a backend.

        Raises:
            UsageError: there are more or fewer weights than backends.
        """
        if len(weights) != len(self.backends):
            raise UsageError(
                f"{len(weights)} weights don't fit {len(self.backends)} backends: give one weight for each."
            )
        specs = (replace(spec, weight=weight) for spec, weight in zip(self.backends, weights, strict=True))
        return replace(self, backends=tuple(specs))
