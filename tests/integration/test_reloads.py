"""Reloads under the microscope: who takes over, who still finishes, and that nothing fails."""

import asyncio
import os
import signal
import sys

import psutil
import pytest

from lab.backends.behaviour import Behaviour
from lab.models import Reload, Snapshot
from lab.session import LabSession
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import StartLab
from tests.integration.facts import ask, seen

SWITCHES = ("least_conn", "random") * 5
SLOW_MS = 600.0


def reload_of(shown: Snapshot) -> Reload:
    assert shown.reload is not None
    return shown.reload


async def changed_to(lab: LabSession, algorithm: str) -> Reload:
    """The change to that algorithm, once it is made and shown."""
    await lab.use_algorithm(algorithm)
    return reload_of(
        await seen(lab, lambda shown: shown.reload and shown.algorithm == algorithm, what=f"{algorithm} in force")
    )


async def finished(lab: LabSession) -> Snapshot:
    """The lab once the latest change's old workers have ended."""
    return await seen(lab, lambda shown: not reload_of(shown).finishing, what="the old workers' end")


async def test_ten_switches_with_slow_requests_under_way_fail_none(start_lab: StartLab, nginx: str) -> None:
    """Each time an old worker is seen that finishes what it has, with its connections; then it ends."""
    lab = await start_lab(
        nginx=nginx,
        is_firing=True,
        behaviour=Behaviour(service_time_ms=SLOW_MS),
        traffic=TrafficSpec(rate_rps=30),
    )
    connections: list[int] = []
    for switch in SWITCHES:
        await seen(lab, lambda shown: shown.traffic.in_flight >= 3, what="slow requests under way")
        before = lab.parts.balancer.server.worker_pids()
        reload = await changed_to(lab, switch)
        assert reload.change.endswith(switch)
        assert 0 < reload.seconds < 5
        assert set(reload.old_pids) <= set(before)
        assert len(reload.old_pids) == len(reload.new_pids) == 1
        assert not set(reload.new_pids) & set(before)
        assert set(reload.old_pids) <= {worker.pid for worker in reload.finishing}
        connections += [worker.connections or 0 for worker in reload.finishing]
        await lab.parts.balancer.reloads.look(lab.parts.ports.nginx)
        connections += [worker.connections or 0 for worker in reload_of(await _next(lab)).finishing]
    shown = await finished(lab)
    reload = reload_of(shown)
    assert max(connections) >= 3
    assert reload.finished_by_old >= 1
    await seen(lab, lambda shown: sum(hits for _, hits in reload_of(shown).hits) > 5, what="answers since the change")
    await lab.toggle_traffic()
    shown = await seen(lab, lambda shown: shown.traffic.in_flight == 0, what="the last answer")
    assert (shown.traffic.failed, reload_of(shown).failed, reload_of(shown).failed_meanwhile) == (0, 0, 0)
    assert (await lab.settle()).is_balanced


async def _next(lab: LabSession) -> Snapshot:
    """A snapshot that is newer than the newest."""
    newest = (await seen(lab, lambda shown: True, what="a snapshot")).sequence
    return await seen(lab, lambda shown: shown.sequence > newest, what="the next snapshot")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
async def test_a_worker_that_has_ended_is_none_though_its_master_took_no_note(start_lab: StartLab) -> None:
    """On a busy machine that takes a while, and the next reload would name it among those it replaced."""
    server = (await start_lab(backends=1)).parts.balancer.server
    assert server.master_pid is not None
    master, (worker,) = psutil.Process(server.master_pid), server.worker_pids()
    master.suspend()
    try:
        os.kill(worker, signal.SIGTERM)
        async with asyncio.timeout(5):
            while server.worker_pids():
                await asyncio.sleep(0.01)
        assert psutil.Process(worker).status() == psutil.STATUS_ZOMBIE
    finally:
        master.resume()


async def test_what_the_old_worker_still_answers_is_counted_as_its(start_lab: StartLab, nginx: str) -> None:
    """One request began before the change and ended after it; the next one is the new worker's."""
    lab = await start_lab(nginx=nginx, backends=2, behaviour=Behaviour(service_time_ms=SLOW_MS))
    port = lab.parts.ports.nginx
    under_way = asyncio.create_task(asyncio.to_thread(ask, port))
    await seen(lab, lambda shown: sum(each.in_flight or 0 for each in shown.backends) == 1, what="it to be worked on")
    await lab.use_algorithm("least_conn")
    assert (await under_way).status == 200
    await asyncio.to_thread(ask, port)
    shown = await seen(lab, lambda shown: shown.reload and shown.reload.answered == 2, what="both answers in the log")
    reload = reload_of(shown)
    assert reload.generation == 2
    assert reload.finished_by_old == 1
    assert sum(hits for _, hits in reload.hits) == 2
    assert (await finished(lab)).reload is not None


async def test_a_lab_without_changes_has_no_reload_to_show(start_lab: StartLab) -> None:
    """Its start is none."""
    lab = await start_lab(backends=1)
    assert (await _next(lab)).reload is None
