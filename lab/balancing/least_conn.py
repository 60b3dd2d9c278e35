"""Least connections: the fewest active requests per weight wins; equals take turns.

Active are requests that a peer has and hasn't finished; idle kept-alive connections don't count. Two requests at
weight 2 are as many as one at weight 1. On an idle system all have none, so that it is a round robin.

The source is ngx_http_upstream_least_conn_module.c.
"""

from collections.abc import Sequence

from lab.balancing.decision import ByLoad, Load
from lab.balancing.peer import Peer
from lab.balancing.round_robin import Round
from lab.balancing.upstream import Pick, Request


class LeastConn:
    """`least_conn`."""

    takes_backups = True

    def __init__(self, _: Sequence[Peer] = ()) -> None:
        """It needs to know nothing of the peers."""

    def begin(self, _: Request) -> Pick:
        """It has nothing to remember from try to try."""
        return least_conn


def least_conn(request: Request) -> ByLoad | None:
    """The one with the fewest; a round of round robin among those who have equally few."""
    eligible = request.eligible()
    if not eligible:
        return None
    best = eligible[0]
    for peer in eligible:
        if peer.conns * best.weight < best.conns * peer.weight:
            best = peer
    loads = tuple(Load(peer.server, peer.conns, peer.weight) for peer in eligible)
    equals = [peer for peer in eligible if peer.conns * best.weight == best.conns * peer.weight]
    if len(equals) == 1:
        return ByLoad(peer=best, loads=loads, turns=())  # nobody's weight moves
    this_round = Round(equals)
    assert this_round.best is not None
    return ByLoad(peer=this_round.best, loads=loads, turns=this_round.settle())
