"""What the lab's client is asked to fire."""

import re
from dataclasses import dataclass
from enum import StrEnum

from lab.durations import MAX_SECONDS
from lab.errors import UsageError

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""What RFC 9110 (section 5.6.2) allows in the names of methods and headers."""
LONGEST_PATH = 8_000
"""nginx reads a request line of 8 kB (`large_client_header_buffers`), method and version included; one that is longer
it refuses before it has read whose it is."""
_OWN_HEADERS = frozenset(("connection", "content-length", "transfer-encoding", "x-lablb-shot"))


def _positive(what: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        figure = f"{value:g}" if isinstance(value, float) else f"{value}"
        raise UsageError(f"A {what} of {figure} can't be: give more than 0.")


def _require_path(path: str) -> None:
    if not re.fullmatch(r"/[!-~]*", path):
        raise UsageError(f"{path!r} is no path: begin it with / and percent-encode what isn't plain ASCII.")
    if len(path) > LONGEST_PATH:
        raise UsageError(f"A path of {len(path):,} characters is more than nginx reads: give up to {LONGEST_PATH:,}.")


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

    def rate_rps(self, elapsed_seconds: float) -> float:
        """The rate so long after its beginning."""
        part = min(max(elapsed_seconds / self.seconds, 0.0), 1.0)
        return self.from_rps + (self.to_rps - self.from_rps) * part


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
        if self.method == "CONNECT":
            raise UsageError(
                "CONNECT asks a proxy for a tunnel, and nginx is none here: give a method like GET or POST."
            )
        if not self.paths:
            raise UsageError("A request needs a path: give one like /.")
        for path in self.paths:
            _require_path(path)
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
