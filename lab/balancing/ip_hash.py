"""IP hash: the client's address decides, so that each client stays with one backend.

Of an IPv4 address the first three bytes count, so that a whole /24 network goes to one backend; of an IPv6 address
all sixteen. The hash is taken modulo the total weight, and falls into somebody's range. If they may not be picked,
the bytes are hashed once more, from there on; after more than 20 times in one request, round robin decides.

The source is ngx_http_upstream_ip_hash_module.c.
"""

import ipaddress
from collections.abc import Sequence

from lab.balancing.decision import ByHash, Step
from lab.balancing.peer import Peer
from lab.balancing.random import MOST_IN_VAIN
from lab.balancing.round_robin import round_robin
from lab.balancing.upstream import Pick, Request

START = 89


def address_bytes(address: str) -> bytes:
    """The part of a client's address that counts."""
    parsed = ipaddress.ip_address(address)
    return parsed.packed[:3] if parsed.version == 4 else parsed.packed


def ip_hash(address: bytes, start: int = START) -> int:
    """The hash of these bytes, from an earlier one on."""
    value = start
    for byte in address:
        value = (value * 113 + byte) % 6271
    return value


def owner(peers: Sequence[Peer], place: int) -> Peer:
    """Into whose range a place below the total weight falls; peers that may not be picked keep theirs."""
    for peer in peers:
        if place < peer.weight:
            return peer
        place -= peer.weight
    raise AssertionError("the place is beyond the total weight")


class IpHash:
    """`ip_hash`."""

    takes_backups = False

    def __init__(self, peers: Sequence[Peer]) -> None:
        self.total_weight = sum(peer.weight for peer in peers)

    def begin(self, request: Request) -> Pick:
        """The walk goes on from try to try."""
        return IpHashWalk(request.visit.address, self.total_weight).pick


class IpHashWalk:
    """One request's walk."""

    def __init__(self, address: str, total_weight: int) -> None:
        self._address = address
        self._total_weight = total_weight
        self._hash = START
        self._in_vain = 0

    def pick(self, request: Request) -> ByHash | None:
        """Hash until somebody eligible is found."""
        counted = address_bytes(self._address)
        steps: list[Step] = []
        value = self._hash
        while self._in_vain <= MOST_IN_VAIN:
            value = ip_hash(counted, value)
            place = value % self._total_weight
            peer = owner(request.peers, place)
            steps.append(Step(value, place, peer.server, request.refusal(peer)))
            if steps[-1].refusal is None:
                self._hash = value
                return ByHash(peer=peer, key=self._address, total_weight=self._total_weight, steps=tuple(steps))
            self._in_vain += 1
        turn = round_robin(request)
        if turn is None:
            return None
        return ByHash(
            peer=turn.peer,
            key=self._address,
            total_weight=self._total_weight,
            steps=tuple(steps),
            turns=turn.turns,
        )
