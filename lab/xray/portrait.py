"""Draws the X-ray: what a model and its latest decisions look like to a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from lab.algorithms import BY_KEY, COUNTING, TAKING_TURNS
from lab.balancing.decision import ByHash, ByRing, Decision, Step, port_of
from lab.balancing.hash_consistent import HashConsistent, Ring
from lab.balancing.least_time import eta_ms, halvings
from lab.balancing.odds import expected_shares, pair_odds
from lab.balancing.peer import Peer, Refusal
from lab.balancing.upstream import Visit
from lab.logs.access_log import LogLine
from lab.xray.rule_watch import RuleWatch
from lab.xray.twin import Twin
from lab.xray.view import HashStep, PairXRay, PeerXRay, Pick, XRay

MOST_PAIRED = 8
"""Of more backends there are more pairs than anybody reads."""
LOST = "the model has lost its place in the rounds"


def pick_of(line: LogLine, decision: Decision | None, twin: Twin, *, is_compared: bool, is_lost: bool) -> Pick:
    """One request's first backend, and why it; a model that was lost then can't know."""
    port = line.attempts[0].port
    key = decision.key if isinstance(decision, ByHash | ByRing) else None
    steps = decision.steps if isinstance(decision, ByHash | ByRing) else ()
    return Pick(
        request_id=line.request_id,
        what=f"{line.method} {line.uri}",
        time=line.time - line.seconds,
        port=port,
        foretold=None if decision is None else decision.port,
        is_compared=is_compared,
        sentence=f"it went {_where(port)}; why is not known, since {LOST}"
        if is_lost
        else _sentence(port, decision, twin),
        key=key,
        key_hash=decision.key_hash if isinstance(decision, ByRing) else steps[-1].hash if steps else None,
        steps=tuple(_step(step) for step in steps),
    )


def _step(step: Step) -> HashStep:
    return HashStep(step.hash, step.place, port_of(step.server), _in_short(step.refusal))


def _in_short(refusal: Refusal | None) -> str | None:
    return None if refusal is None else refusal.in_short


def _sentence(port: int | None, decision: Decision | None, twin: Twin) -> str:
    where = _where(port)
    if twin.is_by_chance:
        odds = _odds(twin).get(port or 0)
        if odds is None:
            return f"it went {where}"
        if twin.algorithm == "random_two":
            return f"it went {where}: nginx drew two and doesn't say which; on an idle system its odds are {odds:.1%}"
        return f"it went {where}: nginx drew a number, and the odds of that are {odds:.1%}"
    if decision is None:
        told = "no live backend is left"
        return f"it went {where}: {told}" if port is None else f"it went {where}, though the model says that {told}"
    if port == decision.port:
        return f"it went {where}: {decision.why}"
    return f"it went {where}, and the model had said {decision.port}: {decision.why}"


def _where(port: int | None) -> str:
    return "nowhere" if port is None else f"to {port}"


@dataclass(frozen=True, slots=True)
class Record:
    """What was counted."""

    foretold: int = 0
    right: int = 0
    hits: Mapping[int, int] = field(default_factory=dict)
    """By port."""
    rule: RuleWatch = field(default_factory=RuleWatch)
    """Where nothing is left to chance."""


def portrait(twin: Twin, record: Record, picks: tuple[Pick, ...], visit: Visit) -> XRay:
    """The model as it is now; `visit` is what the next request is taken to be."""
    total = sum(record.hits.get(port, 0) for port in twin.peers)
    shares = _shares(twin, record.rule.foretold)
    promised = {port: share for port, share in shares.items() if twin.algorithm in TAKING_TURNS}
    odds, etas = _odds(twin), {port: eta_ms(peer, twin.second) for port, peer in twin.peers.items()}
    tied = _tied(twin, etas)

    def peer_xray(port: int, peer: Peer) -> PeerXRay:
        refusal = peer.refusal(twin.second)
        return PeerXRay(
            port=port,
            weight=peer.weight,
            effective_weight=peer.effective_weight,
            current_weight=peer.current_weight,
            active=peer.conns,
            average_ms=peer.average_ms,
            eta_ms=etas[port],
            halvings=halvings(peer, twin.second),
            refusal=refusal,
            refusal_in_short=_in_short(refusal),
            odds=odds.get(port),
            is_tied=port in tied,
            hits=record.hits.get(port, 0),
            expected=shares[port] * total if port in shares and total else None,
        )

    return XRay(
        algorithm=twin.algorithm,
        foretold=record.foretold,
        right=record.right,
        peers=tuple(peer_xray(port, peer) for port, peer in twin.peers.items()),
        next_port=None if twin.is_lost else twin.next_for(visit),
        picks=picks,
        ring=_ring(twin),
        pairs=_pairs(twin),
        is_lost=twin.is_lost,
        rule=None if twin.is_by_chance else record.rule.check(promised),
    )


def _shares(twin: Twin, foretold: Mapping[int, int]) -> dict[int, float]:
    """Each backend's share by port, as far as anybody can know: keys are what they are."""
    if twin.algorithm not in BY_KEY:
        promised = expected_shares(twin.algorithm, twin.servers)
        ports = [port_of(server.server) for server in twin.servers]
        return {} if promised is None else dict(zip(ports, promised, strict=True))
    total = sum(foretold.values())
    return {port: foretold.get(port, 0) / total for port in twin.peers} if total else {}


