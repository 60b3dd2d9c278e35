"""What the model says will happen."""

from dataclasses import dataclass, replace

from lab.balancing.methods import upstream_named
from lab.balancing.upstream import Clock, Request, Upstream, Visit
from tests.differential.scenario import Ask, Scenario


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a request is: with whom it was tried, and whether the last one holds it."""

    attempts: tuple[int | None, ...]
    """Ports; None for `no live upstreams`."""
    is_held: bool = False


def model_of(scenario: Scenario, ports: list[int], clock: Clock) -> Upstream:
    """The upstream of the scenario, its placeholders replaced by these ports."""
    servers = [replace(peer, server=f"127.0.0.1:{ports[int(peer.server)]}") for peer in scenario.peers]
    return upstream_named(scenario.algorithm, servers, clock=clock, chance=_no_chance, tries_limit=scenario.tries_limit)


class Foretold:
    """One request in the model."""

    def __init__(self, upstream: Upstream, ask: Ask, failing: set[int]) -> None:
        self._request: Request = upstream.begin(Visit(ask.key, ask.address))
        self._is_held = ask.is_held
        self._failing = failing
        """The ports of the backends that fail; the referee changes it as events have it."""
        self._attempts: list[int | None] = []

    def arrive(self, header_ms: int | None) -> Outcome:
        """It is tried until a backend has it; `header_ms` is what nginx measured, if it was answered."""
        return self._go_on(header_ms)

    def release(self, *, is_cut: bool, header_ms: int | None) -> Outcome:
        """Whoever holds it answers, or cuts the connection, and then it may be tried elsewhere."""
        if not is_cut:
            self._request.succeeded(header_ms)
            return Outcome(tuple(self._attempts))
        if self._request.failed():
            return self._go_on(header_ms)
        return Outcome(tuple(self._attempts))

    def _go_on(self, header_ms: int | None) -> Outcome:
        while True:
            decision = self._request.pick()
            if decision is None:
                return Outcome((*self._attempts, None))
            port = decision.port
            self._attempts.append(port)
            if port not in self._failing:
                if not self._is_held:
                    self._request.succeeded(header_ms)
                return Outcome(tuple(self._attempts), self._is_held)
            if not self._request.failed():
                return Outcome(tuple(self._attempts))


def _no_chance() -> int:
    raise AssertionError("an algorithm that isn't left to chance drew a number")
