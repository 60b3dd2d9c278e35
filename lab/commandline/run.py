"""The lab without its dashboard: start, fire what was asked for, settle the ledger, report."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.config import LabConfig
from lab.counts.latency import LatencySummary
from lab.errors import InterruptedStartError
from lab.fitness import require_nginx
from lab.session import LabSession
from lab.side_by_side import first_of

if TYPE_CHECKING:
    from lab.commandline.report import Report
    from lab.traffic.driver import TrafficDriver

PROGRESS_SECONDS = 0.1


async def run_lab(
    config: LabConfig, interruption: asyncio.Event, on_progress: Callable[[float], None] = lambda _: None
) -> "Report":
    """Fire the plan to its end, or until the interruption, and report; `on_progress` is told how far it is, 0 to 1.

    Raises:
        LabError: the lab couldn't start, or broke.
    """
    session = LabSession(config, is_watched=False)
    try:
        await first_of(session.start(is_firing=False), interruption.wait())
        if interruption.is_set():
            raise InterruptedStartError("Interrupted before the first request.")
        driver, told_before = session.parts.driver, len(session.notices)
        driver.resume()
        ends = [asyncio.create_task(end) for end in (driver.finish(), interruption.wait(), session.fail())]
        try:
            while not any(end.done() for end in ends):
                require_nginx(session.parts)
                on_progress(_progress(config, driver))
                await asyncio.wait(ends, timeout=PROGRESS_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                if end.done():
                    end.result()
        finally:
            for end in ends:
                end.cancel()
        if interruption.is_set():
            await driver.wind_up()
        else:
            on_progress(1.0)
        report = await _report(session, is_interrupted=interruption.is_set())
        require_nginx(session.parts)
        return replace(report, notices=session.notices[told_before:])
    finally:
        await session.stop()


def _progress(config: LabConfig, driver: "TrafficDriver") -> float:
    plan = config.traffic
    parts = [0.0]
    if plan.requests is not None:
        parts.append(driver.finished / plan.requests)
    if plan.duration_seconds is not None:
        parts.append(driver.elapsed_seconds / plan.duration_seconds)
    return min(1.0, max(parts))


async def _report(session: LabSession, *, is_interrupted: bool) -> "Report":
    from lab.commandline.report import Report  # noqa: PLC0415 - nobody needs it before there is something to report

    ledger = await session.settle()
    parts = session.parts
    balancer, observer, driver = parts.balancer, parts.observer, parts.driver
    latency, by_port = observer.tally.total_latencies()
    return Report(
        algorithm=balancer.upstream.algorithm,
        nginx=observer.nginx(balancer.server, parts.ports.nginx, balancer.server.worker_pids()),
        nginx_path=str(balancer.server.binary.path),
        workers=balancer.frame.workers,
        plan=session.config.traffic,
        traffic=replace(observer.traffic(driver), latency=latency),
        backends=tuple(
            replace(view, latency=by_port.get(view.port, LatencySummary()))
            for view in observer.backends(balancer.specs)
        ),
        ledger=ledger,
        duration_seconds=driver.elapsed_seconds,
        is_interrupted=is_interrupted,
        faults=tuple(parts.fault_clock.injections),
    )
