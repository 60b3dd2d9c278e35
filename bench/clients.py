"""The load generators that are compared, each firing at a URL of this machine and telling requests a second."""

import asyncio
import re
import subprocess
import time

import httpx

from lab.session import LabSession
from lab.traffic.driver import TrafficDriver
from lab.traffic.plan import TrafficSpec

CONNECTIONS = 16
SECONDS = 3


async def output(*command: str) -> str:
    """What a command prints, once it has ended."""
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    text, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with code {process.returncode}")
    return text.decode()


def _rate(text: str) -> float:
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert found is not None, text
    return float(found[1])


async def wrk(url: str, seconds: float = SECONDS) -> float:
    """Requests per second of wrk, one thread."""
    return _rate(await output("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url))


async def hey(url: str) -> float:
    """Requests per second of hey."""
    return _rate(await output("hey", "-z", f"{SECONDS}s", "-c", str(CONNECTIONS), url))


async def lablb(session: LabSession) -> float:
    """Requests per second of the lab's own client, each recorded with its latency and its backend."""
    spec = TrafficSpec(connections=CONNECTIONS, duration_seconds=SECONDS)
    driver = TrafficDriver(spec, session.shot_name, session.parts.observer.note_outcomes)
    await driver.start(session.parts.ports.nginx)
    try:
        driver.resume()
        await driver.finish()
        return driver.finished / driver.elapsed_seconds
    finally:
        await driver.stop()


async def one_httpx_client(url: str) -> float:
    """Requests per second of one `httpx.AsyncClient` with as many tasks as there are connections."""
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    answered = 0
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client:
        started = time.perf_counter()

        async def fire() -> None:
            nonlocal answered
            while time.perf_counter() < started + SECONDS:
                (await client.get(url)).raise_for_status()
                answered += 1

        await asyncio.gather(*(fire() for _ in range(CONNECTIONS)))
        return answered / (time.perf_counter() - started)
