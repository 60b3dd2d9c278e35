"""Random: a number is drawn, and falls into somebody's range, which is as wide as their weight.

A peer that may not be picked keeps its range: a number that falls there is drawn in vain, and another one is drawn.
After more than 20 draws in vain in one request, round robin decides.

The source is ngx_http_upstream_random_module.c.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from lab.balancing.decision import ByDraw, Draw
from lab.balancing.peer import Peer
from lab.balancing.round_robin import round_robin
from lab.balancing.upstream import Pick, Request

Chance = Callable[[], int]
"""Draws a large number, as C's random() does."""
MOST_IN_VAIN = 20
"""So many draws of a request may be in vain."""


class Ranges:
    """Who owns which numbers below the total weight."""

    def __init__(self, peers: Sequence[Peer], chance: Chance) -> None:
        self.total_weight = sum(peer.weight for peer in peers)
        self._peers = peers
        self._starts = list(accumulate((peer.weight for peer in peers), initial=0))[:-1]
        self._chance = chance

    def draw(self) -> tuple[Peer, int]:
        """A peer, in proportion to the weights, and the number that was drawn."""
        number = self._chance() % self.total_weight
        return self._peers[bisect_right(self._starts, number) - 1], number


class Random:
    """`random`."""

    takes_backups = False

    def __init__(self, peers: Sequence[Peer], chance: Chance) -> None:
        self.ranges = Ranges(peers, chance)

    def begin(self, _: Request) -> Pick:
        """Draws in vain are counted over all tries of a request."""
        return Drawing(self.ranges).pick


class Drawing:
    """One request's draws."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges
        self._in_vain = 0

    def pick(self, request: Request) -> ByDraw | None:
        """Draw until somebody eligible was drawn."""
        draws: list[Draw] = []
        while self._in_vain <= MOST_IN_VAIN:
            peer, number = self._ranges.draw()
            is_taken = request.refusal(peer) is None
            draws.append(Draw(number, self._ranges.total_weight, peer.server, is_taken))
            if is_taken:
                return ByDraw(peer=peer, draws=tuple(draws))
            self._in_vain += 1
        turn = round_robin(request)
        return None if turn is None else ByDraw(peer=turn.peer, draws=tuple(draws), turns=turn.turns)
