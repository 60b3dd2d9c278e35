"""The upstream and a request's way through it: pick, and if that fails pick again, while there are tries left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lab.balancing.decision import Decision, OnlyOne, Refused
from lab.balancing.peer import Peer, PeerSpec, Refusal
from lab.errors import UsageError

Clock = Callable[[], int]
"""nginx's time: whole seconds."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What the hashes look at in a request."""

    key: str = "/"
    """The value of what follows `hash`: the lab's `$request_uri`."""
    address: str = "127.0.0.1"
    """The client's."""


HOME = Visit()
"""What the lab's own client asks for unless told otherwise."""


class Method(Protocol):
    """A balancing method."""

    @property
    def takes_backups(self) -> bool:
        """Whether nginx allows `backup` with it."""

    def begin(self, request: "Request") -> "Pick":
        """How this request picks. What a request has to remember from try to try lives there."""


Pick = Callable[["Request"], Decision | None]
"""Picks one of the request's peers; None if none is eligible."""


class Upstream:
    """An `upstream { }` as one worker of nginx sees it.

    Raises:
        UsageError: nginx would refuse it.
    """

    def __init__(
        self,
        servers: Sequence[PeerSpec],
        method: Callable[[Sequence[Peer]], Method],
        *,
        clock: Clock,
        tries_limit: int = 0,
    ) -> None:
        self.primaries = tuple(Peer(spec) for spec in servers if not spec.is_backup)
        self.backups = tuple(Peer(spec) for spec in servers if spec.is_backup)
        self.method = method(self.primaries)
        self.clock = clock
        tries = sum(not peer.spec.is_down for peer in (*self.primaries, *self.backups))
        self.tries = min(tries, tries_limit) if tries_limit else tries
        """How many peers a request may ask; `tries_limit` is nginx's `proxy_next_upstream_tries`, 0 for no limit."""
        if not self.primaries:
            raise UsageError("nginx needs a backend that is no backup: make fewer of them backups.")
        if self.backups and not self.method.takes_backups:
            raise UsageError("nginx refuses backups with this algorithm: choose round_robin, least_conn or least_time.")

    @property
    def is_single(self) -> bool:
        """One primary and no backup: nginx then ignores failures and has nothing to retry.

        A second `server` line ends that, even one that is down.
        """
        return len(self.primaries) == 1 and not self.backups

    def begin(self, visit: Visit = HOME) -> "Request":
        """A request arrives."""
        return Request(self, visit)


class Request:
    """One request's life: `pick()`, then `failed()` or `succeeded()`, and after a failure perhaps again."""

    def __init__(self, upstream: Upstream, visit: Visit) -> None:
        self.visit = visit
        self.peers = upstream.primaries
        """Among whom it picks: the primaries, and once none of them was eligible, the backups."""
        self.now = upstream.clock()
        self.tries_left = upstream.tries
        self.peer: Peer | None = None
        """Who has it at present."""
        self._upstream = upstream
        self._tried: set[Peer] = set()
        self._pick = upstream.method.begin(self)

    def refusal(self, peer: Peer) -> Refusal | None:
        """Why this request may not go there; None if it may."""
        return Refusal.TRIED if peer in self._tried else peer.refusal(self.now)

    def eligible(self) -> list[Peer]:
        """Whom it may be given to, in the order of the configuration."""
        tried, now = self._tried, self.now
        return [peer for peer in self.peers if peer not in tried and peer.refusal(now) is None]

    def pick(self) -> Decision | None:
        """Give it to a peer; None if no live one is left, which nginx answers with 502."""
        decision = self.choose()
        if decision is None:
            self.tries_left = 0
        else:
            self.give(decision.peer)
        return decision

    def give(self, peer: Peer) -> None:
        """It goes to this peer, whoever was chosen: whoever follows a real nginx knows where it went."""
        self.peer = peer
        peer.take(self.now)
        self._tried.add(peer)

    def choose(self) -> Decision | None:
        """Who is next, which has the rounds move on; None if no live one is left."""
        assert self.peer is None, "it is with a peer: say first whether that failed"
        upstream = self._upstream
        self.now = upstream.clock()
        decision = self._only_one() if upstream.is_single else self._pick(self)
        if decision is None and upstream.backups and self.peers is upstream.primaries:
            self.peers = upstream.backups
            self._tried.clear()
            decision = self._pick(self)
        return None if decision is None else self._completed(decision)

    def failed(self) -> bool:
        """The peer gave no valid answer; whether another may be asked."""
        peer, self.peer = self.peer, None
        assert peer is not None, "no peer has it"
        if self._upstream.is_single:
            peer.conns -= 1
            self.tries_left = 0
        else:
            peer.fail(self._upstream.clock())
            self.tries_left = max(0, self.tries_left - 1)
        return self.tries_left > 0

    def succeeded(self, header_ms: int | None = None) -> None:
        """The peer answered; `header_ms` is how long its header took, for `least_time`."""
        peer, self.peer = self.peer, None
        assert peer is not None, "no peer has it"
        if self._upstream.is_single:
            peer.conns -= 1
            return
        if header_ms is not None:
            peer.average_ms = averaged_ms(peer.average_ms, header_ms)
        peer.succeed()

    def _only_one(self) -> Decision | None:
        """The single peer: only `down` and `max_conns` keep a request from it."""
        (peer,) = self.peers
        return None if peer.refusal(self.now) in (Refusal.DOWN, Refusal.FULL) else OnlyOne(peer=peer)

    def _completed(self, decision: Decision) -> Decision:
        refusals = map(self.refusal, self.peers)
        refused = tuple(
            [Refused(peer.server, why) for peer, why in zip(self.peers, refusals, strict=True) if why is not None]
        )
        is_backup = self.peers is self._upstream.backups
        if not refused and not is_backup:
            return decision
        return replace(decision, refused=refused, is_backup=is_backup)


def averaged_ms(average_ms: int, value_ms: int) -> int:
    """nginx's moving average of a response time: a new value counts for a twentieth, the first one wholly."""
    return int(0.5 + 0.05 * value_ms + 0.95 * average_ms) if average_ms else value_ms