def _odds(twin: Twin) -> dict[int, float]:
    """Of the next pick, or the parts of the ring."""
    if isinstance(twin.model.method, HashConsistent):
        shares = _parts(twin.model.method.ring)
        return {port: shares[peer.server] for port, peer in twin.peers.items()}
    if not twin.is_by_chance:
        return {}
    eligible = [peer for peer in twin.peers.values() if peer.refusal(twin.second) is None]
    found = expected_shares(twin.algorithm, [peer.spec for peer in eligible]) if eligible else None
    odds = dict(zip((port_of(peer.server) for peer in eligible), found or (), strict=True))
    return {port: odds.get(port, 0.0) for port in twin.peers}


def _pairs(twin: Twin) -> tuple[PairXRay, ...]:
    """What `random two` may draw, and who of the two would win."""
    eligible = [(port, peer) for port, peer in twin.peers.items() if peer.refusal(twin.second) is None]
    if twin.algorithm != "random_two" or not 1 < len(eligible) <= MOST_PAIRED:
        return ()
    found = []
    for (one, other), odds in pair_odds([peer.weight for _, peer in eligible]).items():
        (port, peer), (rival_port, rival) = eligible[one], eligible[other]
        busier = peer.conns * rival.weight - rival.conns * peer.weight
        winner = None if busier == 0 else rival_port if busier > 0 else port
        found.append(PairXRay((port, rival_port), odds, winner))
    return tuple(sorted(found, key=lambda pair: -pair.odds))


def _tied(twin: Twin, etas: Mapping[int, int]) -> set[int]:
    """Those among whom `least_conn` or `least_time` would have a round."""
    if twin.algorithm not in COUNTING:
        return set()
    costs = {
        port: (peer.conns if twin.algorithm == "least_conn" else etas[port]) / peer.weight
        for port, peer in twin.peers.items()
        if peer.refusal(twin.second) is None and not peer.spec.is_backup
    }
    least = [port for port, cost in costs.items() if cost == min(costs.values())]
    return set(least) if len(least) > 1 else set()


def _ring(twin: Twin) -> tuple[tuple[int, int], ...]:
    method = twin.model.method
    return _points(method.ring) if isinstance(method, HashConsistent) else ()


@lru_cache(maxsize=2)
def _parts(ring: Ring) -> dict[str, float]:
    return ring.shares()


@lru_cache(maxsize=2)
def _points(ring: Ring) -> tuple[tuple[int, int], ...]:
    ports = {server: port_of(server) for server in _parts(ring)}
    return tuple([(point.hash, ports[point.server]) for point in ring.points])
