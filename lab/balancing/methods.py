"""The models by the names of the catalogue."""

from collections.abc import Callable, Sequence

from lab.algorithms import algorithm_named
from lab.balancing.hash import Hash
from lab.balancing.hash_consistent import HashConsistent
from lab.balancing.ip_hash import IpHash
from lab.balancing.least_conn import LeastConn
from lab.balancing.least_time import LeastTime
from lab.balancing.peer import Peer, PeerSpec
from lab.balancing.random import Chance, Random
from lab.balancing.random_two import RandomTwo
from lab.balancing.round_robin import RoundRobin
from lab.balancing.upstream import Clock, Method, Upstream

_CERTAIN: dict[str, Callable[[Sequence[Peer]], Method]] = {
    "round_robin": RoundRobin,
    "least_conn": LeastConn,
    "ip_hash": IpHash,
    "hash": Hash,
    "hash_consistent": HashConsistent,
    "least_time": LeastTime,
}


def upstream_named(
    algorithm: str, servers: Sequence[PeerSpec], *, clock: Clock, chance: Chance, tries_limit: int = 0
) -> Upstream:
    """The model of an upstream with this algorithm; `chance` is drawn from by the random ones only.

    Raises:
        UsageError: there is no such algorithm, or nginx would refuse the upstream.
    """
    name = algorithm_named(algorithm).name

    def method(peers: Sequence[Peer]) -> Method:
        match name:
            case "random":
                return Random(peers, chance)
            case "random_two":
                return RandomTwo(peers, chance)
            case _:
                return _CERTAIN[name](peers)

    return Upstream(servers, method, clock=clock, tries_limit=tries_limit)
