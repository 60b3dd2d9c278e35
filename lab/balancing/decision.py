"""What a pick was made of: facts for whoever wants to see why, and one sentence that says it."""

from dataclasses import dataclass
from typing import NamedTuple

from lab.balancing.peer import Peer, Refusal

MOST_LISTED = 8
"""A sentence lists no more peers than that."""


def port_of(server: str) -> int:
    """How a person calls a server of the lab: by its port."""
    return int(server.rpartition(":")[2])


class Refused(NamedTuple):
    """A peer that was passed over, and why."""

    server: str
    refusal: Refusal


class Turn(NamedTuple):
    """One peer's part in a round of the smooth weighted round robin."""

    server: str
    weight: int
    effective_weight: int
    """What it was given in this round."""
    before: int
    """Its current weight before the round."""
    raised: int
    """Before + effective: the highest wins."""
    after: int
    """The winner pays what all were given; for all others it is `raised`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which peer was picked; its kinds say what decided."""

    peer: Peer
    is_backup: bool = False
    refused: tuple[Refused, ...] = ()
    """Who could not be picked at all."""

    @property
    def server(self) -> str:
        return self.peer.server

    @property
    def port(self) -> int:
        return port_of(self.server)

    @property
    def why(self) -> str:
        """One sentence for a person."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyOne(Decision):
    """There is one peer and no backup, so that nothing is decided."""

    @property
    def why(self) -> str:
        return "it is the only one"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByTurn(Decision):
    """Round robin."""

    turns: tuple[Turn, ...]

    @property
    def why(self) -> str:
        return why_its_turn(self.turns)


class Load(NamedTuple):
    """One eligible peer as `least_conn` sees it."""

    server: str
    conns: int
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ByLoad(Decision):
    """`least_conn`."""

    loads: tuple[Load, ...]
    turns: tuple[Turn, ...]
    """The round among those with equally few; empty if one alone has the fewest."""

    @property
    def why(self) -> str:
        conns = next(load.conns for load in self.loads if load.server == self.server)
        if not self.turns:
            return f"it has the fewest active requests per weight ({conns})"
        return f"{len(self.turns)} have equally few active requests; {why_its_turn(self.turns)}"


class Draw(NamedTuple):
    """One draw of `random`."""

    number: int
    """The random number modulo the total weight."""
    total_weight: int
    server: str
    """Whose range the number fell into."""
    is_taken: bool
    """Whether it counted; a peer that may not be picked is drawn in vain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDraw(Decision):
    """`random`."""

    draws: tuple[Draw, ...]
    turns: tuple[Turn, ...] = ()
    """The round that decided after 20 draws in vain."""

    @property
    def why(self) -> str:
        if self.turns:
            return f"{len(self.draws)} draws were in vain; {why_its_turn(self.turns)}"
        drawn = self.draws[-1]
        return f"{drawn.number} of 0 to {drawn.total_weight - 1} was drawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByTwoDraws(Decision):
    """`random two least_conn`."""

    draws: tuple[Draw, ...]
    loads: tuple[Load, ...]
    """Of the first one drawn and of the second."""
    turns: tuple[Turn, ...] = ()
    """The round that decided after 20 draws in vain."""

    @property
    def why(self) -> str:
        if self.turns:
            return f"{len(self.draws)} draws gave no two; {why_its_turn(self.turns)}"
        first, second = self.loads
        names = f"{port_of(first.server)} and {port_of(second.server)} were drawn"
        if self.server == first.server:
            return f"{names}, and the first has fewer active requests per weight"
        return f"{names}, and the second has no more active requests per weight"


class Step(NamedTuple):
    """One step of a hash's walk."""

    hash: int
    place: int
    """The hash modulo the total weight; on the ring, the number of the point."""
    server: str
    """Whose place it is."""
    refusal: Refusal | None
    """Why the walk goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHash(Decision):
    """`ip_hash` and `hash`."""

    key: str
    total_weight: int
    steps: tuple[Step, ...]
    turns: tuple[Turn, ...] = ()
    """The round that decided when there was no key, or after 20 steps in vain."""

    @property
    def why(self) -> str:
        if not self.key:
            return f"the key is empty; {why_its_turn(self.turns)}"
        if self.turns:
            return f"{len(self.steps)} hashes were in vain; {why_its_turn(self.turns)}"
        step = self.steps[-1]
        walked = "" if len(self.steps) == 1 else f"after {len(self.steps) - 1} in vain, "
        return f"{walked}{self.key} hashes to {step.hash}, modulo {self.total_weight} that is {step.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRing(Decision):
    """`hash … consistent`."""

    key: str
    key_hash: int
    points: int
    """How many there are on the ring."""
    steps: tuple[Step, ...]
    turns: tuple[Turn, ...] = ()
    """The round among peers of the same address, or the one that decided when there was no key or no end."""

    @property
    def why(self) -> str:
        if not self.key:
            return f"the key is empty; {why_its_turn(self.turns)}"
        if not self.steps or self.steps[-1].refusal is not None:
            return f"{len(self.steps)} points were in vain; {why_its_turn(self.turns)}"
        step = self.steps[-1]
        walked = "" if len(self.steps) == 1 else f", and {len(self.steps) - 1} before it were in vain"
        return f"{self.key} hashes to {self.key_hash:08x}, and point {step.hash:08x} is next on the ring{walked}"


class Estimate(NamedTuple):
    """One eligible peer as `least_time` sees it."""

    server: str
    weight: int
    average_ms: int
    conns: int
    eta_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ByTime(Decision):
    """`least_time`."""

    estimates: tuple[Estimate, ...]
    turns: tuple[Turn, ...]
    """The round among equals; empty if one alone is the fastest."""

    @property
    def why(self) -> str:
        eta_ms = next(estimate.eta_ms for estimate in self.estimates if estimate.server == self.server)
        if not self.turns:
            return f"it is expected to be done soonest per weight (in {eta_ms} ms)"
        return f"{len(self.turns)} are expected to be equally fast; {why_its_turn(self.turns)}"


def why_its_turn(turns: tuple[Turn, ...]) -> str:
    """Why this one won the round."""
    if len(turns) == 1:
        return "nobody else is eligible"
    raised = max(turn.raised for turn in turns)
    first = "" if [turn.raised for turn in turns].count(raised) == 1 else ", and it is the first with that"
    among = f" of {', '.join(str(turn.raised) for turn in turns)}" if len(turns) <= MOST_LISTED else ""
    return f"its current weight {raised} is the highest{among}{first}"
