"""A peer: one `server` line of the upstream, what nginx remembers of it, and when nginx passes it over.

The rules are those of ngx_http_upstream_round_robin.c, which every method shares.
"""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why nginx passes a peer over."""

    TRIED = "this request has tried it already"
    DOWN = "it is marked down"
    PUT_ASIDE = "it failed, and its fail_timeout isn't over"
    FULL = "it has max_conns requests"

    @property
    def in_short(self) -> str:
        """Where there is room for a word only."""
        return {Refusal.TRIED: "tried", Refusal.DOWN: "down", Refusal.PUT_ASIDE: "aside", Refusal.FULL: "full"}[self]


@dataclass(frozen=True, slots=True)
class PeerSpec:
    """A `server` line, as written."""

    server: str
    """The literal text of its address, `127.0.0.1:71`: the consistent hash is made of it."""
    weight: int = 1
    max_conns: int = 0
    """The most requests it gets at once; 0 for no limit."""
    max_fails: int = 1
    """After so many failures it is put aside; 0 for never."""
    fail_timeout_seconds: int = 10
    is_down: bool = False
    is_backup: bool = False


class Peer:
    """What one worker of nginx remembers of a peer. Times are in whole seconds, as nginx counts them."""

    __slots__ = (
        "accessed",
        "average_ms",
        "checked",
        "conns",
        "current_weight",
        "effective_weight",
        "fails",
        "spec",
        "weight",
    )

    def __init__(self, spec: PeerSpec) -> None:
        self.spec = spec
        self.weight = spec.weight
        self.effective_weight = spec.weight
        """The weight it is given now: less than `weight` after failures."""
        self.current_weight = 0
        """What it has saved up in the rounds that it didn't win."""
        self.conns = 0
        """Requests that it has and hasn't finished."""
        self.fails = 0
        self.accessed = 0
        """When it last failed."""
        self.checked = 0
        """When it last failed, or was last tried after its fail_timeout was over."""
        self.average_ms = 0
        """Its average response time, for `least_time` only; 0 before the first answer."""

    def __repr__(self) -> str:
        return (
            f"<Peer {self.spec.server} weight={self.current_weight}/{self.effective_weight}/{self.weight}"
            f" conns={self.conns} fails={self.fails} checked={self.checked}>"
        )

    @property
    def server(self) -> str:
        return self.spec.server

    def refusal(self, now: int) -> Refusal | None:
        """Why it may not be picked; None if it may."""
        spec = self.spec
        if spec.is_down:
            return Refusal.DOWN
        if spec.max_fails and self.fails >= spec.max_fails and now - self.checked <= spec.fail_timeout_seconds:
            return Refusal.PUT_ASIDE
        if spec.max_conns and self.conns >= spec.max_conns:
            return Refusal.FULL
        return None

    def take(self, now: int) -> None:
        """It is picked.

        Once its fail_timeout is over, `checked` moves on. So exactly one request probes a peer that had failed: to all
        others it looks freshly checked, and they pass it over until that one request has ended.
        """
        self.conns += 1
        if now - self.checked > self.spec.fail_timeout_seconds:
            self.checked = now

    def fail(self, now: int) -> None:
        """It gave no valid answer: a failure more, and a part of its weight less."""
        self.conns -= 1
        self.fails += 1
        self.accessed = self.checked = now
        if self.spec.max_fails:
            self.effective_weight = max(0, self.effective_weight - self.weight // self.spec.max_fails)

    def succeed(self) -> None:
        """It answered.

        Its failures are forgotten only if it was picked after a fail_timeout without failures, not by any success.
        """
        self.conns -= 1
        if self.accessed < self.checked:
            self.fails = 0
