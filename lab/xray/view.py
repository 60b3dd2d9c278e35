"""What a model of nginx's balancing, which follows the real one by its log, knows: never nginx's own word."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HashStep:
    """One step of a hash's walk to a backend."""

    hash: int
    place: int
    """The hash modulo the total weight; on the ring, the number of the point."""
    port: int
    refusal: str | None = None
    """Why the walk went on, in a word; None for the last step."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A request's first backend, as the model had it and as nginx had it."""

    request_id: str
    what: str
    """Method and URI. Foreign text."""
    time: float
    """When the request began, seconds since the epoch."""
    port: int | None
    """Whom nginx picked; None if it found no live backend."""
    foretold: int | None
    """Whom the model picked; None if it found no live backend, or can't foretell."""
    is_compared: bool
    """Whether the model had foretold it, rightly or wrongly."""
    sentence: str
    """Why it went there."""
    key: str | None = None
    """What was hashed. Foreign text; None where nothing is."""
    key_hash: int | None = None
    steps: tuple[HashStep, ...] = ()

    @property
    def is_wrong(self) -> bool:
        """Whether nginx did something else than the model had foretold."""
        return self.is_compared and self.port != self.foretold


@dataclass(frozen=True, slots=True)
class PeerXRay:
    """One backend as the model has it now."""

    port: int
    weight: int
    effective_weight: int
    current_weight: int
    active: int
    """Requests that it has and hasn't finished."""
    average_ms: int
    """nginx's moving average of its response times; 0 before the first. Only `least_time` keeps it."""
    eta_ms: int
    """What `least_time` expects the next request to take."""
    halvings: int
    """How often `least_time` halves that average, since the backend hasn't been asked for so long."""
    refusal: str | None
    """Why nginx would pass it over; None if it wouldn't."""
    refusal_in_short: str | None
    """In a word."""
    odds: float | None
    """Of getting the next request, 0 to 1, where chance decides; the part of the ring where a ring does."""
    is_tied: bool
    """Whether it is one of several with equally few active requests, or expected to be equally fast."""
    hits: int
    """Requests that it answered since the counters were zeroed or the configuration was changed."""
    expected: float | None
    """So many of them were to be expected; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class PairXRay:
    """Two backends that `random two` may draw."""

    ports: tuple[int, int]
    odds: float
    """Of drawing these two, in either order, 0 to 1."""
    winner: int | None
    """Who would get the request; None for whoever is drawn second."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One backend's picks, and what they were held against."""

    port: int
    by: int
    """So many more, or if negative fewer."""
    why: str | None = None
    """It was passed over, and why, where it was."""


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """Whether nginx keeps to the rule, where nothing is left to chance."""

    picks: int = 0
    """That were foretold, rightly or not."""
    off_rule: Deviation | None = None
    """Whoever got most more, or fewer, than the model says; None if all got as many."""
    off_weight: Deviation | None = None
    """Whoever got fewest by its weight, and noticeably so; None where weights promise no shares."""


@dataclass(frozen=True, slots=True)
class XRay:
    """The inside of the algorithm in force, by a model."""

    algorithm: str
    why_not: str | None = None
    """Why there is no X-ray now, in a sentence without its full stop; None if there is one."""
    foretold: int = 0
    """Picks that could be foretold since the configuration was changed or the counters were zeroed."""
    right: int = 0
    """Those of them that nginx made so."""
    peers: tuple[PeerXRay, ...] = ()
    next_port: int | None = None
    """Who is next; with a hash, for the latest key. None where chance decides, or there is nobody."""
    picks: tuple[Pick, ...] = ()
    """The latest, oldest first."""
    ring: tuple[tuple[int, int], ...] = ()
    """Place (0 to 2³² - 1) and port of each point of the consistent hash, ascending."""
    pairs: tuple[PairXRay, ...] = ()
    """What `random two` may draw, the likeliest first; empty where there are too many."""
    is_lost: bool = False
    """Whether the model has lost its place in the rounds and looks for it: it knows nothing of who is next then."""
    rule: RuleCheck | None = None
    """None where chance decides."""

    @property
    def last(self) -> Pick | None:
        """The latest pick."""
        return self.picks[-1] if self.picks else None
