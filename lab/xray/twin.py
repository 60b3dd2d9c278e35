"""A model of one configuration that is told what nginx did: it foretells each pick, then does as nginx did."""

import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from math import gcd

from lab.algorithms import BY_CHANCE, BY_KEY, COUNTING
from lab.balancing.decision import Decision, Turn, port_of
from lab.balancing.methods import upstream_named
from lab.balancing.peer import Peer
from lab.balancing.server_lines import servers_of
from lab.balancing.upstream import HOME, Request, Visit
from lab.logs.access_log import LogLine
from lab.nginx.render import Upstream

RARELY = 32
"""A model that is wrong more often than once in so many picks may have lost its place in the rounds."""
LONGEST_CYCLE = 64
"""In a round robin of longer cycles a lost place is not looked for."""


def _no_chance() -> int:
    raise AssertionError("the model draws no numbers: nginx's are its own")


class Twin:
    """One worker's upstream under one configuration, from its start on."""

    def __init__(self, upstream: Upstream) -> None:
        self.algorithm = upstream.algorithm
        self.servers = servers_of(upstream.backends)
        self.second = 0
        """The time, in nginx's whole seconds since the epoch."""
        self.model = upstream_named(upstream.algorithm, self.servers, clock=lambda: self.second, chance=_no_chance)
        self.peers = {port_of(peer.server): peer for peer in (*self.model.primaries, *self.model.backups)}
        self.is_by_chance = self.algorithm in BY_CHANCE and not self.model.is_single
        """Whether nobody can foretell a pick."""
        self.is_lost = False
        """Whether it has yet to find its place in the rounds, so that what it foretells is worth nothing."""
        self._since_wrong = RARELY
        """Picks."""
        self._latest: deque[int | None] = deque(maxlen=LONGEST_CYCLE)
        """Whom nginx picked."""

    @contextlib.contextmanager
    def at(self, second: int) -> Iterator[None]:
        """As it is at that time, if nothing has happened since the latest that it was told of."""
        told, self.second = self.second, max(self.second, second)
        try:
            yield
        finally:
            self.second = told

    def lose(self) -> None:
        """nginx did things that nobody was told of."""
        self.is_lost = self.algorithm not in BY_KEY and not self.is_by_chance and not self.model.is_single

    def begin(self, line: LogLine) -> Request:
        """A request arrives."""
        return self.model.begin(self.visit_of(line))

    def visit_of(self, line: LogLine) -> Visit:
        """What the algorithm looks at in the request. Its URI is foreign text, which may not even be one."""
        return Visit(line.uri.encode(errors="replace").decode(), line.address) if self.algorithm in BY_KEY else HOME

    def choose(self, request: Request, port: int | None, ended: Sequence[int | None]) -> Decision | None:
        """Who is next.

        Requests that ended in the same millisecond may have ended after this pick: where that has nginx's own choice
        fit, they did.
        """
        before = self._weights() if ended and self.algorithm in COUNTING else None
        decision = request.choose()
        if before is None or (decision is not None and decision.port == port):
            return decision
        after = self._weights()
        busy = [self.peers[each] for each in ended if each in self.peers]
        self._set_weights(before)
        for peer in busy:
            peer.conns += 1
        other = request.choose()
        for peer in busy:
            peer.conns -= 1
        if other is not None and other.port == port:
            return other
        self._set_weights(after)
        return decision

    def _weights(self) -> list[tuple[int, int]]:
        return [(peer.current_weight, peer.effective_weight) for peer in self.peers.values()]

    def _set_weights(self, weights: list[tuple[int, int]]) -> None:
        for peer, (current_weight, effective_weight) in zip(self.peers.values(), weights, strict=True):
            peer.current_weight, peer.effective_weight = current_weight, effective_weight

    def follow(self, request: Request, port: int | None, decision: Decision | None) -> None:
        """nginx sent the request there (nowhere, for None), whatever was decided here."""
        actual = None if port is None else self.peers.get(port)
        if decision is not None and decision.peer is not actual:
            self._repay(decision, actual)
        if actual is not None:
            request.give(actual)

    def note_record(self, port: int | None, *, is_right: bool) -> None:
        """Whom nginx picked, and whether the model was right: one that is wrong time and again has lost its place."""
        if self.algorithm in BY_KEY:
            return
        self._latest.append(port)
        if (self.is_lost or (not is_right and self._since_wrong < RARELY)) and self._find_place():
            self.is_lost = False
        self._since_wrong = self._since_wrong + 1 if is_right else 0
        if len(self._latest) == LONGEST_CYCLE:
            self.is_lost = False  # so that a place that can't be found doesn't silence the model for good

    def _find_place(self) -> bool:
        """Look for the latest picks in the cycle that the rounds run through, and go on from there."""
        peers = [peer for peer in self.model.primaries if peer.refusal(self.second) is None]
        weights = [peer.weight for peer in peers]
        total = sum(weights)
        length = total // (gcd(*weights) or 1)
        if not 0 < length <= len(self._latest):
            return False
        latest = list(self._latest)[-length:]
        ports = [port_of(peer.server) for peer in peers]
        currents = [0] * len(peers)
        cycle: list[int | None] = []
        for number in range(2 * length):
            currents = [current + weight for current, weight in zip(currents, weights, strict=True)]
            winner = currents.index(max(currents))
            currents[winner] -= total
            cycle.append(ports[winner])
            if number >= length and cycle[-length:] == latest:
                for peer, current in zip(peers, currents, strict=True):
                    peer.current_weight = current
                return True
        return False

    def next_for(self, visit: Visit) -> int | None:
        """Who would be picked for this; the model stays as it is."""
        if self.is_by_chance:
            return None
        before = self._weights()
        decision = self.model.begin(visit).choose()
        self._set_weights(before)
        return None if decision is None else decision.port

    def _repay(self, decision: Decision, actual: Peer | None) -> None:
        """Undo what the round cost whoever the model had win it, and have the one that nginx picked pay for it.

        Each round gives everybody the same whoever wins it, so that the order in which requests of a moment are told
        makes no difference in the end.
        """
        turns: tuple[Turn, ...] = getattr(decision, "turns", ())
        if not turns:
            return
        winner, paid = decision.peer, sum(turn.effective_weight for turn in turns)
        winner.current_weight += paid
        if actual is not None and (
            self.algorithm == "round_robin" or any(turn.server == actual.server for turn in turns)
        ):
            actual.current_weight -= paid
            if self.algorithm != "round_robin" and self._since_wrong < RARELY:
                self._learn(winner, actual, turns)
            return
        for turn in turns:
            peer = self.peers[port_of(turn.server)]
            peer.current_weight, peer.effective_weight = turn.before, turn.effective_weight

    def _learn(self, winner: Peer, actual: Peer, turns: tuple[Turn, ...]) -> None:
        """The real current weights must have had this one win the tie: move both by as little as that takes.

        Who was in earlier ties depends on the order within a millisecond, which nobody knows. nginx's rounds keep the
        sum of all current weights, and so does this.
        """
        raised = {turn.server: turn.raised for turn in turns}
        servers = list(raised)
        must_exceed = servers.index(actual.server) > servers.index(winner.server)
        gap = raised[winner.server] - raised[actual.server] + must_exceed
        shift = (gap + 1) // 2
        actual.current_weight += shift
        winner.current_weight -= shift
