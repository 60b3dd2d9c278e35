"""Scenarios: an upstream and what happens to it, made up from a seed."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from lab.balancing.peer import PeerSpec

MOST_PEERS = 6
EVENTS = 60
PATIENT_PART = 0.2
"""Of all scenarios: those that wait until a fail_timeout is over."""
ALGORITHMS = ("round_robin", "least_conn", "ip_hash", "hash", "hash_consistent", "least_time")
_TAKE_BACKUPS = frozenset(("round_robin", "least_conn", "least_time"))


class Fault(StrEnum):
    """How a backend fails."""

    REFUSES = "refuses"
    """Nobody listens."""
    CUTS = "cuts"
    """It closes the connection without an answer."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request arrives."""

    key: str
    address: str
    is_held: bool
    """Whoever gets it keeps it until a `Release`."""


@dataclass(frozen=True, slots=True)
class Release:
    """A request that is held is answered, or cut."""

    place: int
    """Modulo how many are held; nothing happens when none is."""
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Break:
    """A backend fails from now on."""

    place: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Mend:
    """A backend is well again."""

    place: int


@dataclass(frozen=True, slots=True)
class Slow:
    """A backend takes so long from now on."""

    place: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes, until so many seconds have begun."""

    seconds: int


Event = Ask | Release | Break | Mend | Slow | Wait


@dataclass(frozen=True, slots=True)
class Scenario:
    """An upstream and its events, in order. The number of a peer is its place among the `server` lines."""

    seed: int
    algorithm: str
    peers: tuple[PeerSpec, ...]
    """Their servers are placeholders (`0`, `1`, …) until a lane gives them ports; equal ones are one backend."""
    tries_limit: int
    events: tuple[Event, ...]

    @property
    def asks(self) -> int:
        """How many requests it has."""
        return sum(isinstance(event, Ask) for event in self.events)


def made_up(seed: int, algorithms: tuple[str, ...] = ALGORITHMS) -> Scenario:
    """The scenario of this seed."""
    rng = Random(seed)
    algorithm = rng.choice(algorithms)
    is_patient = rng.random() < PATIENT_PART
    peers = _peers(rng, algorithm, 1 if is_patient else rng.choice((1, 10)))
    events: list[Event] = []
    waits_left = 2 if is_patient else 0
    for _ in range(EVENTS):
        event = _event(rng, algorithm, len(peers), can_wait=waits_left > 0)
        waits_left -= isinstance(event, Wait)
        events.append(event)
    return Scenario(seed, algorithm, peers, rng.choice((0, 0, 0, 1, 2, 3)), tuple(events))


def _peers(rng: Random, algorithm: str, fail_timeout_seconds: int) -> tuple[PeerSpec, ...]:
    count = rng.randint(1, MOST_PEERS)
    fails = rng.choice(((1,), (1, 2, 3), (0, 1, 2)))
    limits = rng.choice(((0,), (0,), (0, 0, 1, 2), (1, 2)))
    weights = rng.choice(((1,), (1, 1, 2, 3), (1, 2, 5, 8)))
    primaries = rng.randint(1, count) if algorithm in _TAKE_BACKUPS and rng.random() < 0.35 else count
    has_namesakes = rng.random() < 0.1
    return tuple(
        PeerSpec(
            server=str(rng.randrange(count) if has_namesakes else number),
            weight=rng.choice(weights),
            max_conns=rng.choice(limits),
            max_fails=rng.choice(fails),
            fail_timeout_seconds=fail_timeout_seconds,
            is_down=rng.random() < 0.08,
            is_backup=number >= primaries,
        )
        for number in range(count)
    )


def _event(rng: Random, algorithm: str, peers: int, *, can_wait: bool) -> Event:
    dice = rng.random()
    if dice < 0.70:
        return _ask(rng)
    if dice < 0.86:
        return Release(rng.randrange(8), rng.random() < 0.25)
    if dice < 0.91:
        return Break(rng.randrange(peers), rng.choice(tuple(Fault)))
    if can_wait and dice < 0.93:
        return Wait(rng.choice((1, 1, 2)))
    if algorithm == "least_time" and dice < 0.95:
        return Slow(rng.randrange(peers), rng.choice((0, 15, 40)))
    return Mend(rng.randrange(peers))


def _ask(rng: Random) -> Ask:
    key = rng.choice(("", "/", *(f"/{number}" for number in range(12))))
    network = f"10.{rng.randrange(9)}.{rng.randrange(9)}.1"
    address = rng.choice(("127.0.0.1", network, f"2001:db8::{rng.randrange(9)}"))
    return Ask(key, address, is_held=rng.random() < 0.4)
