"""Random two: two different peers are drawn, and the one with fewer active requests per weight wins.

The second one drawn wins a tie. That bends the weights while the system is idle: who was drawn first, and that is
mostly a heavy one, has lost. Of 5, 2, 1 the shares are 29.8, 45.3 and 25.0 %, not 62.5, 25 and 12.5.

Drawing the same one again is in vain too. Draws in vain are counted, and so is finding the first of the two: after more
than 20 in one request, round robin decides.

The source is ngx_http_upstream_get_random2_peer() in ngx_http_upstream_random_module.c.
"""

from collections.abc import Sequence

from lab.balancing.decision import ByTwoDraws, Draw, Load
from lab.balancing.peer import Peer
from lab.balancing.random import MOST_IN_VAIN, Chance, Ranges
from lab.balancing.round_robin import round_robin
from lab.balancing.upstream import Pick, Request


class RandomTwo:
    """`random two least_conn`."""

    takes_backups = False

    def __init__(self, peers: Sequence[Peer], chance: Chance) -> None:
        self.ranges = Ranges(peers, chance)

    def begin(self, _: Request) -> Pick:
        """What is counted is counted over all tries of a request."""
        return DrawingTwo(self.ranges).pick


class DrawingTwo:
    """One request's draws."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges
        self._counted = 0
        """nginx's `tries`: draws that didn't settle the matter."""

    def pick(self, request: Request) -> ByTwoDraws | None:
        """Draw until two eligible ones were drawn, and compare them."""
        draws: list[Draw] = []
        first: Peer | None = None
        while self._counted <= MOST_IN_VAIN:
            peer, number = self._ranges.draw()
            is_taken = peer is not first and request.refusal(peer) is None
            draws.append(Draw(number, self._ranges.total_weight, peer.server, is_taken))
            if is_taken and first is not None:
                loads = tuple(Load(drawn.server, drawn.conns, drawn.weight) for drawn in (first, peer))
                is_second_busier = peer.conns * first.weight > first.conns * peer.weight
                return ByTwoDraws(peer=first if is_second_busier else peer, draws=tuple(draws), loads=loads)
            self._counted += 1
            if is_taken:
                first = peer
        turn = round_robin(request)
        return None if turn is None else ByTwoDraws(peer=turn.peer, draws=tuple(draws), loads=(), turns=turn.turns)
