"""Picks as the readable models of `lab.balancing` do while all backends are up, at a cost that hardly grows with
their number.

A test holds each to its model, request by request. What has no fast variant here is picked by the model itself.
A balancer knows of its own requests only, and looks which of them are done when the next one comes.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate, count, cycle
from random import Random

from lab.balancing.methods import upstream_named
from lab.balancing.peer import PeerSpec
from lab.balancing.random import MOST_IN_VAIN
from lab.balancing.upstream import Request, Visit
from lab.simulation.fewest import Fewest
from lab.simulation.fewest_of_equals import fewest_of_equals

STARTED_SECONDS = 1_000_000
"""By nginx's clock, which counts from long ago."""


@dataclass(frozen=True, slots=True)
class Picker:
    """One balancer's: backends are numbers from 0 on, times are in ms."""

    pick: Callable[[float], int]
    """Picks a backend for a request that comes now; the times may not go backwards."""
    note: Callable[[int, float, float], None] | None = None
    """Is told the backend that was picked, when that was, and when it will have answered; None if it doesn't matter."""


def picker_for(algorithm: str, weights: Sequence[int], seed: str, keys: int) -> Picker:
    """A balancer that has just been started."""
    rng = Random(seed)  # noqa: S311 - a die, not a key
    match algorithm:
        case "round_robin":
            turn = turns(weights)
            return Picker(lambda _: turn())
        case "least_conn":
            return having_fewest(weights)
        case "random":
            draw = drawing(weights, rng)
            return Picker(lambda _: draw())
        case "random_two":
            return Picker(lambda _: 0) if len(weights) == 1 else drawing_two(weights, rng)
        case _:
            model = ByModel(algorithm, weights, rng, keys)
            return Picker(model.pick, model.note)


def turns(weights: Sequence[int]) -> Callable[[], int]:
    """Round robin.

    Peers of the same weight are given the same in each round, and pay the same. So among them whoever has won least
    often is ahead, the first one on a tie, and that is a rotation: only the heads of the rotations need comparing, one
    a weight.
    """
    if len(set(weights)) == 1:
        return cycle(range(len(weights))).__next__
    total = sum(weights)
    kinds = sorted(set(weights))
    members = [[place for place, weight in enumerate(weights) if weight == kind] for kind in kinds]
    heads = [0] * len(kinds)
    wins = [0] * len(kinds)
    """How often the head has won: as often as its whole rotation has come round."""
    rounds = 0

    def pick() -> int:
        nonlocal rounds
        rounds += 1
        best, best_current, best_place = 0, -total * rounds, -1
        for number, kind in enumerate(kinds):
            current = rounds * kind - wins[number] * total
            place = members[number][heads[number]]
            if best_place < 0 or current > best_current or (current == best_current and place < best_place):
                best, best_current, best_place = number, current, place
        heads[best] += 1
        if heads[best] == len(members[best]):
            heads[best] = 0
            wins[best] += 1
        return best_place

    return pick


def drawing(weights: Sequence[int], rng: Random) -> Callable[[], int]:
    """Random."""
    total, draw = sum(weights), rng.getrandbits
    if total == len(weights):
        return lambda: draw(31) % total
    starts = list(accumulate(weights, initial=0))[:-1]
    return lambda: bisect_right(starts, draw(31) % total) - 1


def having_fewest(weights: Sequence[int]) -> Picker:
    """Least connections."""
    if len(set(weights)) == 1:
        choose, release = fewest_of_equals(len(weights))
    else:
        fewest = Fewest(weights)
        choose, release = fewest.pick, fewest.release
    under_way: list[tuple[float, int]] = []

    def pick(now_ms: float) -> int:
        while under_way and under_way[0][0] <= now_ms:
            release(heappop(under_way)[1])
        return choose()

    def note(place: int, _: float, done_ms: float) -> None:
        heappush(under_way, (done_ms, place))

    return Picker(pick, note)


def drawing_two(weights: Sequence[int], rng: Random) -> Picker:
    """Random two; only of the two that are drawn it matters what they have under way."""
    draw, turn = drawing(weights, rng), turns(weights)
    under_way: list[list[float]] = [[] for _ in weights]
    """Of each backend, when its requests will be done."""

    def conns(place: int, now_ms: float) -> int:
        done_ms = under_way[place]
        while done_ms and done_ms[0] <= now_ms:
            heappop(done_ms)
        return len(done_ms)

    def pick(now_ms: float) -> int:
        first = draw()
        for _ in range(MOST_IN_VAIN):  # finding the first one counts, too
            second = draw()
            if second != first:
                is_busier = conns(second, now_ms) * weights[first] > conns(first, now_ms) * weights[second]
                return first if is_busier else second
        return turn()

    def note(place: int, _: float, done_ms: float) -> None:
        heappush(under_way[place], done_ms)

    return Picker(pick, note)


class ByModel:
    """Picks by the readable model, at a cost that grows with the number of backends."""

    def __init__(self, algorithm: str, weights: Sequence[int], rng: Random, keys: int) -> None:
        servers = [PeerSpec(f"10.0.{place >> 8}.{place & 255}:80", weight) for place, weight in enumerate(weights)]
        self._upstream = upstream_named(
            algorithm,
            servers,
            clock=lambda: STARTED_SECONDS + int(self._now_ms / 1000),
            chance=lambda: rng.getrandbits(31),
            tries_limit=1,
        )
        self._now_ms = 0.0
        self._places = {peer: place for place, peer in enumerate(self._upstream.primaries)}
        self._rng = rng
        self._keys = keys
        self._picked: Request
        self._numbers = count()
        self._under_way: list[tuple[float, int, float, Request]] = []

    def pick(self, now_ms: float) -> int:
        """Pick a backend for a client and a URI that are drawn."""
        self._now_ms = now_ms
        while self._under_way and self._under_way[0][0] <= now_ms:
            done_ms, _, begun_ms, request = heappop(self._under_way)
            request.succeeded(round(done_ms - begun_ms))
        key = self._rng.randrange(self._keys)
        self._picked = self._upstream.begin(Visit(f"/{key}", f"{10 + (key >> 16)}.{key >> 8 & 255}.{key & 255}.1"))
        self._picked.pick()
        assert self._picked.peer is not None
        return self._places[self._picked.peer]

    def note(self, _: int, now_ms: float, done_ms: float) -> None:
        """The one that was picked last will be done then."""
        heappush(self._under_way, (done_ms, next(self._numbers), now_ms, self._picked))
