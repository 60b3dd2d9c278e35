"""`make bench`: a table of ratios, each the median of alternating pairs, and what looking costs."""

import asyncio
import platform
import random
import shutil
import time
from collections.abc import AsyncIterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import psutil

from bench import clients
from bench.dashboard import cpu_percent, dashboard
from bench.plain import article, curl_answers, shell_loop
from bench.ratio import HEAD, Ratio, compare
from bench.simulation import growing, simulating
from lab.config import BackendSpec, LabConfig
from lab.counts.histogram import Histogram
from lab.session import LabSession

PORT, BASE_PORT = 8170, 8171
REST_SECONDS = 2
"""What has just been started takes longer than what runs: a dashboard paints its first screen."""
FIRST_REQUESTS, MANY_REQUESTS = 10_000, 1_000_000


async def firing() -> AsyncIterator[Ratio]:
    """The lab's client beside others, through the same nginx and backends."""
    session = LabSession(LabConfig(port=PORT, base_port=BASE_PORT))
    url = f"http://127.0.0.1:{PORT}/"
    try:
        await session.start(is_firing=False)
        rivals = {"wrk": (clients.wrk, "≥ 0.9"), "hey": (clients.hey, "≥ 1.2"), "httpx": (clients.one_httpx_client, "")}
        for name, (rival, wanted) in rivals.items():
            if name == "httpx" or shutil.which(name):
                what = f"requests/s of lablb to {name}, {clients.CONNECTIONS} connections"
                yield await compare(what, wanted, "req/s", partial(clients.lablb, session), partial(rival, url))
    finally:
        await session.stop()


async def recording() -> AsyncIterator[Ratio]:
    """The lab's own histogram beside the one that the field uses."""
    if find_spec("hdrh") is None:
        return
    hdrh = import_module("hdrh.histogram")
    rng = random.Random(1)  # noqa: S311 - figures to count, no secrets
    batches = [[rng.lognormvariate(7, 1) for _ in range(100)] for _ in range(1000)]

    async def own() -> float:
        histogram = Histogram()
        started = time.perf_counter()
        for batch in batches:
            histogram.record(batch)
        return 100_000 / (time.perf_counter() - started)

    async def hdr() -> float:
        histogram = hdrh.HdrHistogram(1, 600_000_000, 2)
        started = time.perf_counter()
        for batch in batches:
            for latency_us in batch:
                histogram.record_value(latency_us)
        return 100_000 / (time.perf_counter() - started)

    yield await compare("latencies recorded a second, own histogram to hdrhistogram", "", "/s", own, hdr)


async def looking() -> AsyncIterator[Ratio]:
    """The same wrk against a lab with its dashboard open, and against nginx and backends that nobody watches."""
    url = f"http://127.0.0.1:{PORT}/"

    async def watched() -> float:
        async with dashboard(PORT, BASE_PORT):
            await asyncio.sleep(REST_SECONDS)
            return await clients.wrk(url)

    async def unwatched() -> float:
        async with article(PORT, range(BASE_PORT, BASE_PORT + 5)):
            await asyncio.sleep(REST_SECONDS)
            return await clients.wrk(url)

    yield await compare("requests/s of wrk, dashboard open to nobody watching", "≥ 0.9", "req/s", watched, unwatched)


async def starting() -> AsyncIterator[Ratio]:
    """How soon the lab is up, beside a shell script."""

    async def lab_of_fifty() -> float:
        session = LabSession(LabConfig(port=PORT, base_port=BASE_PORT, backends=(BackendSpec(),) * 50))
        started = time.perf_counter()
        try:
            await session.start(is_firing=False)
            return time.perf_counter() - started
        finally:
            await session.stop()

    async def loop_of_fifty() -> float:
        async with shell_loop(range(BASE_PORT, BASE_PORT + 50)) as seconds:
            return seconds

    what = "seconds until 50 backends are up, lablb to a shell loop"
    yield await compare(what, "≤ 2", "s", lab_of_fifty, loop_of_fifty)

    async def first_answer() -> float:
        started = time.perf_counter()
        command = ("run", "-n", "1", "--port", str(PORT), "--base-port", str(BASE_PORT))
        process = await asyncio.create_subprocess_exec(
            shutil.which("lablb") or "lablb", *command, stdout=asyncio.subprocess.DEVNULL
        )
        await curl_answers(PORT)
        seconds = time.perf_counter() - started
        await process.wait()
        return seconds

    async def first_answer_by_script() -> float:
        async with article(PORT, range(BASE_PORT, BASE_PORT + 5)) as seconds:
            return seconds

    what = "seconds to the first answer, lablb run to a shell script"
    yield await compare(what, "≤ 1.5", "s", first_answer, first_answer_by_script)


async def costs() -> AsyncIterator[str]:
    """What the dashboard's process takes: CPU at rest and under load, and memory after many requests."""
    url = f"http://127.0.0.1:{PORT}/"
    async with dashboard(PORT, BASE_PORT, "-q", "0.01") as process:
        await asyncio.sleep(REST_SECONDS)
        yield f"CPU of the dashboard, 120 × 36, at rest: {await cpu_percent(process, 20):.1f} % of a core"
    async with dashboard(PORT, BASE_PORT) as process:
        await asyncio.sleep(REST_SECONDS)
        yield f"CPU of the dashboard at 20 req/s, as it starts: {await cpu_percent(process, 20):.1f} % of a core"
        load = asyncio.create_task(clients.wrk(url, 12))
        await asyncio.sleep(1)
        busy = await cpu_percent(process, 10)
        rate = await load
        yield f"CPU of the dashboard while wrk fires {rate:,.0f} req/s: {busy:.1f} % of a core"
    async with dashboard(PORT, BASE_PORT) as process:
        sent, rss_after = 0.0, {}
        for goal in (FIRST_REQUESTS, MANY_REQUESTS):
            while sent < goal:
                seconds = min(60.0, max(1.0, (goal - sent) / 4000))
                sent += round(seconds) * await clients.wrk(url, round(seconds))
            rss_after[goal] = process.memory_info().rss / 2**20
        before = rss_after[FIRST_REQUESTS]
        grown = rss_after[MANY_REQUESTS] - before
        yield f"memory: {before:.1f} MB after {FIRST_REQUESTS:,} requests, {grown:+.1f} MB after {sent:,.0f}"


async def main() -> None:
    """The whole table."""
    machine = f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores"
    print(f"{machine}, {psutil.virtual_memory().total / 2**30:.0f} GB, Python {platform.python_version()}\n")
    print(HEAD, flush=True)
    for figures in (firing, recording, looking, starting, simulating, growing):
        async for ratio in figures():
            print(ratio.row, flush=True)
    print()
    async for line in costs():
        print(f"- {line}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
