"""The dashboard in a terminal of 120 × 36, and what looking at it costs."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pexpect
import psutil

from bench.plain import answers

LABLB = Path(sys.executable).with_name("lablb")


@asynccontextmanager
async def dashboard(port: int, base_port: int, *options: str) -> AsyncIterator[psutil.Process]:
    """A running dashboard; the process that paints it and counts."""
    arguments = ["--port", str(port), "--base-port", str(base_port), *options]
    terminal = pexpect.spawn(str(LABLB), arguments, dimensions=(36, 120), timeout=60)
    reading = asyncio.create_task(asyncio.to_thread(_read_on, terminal))
    try:
        await answers(port)
        yield psutil.Process(terminal.pid)
    finally:
        terminal.send("q")
        await reading
        terminal.close(force=True)


def _read_on(terminal: "pexpect.spawn[str]") -> None:
    """A terminal reads what is painted, or painting would stop."""
    try:
        while True:
            terminal.read_nonblocking(65536, timeout=60)
    except (pexpect.EOF, pexpect.TIMEOUT):
        return


async def cpu_percent(process: psutil.Process, seconds: float) -> float:
    """Of one core, over so many seconds."""
    process.cpu_percent()
    await asyncio.sleep(seconds)
    return float(process.cpu_percent())
