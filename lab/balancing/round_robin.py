"""Round robin: everybody saves up their weight, whoever has saved most wins and pays for all.

In each round every eligible peer's current weight grows by its weight. The highest current weight wins (the first
one, on a tie), and the winner's current weight falls by the sum of what all were given. So a peer of weight 5 among
5, 1, 1 wins five rounds of seven, and not in a row: a a b a c a a.

After a failure a peer is given less (its effective weight), and one more in each round until it has its weight again.

The source is ngx_http_upstream_get_peer() in ngx_http_upstream_round_robin.c. All other methods use its rounds: to
decide among equals, or when they find nobody.
"""

from collections.abc import Iterable, Sequence

from lab.balancing.decision import ByTurn, Turn
from lab.balancing.peer import Peer
from lab.balancing.upstream import Pick, Request


class Round:
    """One round: peers enter in the order of the configuration, then the best one pays."""

    def __init__(self, peers: Iterable[Peer] = ()) -> None:
        self.best: Peer | None = None
        """Who would win if nobody else entered."""
        self._given = 0
        self._entries: list[tuple[Peer, int]] = []
        for peer in peers:
            self.enter(peer)

    def enter(self, peer: Peer) -> None:
        """The peer is given its effective weight, and takes the lead if it has strictly more than the best so far."""
        given = peer.effective_weight
        self._entries.append((peer, given))
        self._given += given
        peer.current_weight += given
        if peer.effective_weight < peer.weight:
            peer.effective_weight += 1
        if self.best is None or peer.current_weight > self.best.current_weight:
            self.best = peer

    def settle(self) -> tuple[Turn, ...]:
        """The best one pays for all; returns what happened to each."""
        assert self.best is not None, "nobody entered"
        raised = [peer.current_weight for peer, _ in self._entries]
        self.best.current_weight -= self._given
        return tuple(
            [
                Turn(peer.spec.server, peer.weight, given, high - given, high, peer.current_weight)
                for (peer, given), high in zip(self._entries, raised, strict=True)
            ]
        )


class RoundRobin:
    """nginx's method when none is named."""

    takes_backups = True

    def __init__(self, _: Sequence[Peer] = ()) -> None:
        """It needs to know nothing of the peers."""

    def begin(self, _: Request) -> Pick:
        """It has nothing to remember from try to try."""
        return round_robin


def round_robin(request: Request) -> ByTurn | None:
    """One round among all who are eligible."""
    this_round = Round(request.eligible())
    if this_round.best is None:
        return None
    return ByTurn(peer=this_round.best, turns=this_round.settle())
