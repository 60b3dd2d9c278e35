"""What is done to a lab under traffic that no client may notice; each returns what was counted, for a table."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from lab.faults.fault import Fault, FaultKind
from lab.models import EMPTY, Snapshot
from lab.nginx.belief import Standing
from lab.session import LabSession
from lab.states import BackendState
from tests.integration.facts import seen

ALGORITHMS = ("round_robin", "least_conn", "random", "random_two", "ip_hash", "hash", "hash_consistent")
MOST_TROUBLED = 2
"""Of so many backends at once nginx waits for the read timeout, one after the other, and the client is as patient."""
KILLS_A_SPARED = 10
MOST_NEWCOMERS = 2
"""Backends beyond the first ones."""
IN_USE_SECONDS = 30.0
"""Within which nginx tries what it has put aside, and finds it well."""
PAUSE_SECONDS = 0.05
"""Between two deeds, so that requests come between them."""


@dataclass(frozen=True, slots=True)
class Count:
    """What a client noticed of it, and whether the three counts agree."""

    deeds: int
    sent: int
    failed: int
    errors: dict[str, int]
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Nothing failed, nothing is missing, and there was something that could have."""
        return self.sent > 0 and self.failed == 0 and not self.differences

    def __str__(self) -> str:
        ledger = "; ".join(self.differences) or "ledger balanced"
        errors = f" {self.errors}" if self.errors else ""
        return f"{self.deeds:,} deeds   {self.sent:,} requests   {self.failed:,} failed{errors}   {ledger}"


def _is_quiet_after(sequence: int, now: Snapshot) -> bool:
    return now.sequence > sequence and now.traffic.is_paused and now.traffic.in_flight == 0


async def settled(lab: LabSession, deeds: int) -> Count:
    """Pause the client and count."""
    await lab.toggle_traffic()
    last = EMPTY
    for what in ("a newer snapshot", "the last answer", "what the client told in its last batch"):
        since = last.sequence
        last = await seen(lab, partial(_is_quiet_after, since), what=what)
    ledger = await lab.settle()
    return Count(deeds, last.traffic.sent, last.traffic.failed, dict(last.traffic.errors), ledger.differences)


async def switch(lab: LabSession, rng: random.Random, times: int) -> Count:
    """Switch to another algorithm, again and again.

    The next one waits for what was sent before this one: reloads as fast as they go leave a small machine no time for
    anything else, and its client's requests then fail at their patience, whatever nginx does.
    """
    for _ in range(times):
        now = lab.parts.balancer.upstream.algorithm
        await lab.use_algorithm(rng.choice([name for name in ALGORITHMS if name != now]))
        await _wait_for_all_under_way(lab)
    return await settled(lab, times)


async def kill(lab: LabSession, rng: random.Random, times: int) -> Count:
    """SIGKILL a random backend, and restart it while the next one dies; one is always spared, each for some while.

    nginx tries each backend once: were none spared, a request could meet all of them dead, one after the other. And
    before another one is spared, nginx has all in use again: were the one put aside still that was killed last, the
    next kill would leave none.
    """
    ports = lab.parts.ports.backends
    reviving: dict[int, asyncio.Task[None]] = {}
    spared = ports[0]
    for number in range(times):
        if number % KILLS_A_SPARED == 0:
            await asyncio.gather(*reviving.values())
            await _wait_for_all_under_way(lab)
            await _wait_for_all_in_use(lab)
            spared = rng.choice(ports)
        while not (
            mortal := [each.port for each in lab.parts.fleet if each.state is BackendState.UP and each.port != spared]
        ):
            await asyncio.sleep(PAUSE_SECONDS)
        port = rng.choice(mortal)
        if port in reviving:
            await reviving[port]
        await lab.kill_backend(port)
        await asyncio.sleep(rng.uniform(0, PAUSE_SECONDS))
        reviving[port] = asyncio.create_task(lab.restart_backend(port))
    await asyncio.gather(*reviving.values())
    return await settled(lab, times)


