"""Least time: whoever is expected to be done soonest wins, by their average response time and their active requests.

Each peer has a moving average of its response times, made of successful answers only; a new one counts for a
twentieth. The estimate is that average, rounded up to the next step of 20 ms so that small differences don't count
(all above five seconds are equally bad), times one more than the peer's active requests. The least estimate per
weight wins, equals take turns. Who hasn't been asked for more than a fail_timeout is given the benefit of the doubt:
its average counts half, and half again for each further one.

nginx has it since 1.31.0. The source is ngx_http_upstream_least_time_module.c, without `inflight`.
"""

from collections.abc import Sequence

from lab.balancing.decision import ByTime, Estimate
from lab.balancing.peer import Peer
from lab.balancing.round_robin import Round
from lab.balancing.upstream import Pick, Request

STEP_MS = 20
MOST_MS = 5000
WORD_BITS = 64


class LeastTime:
    """`least_time header`."""

    takes_backups = True

    def __init__(self, _: Sequence[Peer] = ()) -> None:
        """It needs to know nothing of the peers."""

    def begin(self, _: Request) -> Pick:
        """It has nothing to remember from try to try."""
        return least_time


def halvings(peer: Peer, now: int) -> int:
    """How often its average is halved, since it hasn't been asked for so long."""
    idle_seconds, patience_seconds = now - peer.checked, peer.spec.fail_timeout_seconds
    return idle_seconds // (patience_seconds + 1) if idle_seconds > patience_seconds else 0


def eta_ms(peer: Peer, now: int) -> int:
    """When the peer is expected to be done with one request more."""
    times = halvings(peer, now)
    average_ms = peer.average_ms >> times if times < WORD_BITS else 0
    rounded_ms = MOST_MS if average_ms > MOST_MS else average_ms + STEP_MS - average_ms % STEP_MS
    return rounded_ms * (1 + peer.conns)


def least_time(request: Request) -> ByTime | None:
    """The one that is done soonest; a round of round robin among those who are equally fast."""
    eligible = request.eligible()
    if not eligible:
        return None
    etas = {peer: eta_ms(peer, request.now) for peer in eligible}
    first = eligible[0]
    for peer in eligible:
        if etas[peer] * first.weight < etas[first] * peer.weight:
            first = peer
    estimates = tuple(
        Estimate(peer.server, peer.weight, peer.average_ms, peer.conns, eta) for peer, eta in etas.items()
    )
    least_ms = etas[first]
    if sum(eta * first.weight == least_ms * peer.weight for peer, eta in etas.items()) == 1:
        return ByTime(peer=first, estimates=estimates, turns=())  # nobody's weight moves
    this_round = Round()
    best = first
    for peer in eligible[eligible.index(first) :]:
        # nginx compares with the weight of the best so far, but with the first one's estimate
        if etas[peer] * best.weight == least_ms * peer.weight:
            this_round.enter(peer)
            best = this_round.best or best
    return ByTime(peer=best, estimates=estimates, turns=this_round.settle())
