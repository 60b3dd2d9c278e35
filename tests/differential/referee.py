"""Plays scenarios in the model and in nginx side by side, and compares each attempt."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lab.balancing.upstream import Clock, Upstream
from lab.nginx.binary import NginxBinary
from tests.differential.foretelling import Foretold, Outcome, model_of
from tests.differential.reality import Backends, Client, Happening, Requests, nginx_running
from tests.differential.scenario import MOST_PEERS, Ask, Break, Event, Mend, Release, Scenario, Slow, Wait

EDGE_SECONDS = 0.06
"""nginx counts whole seconds: so close before the next one, nothing is begun."""

LANES = 3
"""How many scenarios are played at a time."""

ModelMaker = Callable[[Scenario, list[int], Clock], Upstream]


class MismatchError(AssertionError):
    """The model and nginx differ."""

    def __init__(self, scenario: Scenario, number: int, foretold: Outcome, real: Outcome) -> None:
        self.scenario = scenario
        """Up to the event in which they differ."""
        super().__init__(
            f"seed {scenario.seed}: after event {number} ({scenario.events[-1]}) the model says {foretold},"
            f" nginx did {real}"
        )


class UnsureError(Exception):
    """A second ended while something happened, so that nobody knows in which second nginx saw it."""


@dataclass(slots=True)
class Tally:
    """What was compared."""

    requests: int = 0
    attempts: int = 0
    scenarios: int = 0
    unsure: int = 0
    """Scenarios that were given up since a second ended at the wrong moment."""


class Match:
    """One scenario in both worlds."""

    def __init__(self, scenario: Scenario, backends: Backends, client: Client, tally: Tally, maker: ModelMaker) -> None:
        self._scenario = scenario
        self._backends = backends
        self._requests = Requests(client, backends)
        self._tally = tally
        self._second = 0
        self._failing: set[int] = set()
        self._held: list[tuple[Foretold, Happening]] = []
        self._upstream = maker(scenario, backends.ports, lambda: self._second)

    async def play(self) -> None:
        """Play all events, and release what is still held.

        Raises:
            MismatchError: the two differ.
            UnsureError: it can't be known whether they do.
        """
        try:
            if any(isinstance(event, Wait) for event in self._scenario.events):
                await _until(int(time.time()) + 1)  # so that it fails again in the same way
            for number, event in enumerate(self._scenario.events):
                await self._at_a_safe_time()
                await self._happen(number, event)
                if not isinstance(event, Wait) and int(time.time()) != self._second:
                    raise UnsureError
            self._tally.scenarios += 1
        finally:
            await self._requests.finish()

    async def _happen(self, number: int, event: Event) -> None:
        ports = self._backends.ports
        match event:
            case Ask():
                foretold = Foretold(self._upstream, event, self._failing)
                happening = self._requests.send(event.key, event.address, is_held=event.is_held)
                real, header_ms = await happening.settled()
                self._compare(number, foretold.arrive(header_ms), real)
                self._tally.requests += 1
                if real.is_held:
                    self._held.append((foretold, happening))
            case Release(place, is_cut) if self._held:
                foretold, happening = self._held.pop(place % len(self._held))
                assert happening.held_as is not None
                self._backends.release(happening.held_as, is_cut=is_cut)
                real, header_ms = await happening.settled()
                self._compare(number, foretold.release(is_cut=is_cut, header_ms=header_ms), real)
                if real.is_held:
                    self._held.append((foretold, happening))
            case Break(place, fault):
                port = ports[int(self._scenario.peers[place].server)]
                await self._backends.break_(port, fault)
                self._failing.add(port)
            case Mend(place):
                port = ports[int(self._scenario.peers[place].server)]
                await self._backends.mend(port)
                self._failing.discard(port)
            case Slow(place, delay_ms):
                self._backends.delays_ms[ports[int(self._scenario.peers[place].server)]] = delay_ms
            case Wait(seconds):
                await _until(self._second + seconds)
            case _:
                pass  # a release, and nothing is held

    def _compare(self, number: int, foretold: Outcome, real: Outcome) -> None:
        """While a request is held nobody knows yet who refused it before: then the holder alone is compared."""
        if int(time.time()) != self._second:
            raise UnsureError
        same = foretold.attempts[-1:] == real.attempts if real.is_held else foretold.attempts == real.attempts
        if not same or foretold.is_held != real.is_held:
            failed = replace(self._scenario, events=self._scenario.events[: number + 1])
            raise MismatchError(failed, number, foretold, real)
        self._tally.attempts += 1 if real.is_held else len(real.attempts)

    async def _at_a_safe_time(self) -> None:
        """Wait until the next second has begun, if this one is about to end."""
        now = time.time()
        if now % 1 > 1 - EDGE_SECONDS:
            await _until(int(now) + 1)
        self._second = int(time.time())


async def _until(second: int) -> None:
    """Wait until this second has begun, for nginx too."""
    await asyncio.sleep(second - time.time() + 0.003)


async def compare(
    binary: NginxBinary,
    scenarios: Sequence[Scenario],
    first_port: int,
    *,
    lanes: int = LANES,
    maker: ModelMaker = model_of,
) -> Tally:
    """Play the scenarios, several at a time, each lane with backends of its own; one nginx serves all.

    Raises:
        MismatchError: the model and nginx differ in one of them.
    """
    tally = Tally()
    ports = [
        range(first_port + 1 + MOST_PEERS * lane, first_port + 1 + MOST_PEERS * (lane + 1)) for lane in range(lanes)
    ]
    upstreams = [(scenario, ports[number % lanes]) for number, scenario in enumerate(scenarios)]

    async def play(lane: int) -> None:
        backends = Backends(ports[lane])
        await backends.open()
        try:
            for number in range(lane, len(scenarios), lanes):
                client = Client(first_port, number)
                try:
                    await Match(scenarios[number], backends, client, tally, maker).play()
                except UnsureError:
                    tally.unsure += 1
                finally:
                    await client.close()
        finally:
            await backends.close()

    async with nginx_running(binary, first_port, upstreams):
        tasks = [asyncio.create_task(play(lane)) for lane in range(lanes)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return tally


def ports_needed(lanes: int = LANES) -> int:
    """How many free ports in a row a comparison needs."""
    return 1 + MOST_PEERS * lanes
