"""The shares that each algorithm gives its peers in the long run, where that is known."""

from collections.abc import Sequence
from itertools import combinations

from lab.balancing.methods import upstream_named
from lab.balancing.peer import PeerSpec
from lab.balancing.random import MOST_IN_VAIN
from lab.balancing.upstream import Visit


def expected_shares(
    algorithm: str, servers: Sequence[PeerSpec], visits: Sequence[Visit] = (Visit(),)
) -> tuple[float, ...] | None:
    """Each peer's share of many requests, 0 to 1, while nobody fails; None where it depends on how fast they are.

    The hashes' shares are those of `visits` taken in turn. `least_conn` and `random_two` are meant on an idle system:
    under load they follow whoever is free.

    Raises:
        UsageError: nginx would refuse the upstream.
    """
    eligible = [not server.is_down and not server.is_backup for server in servers]
    if not any(eligible):
        eligible = [not server.is_down for server in servers]
    weights = [server.weight if takes else 0 for server, takes in zip(servers, eligible, strict=True)]
    match algorithm:
        case _ if not any(eligible) or algorithm == "least_time":
            return None
        case "random_two":
            return two_draws_shares([server.weight for server in servers], eligible)
        case "ip_hash" | "hash" | "hash_consistent":
            return _shares_of(algorithm, servers, visits)
        case _:
            return tuple(weight / sum(weights) for weight in weights)


def two_draws_shares(weights: Sequence[int], eligible: Sequence[bool]) -> tuple[float, ...]:
    """Of `random two` when no peer has an active request, so that the second of the two wins.

    Draws of a peer that may not be picked, and of the first one again, are in vain. After more than 20, of
    which finding the first one is one, round robin decides.
    """
    total = sum(weights)
    odds = [weight / total if takes else 0.0 for weight, takes in zip(weights, eligible, strict=True)]
    vain = 1 - sum(odds)
    shares = [0.0] * len(weights)
    by_turn = vain ** (MOST_IN_VAIN + 1)
    for first, chance in enumerate(odds):
        again = vain + chance
        second_is_found = 0.0
        for used in range(MOST_IN_VAIN + 1):
            is_first_after = chance * vain**used
            left = again ** (MOST_IN_VAIN - used)
            second_is_found += is_first_after * (1 - left)
            by_turn += is_first_after * left
        if again < 1:
            for second, other in enumerate(odds):
                if second != first:
                    shares[second] += second_is_found * other / (1 - again)
    return tuple(share + by_turn * chance / sum(odds) for share, chance in zip(shares, odds, strict=True))


def pair_odds(weights: Sequence[int]) -> dict[tuple[int, int], float]:
    """Of drawing these two, by their places, one after the other in either order; of peers that may all be picked."""
    total = sum(weights)
    return {
        (one, other): weights[one] / total * weights[other] / (total - weights[one])
        + weights[other] / total * weights[one] / (total - weights[other])
        for one, other in combinations(range(len(weights)), 2)
    }


def _shares_of(algorithm: str, servers: Sequence[PeerSpec], visits: Sequence[Visit]) -> tuple[float, ...]:
    upstream = upstream_named(algorithm, servers, clock=lambda: 0, chance=lambda: 0)
    hits = dict.fromkeys((server.server for server in servers), 0)
    for visit in visits:
        request = upstream.begin(visit)
        if (decision := request.pick()) is not None:
            hits[decision.server] += 1
            request.succeeded()
    return tuple(hits[server.server] / len(visits) for server in servers)
