"""Hash: the key decides (the lab's is the URI), so that the same key always goes to the same backend.

Fifteen bits of the key's CRC-32, modulo the total weight, fall into somebody's range. If they may not be picked, the
key is hashed once more with the number of the round before it (`1/`, `2/`, …), and that is added. After more than 20
times in one request, or without a key, round robin decides. When the total weight changes, nearly all keys move.

The source is ngx_http_upstream_get_hash_peer() in ngx_http_upstream_hash_module.c, which hashes as Cache::Memcached
does.
"""

from collections.abc import Sequence
from zlib import crc32

from lab.balancing.decision import ByHash, Step
from lab.balancing.ip_hash import owner
from lab.balancing.peer import Peer
from lab.balancing.random import MOST_IN_VAIN
from lab.balancing.round_robin import round_robin
from lab.balancing.upstream import Pick, Request


def key_hash(key: str, number: int) -> int:
    """The hash of the key in its round of this number, from 0 on."""
    text = f"{number}{key}" if number else key
    return (crc32(text.encode()) >> 16) & 0x7FFF


class Hash:
    """`hash $request_uri`."""

    takes_backups = False

    def __init__(self, peers: Sequence[Peer]) -> None:
        self.total_weight = sum(peer.weight for peer in peers)

    def begin(self, request: Request) -> Pick:
        """The walk goes on from try to try."""
        return HashWalk(request.visit.key, self.total_weight).pick


class HashWalk:
    """One request's walk."""

    def __init__(self, key: str, total_weight: int) -> None:
        self._key = key
        self._total_weight = total_weight
        self._sum = 0
        self._rounds = 0
        self._in_vain = 0

    def pick(self, request: Request) -> ByHash | None:
        """Hash until somebody eligible is found."""
        steps: list[Step] = []
        while self._key and self._in_vain <= MOST_IN_VAIN:
            self._sum += key_hash(self._key, self._rounds)
            self._rounds += 1
            place = self._sum % self._total_weight
            peer = owner(request.peers, place)
            steps.append(Step(self._sum, place, peer.server, request.refusal(peer)))
            if steps[-1].refusal is None:
                return ByHash(peer=peer, key=self._key, total_weight=self._total_weight, steps=tuple(steps))
            self._in_vain += 1
        turn = round_robin(request)
        if turn is None:
            return None
        return ByHash(
            peer=turn.peer, key=self._key, total_weight=self._total_weight, steps=tuple(steps), turns=turn.turns
        )