async def _wait_for_all_under_way(lab: LabSession) -> None:
    """Until what was sent by now has its answer."""
    driver = lab.parts.driver
    sent = driver.finished + driver.in_flight
    while driver.finished < sent:
        await asyncio.sleep(PAUSE_SECONDS)


async def _wait_for_all_in_use(lab: LabSession) -> None:
    """Until nginx, as far as its log tells, puts none aside any more."""
    inference = lab.parts.observer.inference
    deadline = time.monotonic() + IN_USE_SECONDS
    while any(belief.standing is not Standing.IN_USE for belief in inference.beliefs(time.time()).values()):
        assert time.monotonic() < deadline, f"nginx puts one aside after {IN_USE_SECONDS:g} s still"
        await asyncio.sleep(PAUSE_SECONDS)


async def freeze_or_thaw(lab: LabSession, port: int) -> None:
    await lab.toggle_freeze(port)


async def slow(lab: LabSession, port: int) -> None:
    backend = lab.parts.fleet[port]
    if backend.state is BackendState.UP:
        await lab.slow_backend(port)


async def refuse_or_welcome(lab: LabSession, port: int) -> None:
    """Close its port, or undo what was done to it."""
    backend = lab.parts.fleet[port]
    if backend.fault is None:
        await lab.inject(port, Fault(FaultKind.REFUSE))
    else:
        await lab.undo_faults(port)


TROUBLES: tuple[Callable[[LabSession, int], Awaitable[None]], ...] = (freeze_or_thaw, slow, refuse_or_welcome)
"""Each troubles a backend, or ends its trouble in the end if it is done often enough."""


async def trouble(lab: LabSession, rng: random.Random, seconds: float) -> Count:
    """Freeze, thaw, slow and close backends in random order, a few of them at a time."""
    deeds = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        troubled = [backend.port for backend in lab.parts.fleet if backend.fault is not None]
        ports = troubled if len(troubled) >= MOST_TROUBLED else list(lab.parts.ports.backends)
        await rng.choice(TROUBLES)(lab, rng.choice(ports))
        deeds += 1
        await asyncio.sleep(rng.uniform(PAUSE_SECONDS, 10 * PAUSE_SECONDS))
    for backend in lab.parts.fleet:
        await lab.undo_faults(backend.port)
    return await settled(lab, deeds)


async def raise_weight(lab: LabSession, port: int) -> None:
    await lab.change_weight(port, 1)


async def lower_weight(lab: LabSession, port: int) -> None:
    if lab.parts.balancer.specs[port].weight > 1:
        await lab.change_weight(port, -1)


async def out_or_in(lab: LabSession, port: int) -> None:
    """Two stay in rotation: with one alone nginx knows no retry."""
    specs = lab.parts.balancer.specs
    if specs[port].is_down or sum(not spec.is_down for spec in specs.values()) > 2:
        await lab.toggle_down(port)


async def come_or_go(lab: LabSession, port: int) -> None:
    """Add one, or remove the last that was added."""
    ports, first_ports = lab.parts.fleet.ports, lab.parts.ports.backends
    if len(ports) < len(first_ports) + MOST_NEWCOMERS and port % 2:
        await lab.add_backend()
    elif len(ports) > len(first_ports):
        await lab.remove_backend(ports[-1])


RECONFIGURATIONS: tuple[Callable[[LabSession, int], Awaitable[None]], ...] = (
    raise_weight,
    lower_weight,
    out_or_in,
    come_or_go,
)


async def reconfigure(lab: LabSession, rng: random.Random, times: int) -> Count:
    """Change the upstream's `server` lines."""
    for _ in range(times):
        await rng.choice(RECONFIGURATIONS)(lab, rng.choice(lab.parts.ports.backends))
    return await settled(lab, times)
