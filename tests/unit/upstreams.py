"""Upstreams of the models, in a few words, with a clock and draws of the test's own."""

from collections.abc import Iterable, Sequence
from typing import Any

from lab.balancing.methods import upstream_named
from lab.balancing.peer import PeerSpec
from lab.balancing.upstream import HOME, Request, Upstream, Visit

NOW = 1_000_000


class Seconds:
    """nginx's clock, moved by the test."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def peers(*weights: int, **changes: Any) -> list[PeerSpec]:
    """Peers at 127.0.0.1:71 and on, with these weights."""
    return [PeerSpec(f"127.0.0.1:{71 + place}", weight, **changes) for place, weight in enumerate(weights)]


def upstream_of(
    algorithm: str,
    servers: Sequence[PeerSpec],
    *,
    clock: Seconds | None = None,
    draws: Iterable[int] = (),
    tries_limit: int = 0,
) -> Upstream:
    """An upstream whose random numbers are `draws`, one after the other."""
    numbers = iter(draws)
    return upstream_named(
        algorithm, servers, clock=clock or Seconds(), chance=lambda: next(numbers), tries_limit=tries_limit
    )


def ask(upstream: Upstream, visit: Visit = HOME, *, refusing: Iterable[int] = ()) -> list[int]:
    """The ports that a request tried; those that refuse it fail. [] when there was no live peer."""
    request = upstream.begin(visit)
    tried = []
    while (decision := request.pick()) is not None:
        port = decision.port
        tried.append(port)
        if port not in set(refusing):
            request.succeeded()
            break
        if not request.failed():
            break
    return tried


def ask_times(times: int, upstream: Upstream) -> list[int]:
    """The ports that answered so many requests, one after the other."""
    return [ask(upstream)[-1] for _ in range(times)]


def opened(upstream: Upstream, visit: Visit = HOME) -> tuple[int, Request]:
    """The port that a request went to, and the request, which stays there."""
    request = upstream.begin(visit)
    decision = request.pick()
    assert decision is not None
    return decision.port, request
