"""What the lab is asked to be: validated where it is built, so that the rest may trust it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from lab.algorithms import DEFAULT_ALGORITHM, WITHOUT_BACKUPS, algorithm_named
from lab.backends.behaviour import Behaviour
from lab.durations import MAX_SECONDS
from lab.errors import UsageError
from lab.faults.plan import PlannedFault
from lab.machine.loopback import MAX_PORT
from lab.nginx.retry_rules import DEFAULT_RETRY_RULES, in_order
from lab.traffic.plan import TrafficSpec

PRIVILEGED_PORTS = (70, 71)
"""The article's ports: nginx's, and the first backend's."""
FALLBACK_PORTS = (8070, 8071)
"""Where the lab moves when the article's need a privilege it doesn't have."""
MAX_WEIGHT = 1000
"""nginx takes more, but a consistent hash allocates 160 points a unit of weight."""
MAX_FAILS = 1_000_000
DASHBOARD_RATE_RPS = 20.0
READ_TIMEOUT_SHARE = 0.4
"""The part of the client's patience that nginx spends on a silent backend, so that another has time to answer."""
MIN_READ_TIMEOUT_MS = 2000


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


def require_fitting_backups(algorithm: str, backends: Sequence[BackendSpec]) -> None:
    """See that nginx takes the backups among them.

    Raises:
        UsageError: it doesn't.
    """
    if all(spec.is_backup for spec in backends):
        raise UsageError("nginx needs a backend that is no backup: make fewer of them backups.")
    if algorithm in WITHOUT_BACKUPS and any(spec.is_backup for spec in backends):
        raise UsageError(
            f"nginx refuses backups with {algorithm}:"
            " make none of the backends one, or choose round_robin, least_conn or least_time."
        )


@dataclass(frozen=True, slots=True)
class LabConfig:
    """A whole lab.

    Raises:
        UsageError: a value, or a combination of values, makes no sense.
    """

    algorithm: str = DEFAULT_ALGORITHM
    backends: tuple[BackendSpec, ...] = field(default=(BackendSpec(),) * 5)
    behaviour: Behaviour = field(default=Behaviour())
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
    traffic: TrafficSpec = field(default=TrafficSpec(rate_rps=DASHBOARD_RATE_RPS))

    def __post_init__(self) -> None:
        algorithm_named(self.algorithm)
        in_order(self.retry_rules)
        if not self.backends:
            raise UsageError("A lab needs backends: give 1 or more.")
        require_fitting_backups(self.algorithm, self.backends)
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
