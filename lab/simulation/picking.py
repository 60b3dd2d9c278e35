"""Picks as the readable models of `lab.balancing` do while all backends are up, at a cost that hardly grows with
their number.

A test holds each to its model, request by request. What has no fast variant here is picked by the model itself.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle
from random import Random

from lab.balancing.methods import upstream_named
from lab.balancing.peer import PeerSpec
from lab.balancing.random import MOST_IN_VAIN
from lab.balancing.upstream import Request, Visit
from lab.simulation.fewest import Fewest


@dataclass(frozen=True, slots=True)
class Picker:
    """One balancer's: backends are numbers from 0 on."""

    pick: Callable[[], int]
    """Picks a backend for the next request."""
    release: Callable[[int, float], object] | None = None
    """The backend has answered, after so many ms; None if it doesn't matter."""


def picker_for(algorithm: str, weights: Sequence[int], seed: str, keys: int) -> Picker:
    """A balancer that has just been started."""
    rng = Random(seed)  # noqa: S311 - a die, not a key
    match algorithm:
        case "round_robin":
            return Picker(turns(weights))
        case "least_conn":
            fewest = Fewest(weights)
            return Picker(fewest.pick, fewest.release)
        case "random":
            return Picker(drawing(weights, rng))
        case "random_two":
            return drawing_two(weights, rng)
        case _:
            model = ByModel(algorithm, weights, rng, keys)
            return Picker(model.pick, model.release)


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


def drawing_two(weights: Sequence[int], rng: Random) -> Picker:
    """Random two."""
    one = drawing(weights, rng)
    conns = [0] * len(weights)
    turn = turns(weights)

    def pick() -> int:
        first = second = one()
        in_vain = 0
        while second == first:
            second = one()
            if second == first:
                in_vain += 1
                if in_vain > MOST_IN_VAIN:
                    second = turn()
                    conns[second] += 1
                    return second
        if conns[second] * weights[first] > conns[first] * weights[second]:
            second = first
        conns[second] += 1
        return second

    def release(place: int, _: float) -> None:
        conns[place] -= 1

    if len(weights) == 1:
        return Picker(lambda: 0)
    return Picker(pick, release)


class ByModel:
    """Picks by the readable model, at a cost that grows with the number of backends."""

    def __init__(self, algorithm: str, weights: Sequence[int], rng: Random, keys: int) -> None:
        servers = [PeerSpec(f"10.0.{place >> 8}.{place & 255}:80", weight) for place, weight in enumerate(weights)]
        self._upstream = upstream_named(
            algorithm, servers, clock=lambda: 0, chance=lambda: rng.getrandbits(31), tries_limit=1
        )
        self._places = {peer: place for place, peer in enumerate(self._upstream.primaries)}
        self._rng = rng
        self._keys = keys
        self._open: dict[int, list[Request]] = {}

    def pick(self) -> int:
        """Pick a backend for a client and a URI that are drawn."""
        key = self._rng.randrange(self._keys)
        request = self._upstream.begin(Visit(f"/{key}", f"{10 + (key >> 16)}.{key >> 8 & 255}.{key & 255}.1"))
        request.pick()
        assert request.peer is not None
        place = self._places[request.peer]
        self._open.setdefault(place, []).append(request)
        return place

    def release(self, place: int, response_ms: float) -> None:
        """One of its requests was answered; which one doesn't matter to any algorithm."""
        self._open[place].pop().succeeded(round(response_ms))
