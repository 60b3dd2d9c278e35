"""Consistent hash: backends own points on a ring, and a key belongs to the next point. Who leaves takes only theirs
away.

Each backend has 160 points per weight, made of the text of its address; each is hashed from the one before it. A
key's place is its CRC-32, and the first point from there on, clockwise, names the backend. If that may not be picked,
the walk goes one point on; after more than 20 points in vain in one request, or without a key, round robin decides.
160 points are few: the shares of five equal backends differ by a fifth.

The source is ngx_http_upstream_init_chash() and ngx_http_upstream_get_chash_peer() in
ngx_http_upstream_hash_module.c, which hash as Cache::Memcached::Fast does.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from lab.balancing.decision import ByRing, Step, Turn
from lab.balancing.peer import Peer
from lab.balancing.random import MOST_IN_VAIN
from lab.balancing.round_robin import Round, round_robin
from lab.balancing.upstream import Pick, Request

POINTS_PER_WEIGHT = 160
RING_SIZE = 2**32


class Point(NamedTuple):
    """A point on the ring, and whose it is."""

    hash: int
    server: str


class Ring:
    """All points, ascending."""

    def __init__(self, weights: Sequence[tuple[str, int]]) -> None:
        """`weights` are those of the servers, in their order."""
        found: dict[int, Point] = {}
        for server, weight in weights:
            for point in points_of(server, weight):
                found.setdefault(point.hash, point)
        self.points = sorted(found.values())
        self._hashes = [point.hash for point in self.points]

    def __len__(self) -> int:
        return len(self.points)

    def at(self, number: int) -> Point:
        """The point of this number; after the last one comes the first."""
        return self.points[number % len(self.points)]

    def first_from(self, place: int) -> int:
        """The number of the first point that doesn't lie before this place."""
        return bisect_left(self._hashes, place)

    def shares(self) -> dict[str, float]:
        """Each server's part of the ring, 0 to 1."""
        owned: dict[str, int] = {}
        before = self._hashes[-1] - RING_SIZE
        for point in self.points:
            owned[point.server] = owned.get(point.server, 0) + point.hash - before
            before = point.hash
        return {server: part / RING_SIZE for server, part in owned.items()}


@lru_cache(maxsize=2)
def ring_of(weights: tuple[tuple[str, int], ...]) -> Ring:
    """The ring of these servers and weights. It never changes, and large weights make it slow to build."""
    return Ring(weights)


def points_of(server: str, weight: int) -> list[Point]:
    """The points of a server, in the order in which they are made."""
    host, _, port = server.rpartition(":") if ":" in server else (server, "", "")
    start = crc32(f"{host}\0{port}".encode())
    points = []
    previous = 0
    for _ in range(weight * POINTS_PER_WEIGHT):
        previous = crc32(previous.to_bytes(4, "little"), start)
        points.append(Point(previous, server))
    return points


class HashConsistent:
    """`hash $request_uri consistent`."""

    takes_backups = False

    def __init__(self, peers: Sequence[Peer]) -> None:
        self.ring = ring_of(tuple((peer.server, peer.weight) for peer in peers))

    def begin(self, request: Request) -> Pick:
        """The walk goes on from try to try."""
        return RingWalk(request.visit.key, self.ring).pick


class RingWalk:
    """One request's walk."""

    def __init__(self, key: str, ring: Ring) -> None:
        self._key = key
        self._ring = ring
        self._key_hash = crc32(key.encode())
        self._number = ring.first_from(self._key_hash)
        self._in_vain = 0

    def pick(self, request: Request) -> ByRing | None:
        """Go from point to point until one's server is eligible; peers of the same address take turns."""
        steps: list[Step] = []
        while self._key and self._in_vain <= MOST_IN_VAIN:
            point = self._ring.at(self._number)
            namesakes = [peer for peer in request.peers if peer.server == point.server]
            refusals = [request.refusal(peer) for peer in namesakes]
            this_round = Round(peer for peer, why in zip(namesakes, refusals, strict=True) if why is None)
            found = this_round.best
            refusal = None if found is not None else refusals[0]
            steps.append(Step(point.hash, self._number % len(self._ring), point.server, refusal))
            if found is not None:
                return self._decision(found, steps, this_round.settle())
            self._number += 1
            self._in_vain += 1
        turn = round_robin(request)
        return None if turn is None else self._decision(turn.peer, steps, turn.turns)

    def _decision(self, peer: Peer, steps: list[Step], turns: tuple[Turn, ...]) -> ByRing:
        return ByRing(
            peer=peer,
            key=self._key,
            key_hash=self._key_hash,
            points=len(self._ring),
            steps=tuple(steps),
            turns=turns,
        )
