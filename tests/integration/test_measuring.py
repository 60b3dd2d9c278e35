"""Whether the lab measures what it says: stalls, service times, and counts that agree after 100,000 requests."""

import asyncio
import itertools
import signal
import sys
import time
from dataclasses import dataclass

import psutil
import pytest

from lab.backends.behaviour import Behaviour
from lab.counts.latency import LatencySummary
from lab.counts.ledger import Ledger
from lab.models import TrafficView
from lab.session import LabSession
from lab.states import LoopKind
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import StartLab
from tests.integration.facts import seen

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
HELD_UP_MS = 100
"""An answer that took longer was held up by a stall: without one, none takes nearly as long."""
MANY_REQUESTS = 100_000
ROUNDS = 12
"""Of two seconds each: as long as a busy machine may take to come to rest."""


@dataclass(frozen=True, slots=True)
class Fired:
    """What the lab says of a plan that it fired to its end."""

    traffic: TrafficView
    latency: LatencySummary
    ledger: Ledger
    held_up: int


async def fired(lab: LabSession) -> Fired:
    """Wait for the end of the plan."""
    await lab.parts.driver.finish()
    ledger = await lab.settle()
    everything = lab.latencies()[0]
    held_up = sum(bucket.count for bucket in everything.buckets if bucket.from_ms > HELD_UP_MS)
    return Fired(lab.parts.observer.traffic(lab.parts.driver), everything.summary, ledger, held_up)


async def stall_nginx(lab: LabSession, seconds: float) -> float:
    """Stop its worker for so long, once traffic flows; for how many seconds it was, a busy machine takes longer."""
    await answers(lab, 10)
    (worker,) = lab.parts.balancer.server.worker_pids()
    psutil.Process(worker).send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    await asyncio.sleep(seconds)
    psutil.Process(worker).send_signal(signal.SIGCONT)
    return time.monotonic() - stopped


async def answers(lab: LabSession, wanted: int) -> None:
    """Wait until the lab's client has got so many."""
    await seen(lab, lambda shown: shown.traffic.answered >= wanted, what=f"{wanted:,} answers", seconds=60)


@pytest.mark.clock
@posix_only
async def test_an_open_loop_feels_a_stall_in_every_request_that_fell_due_in_it(start_lab: StartLab) -> None:
    """A second without answers at 200 a second is 200 late answers, and not one request less."""
    lab = await start_lab(is_firing=True, traffic=TrafficSpec(rate_rps=200, duration_seconds=5))
    seconds = await stall_nginx(lab, 1.0)
    stalled = await fired(lab)
    assert stalled.traffic.loop is LoopKind.OPEN
    assert (stalled.traffic.sent, stalled.traffic.answered) == (1000, 1000)
    assert stalled.latency.p99_ms is not None
    assert stalled.latency.p99_ms >= 800
    # those of the stall's last 100 ms aren't held up for as long as that; those that come while nginx catches up may be
    assert 150 <= stalled.held_up <= 200 * (seconds + 0.15)
    assert stalled.ledger.is_balanced, stalled.ledger.differences


@pytest.mark.clock
@posix_only
async def test_a_closed_loop_hides_a_stall_and_is_called_one(start_lab: StartLab) -> None:
    """Only the requests under way are held up: the others weren't sent."""
    lab = await start_lab(is_firing=True, traffic=TrafficSpec(connections=4, duration_seconds=3))
    await stall_nginx(lab, 1.0)
    stalled = await fired(lab)
    assert stalled.traffic.loop is LoopKind.CLOSED
    assert stalled.held_up <= 4
    assert stalled.latency.p99_ms is not None
    assert stalled.latency.p99_ms < HELD_UP_MS


@pytest.mark.clock
async def test_a_service_time_is_measured_as_what_it_is(start_lab: StartLab) -> None:
    """20 ms are 20 ms more than none, within a millisecond, side by side.

    Other work on the machine delays backends and client for seconds; a wrong measurement never gets right.
    """
    lab = await start_lab(backends=2, traffic=TrafficSpec(rate_rps=200))
    ports = lab.parts.ports.backends
    lab.parts.fleet[ports[0]].behave(Behaviour(service_time_ms=20))
    await lab.toggle_traffic()
    measured: list[float] = []
    while len(measured) < ROUNDS and not (measured and measured[-1] == pytest.approx(20, abs=1)):
        lab.zero_counters()
        await answers(lab, 400)
        slow_ms, fast_ms = (series.summary.p50_ms for series in lab.latencies()[1:])
        assert slow_ms is not None
        assert fast_ms is not None
        measured.append(slow_ms - fast_ms)
    assert measured[-1] == pytest.approx(20, abs=1), measured


@pytest.mark.timeout(240)
async def test_the_ledger_is_exact_after_100_000_requests_with_kills_and_reloads(start_lab: StartLab) -> None:
    """Client, nginx and backends count apart, and agree on every single one."""
    lab = await start_lab(is_firing=True, traffic=TrafficSpec(connections=16, requests=MANY_REQUESTS))
    algorithms = itertools.cycle(("least_conn", "random", "round_robin"))
    ports = itertools.cycle(lab.parts.ports.backends)
    driver = lab.parts.driver
    while driver.finished < MANY_REQUESTS * 0.9:
        port = next(ports)
        await lab.kill_backend(port)
        await lab.use_algorithm(next(algorithms))
        await lab.restart_backend(port)
        await answers(lab, min(driver.finished + MANY_REQUESTS // 20, MANY_REQUESTS))
    done = await fired(lab)
    assert (done.traffic.sent, done.traffic.answered, done.traffic.errors) == (MANY_REQUESTS, MANY_REQUESTS, ())
    assert done.ledger.is_balanced, done.ledger.differences
    assert done.ledger.client_answered == done.ledger.nginx_logged == MANY_REQUESTS
    assert done.ledger.backends_served == done.ledger.nginx_forwarded
