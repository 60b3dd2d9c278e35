"""Facts that tests wait for and look up: ports, processes, snapshots, answers. Every wait is bounded and has a name."""

import asyncio
import contextlib
import http.client
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab.models import BackendView, Snapshot
from lab.session import LabSession

HOST = "127.0.0.1"
LABLB = Path(sys.executable).with_name("lablb.exe" if sys.platform == "win32" else "lablb")
"""The command as it was installed beside this Python."""
POLL_SECONDS = 0.02
PORT_RANGES = 10
PORTS_A_RANGE = 1_000
MOST_PORTS = 100
"""That a test takes from the first one on."""


def wait_until(condition: Callable[[], object], *, what: str, seconds: float = 15.0) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it did not hold in time; the message names what was waited for.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        time.sleep(POLL_SECONDS)


async def seen(
    session: LabSession, condition: Callable[[Snapshot], object], *, what: str, seconds: float = 20.0
) -> Snapshot:
    """The first snapshot in which the condition holds.

    Raises:
        AssertionError: there was none in time, or the lab ended before.
    """
    try:
        async with asyncio.timeout(seconds):
            async for snapshot in session.snapshots():
                if condition(snapshot):
                    return snapshot
    except TimeoutError:
        raise AssertionError(f"waited {seconds:g} s in vain for {what}") from None
    raise AssertionError(f"the lab ended before {what}")


def backend_at(snapshot: Snapshot, port: int) -> BackendView:
    """The backend on that port."""
    return next(backend for backend in snapshot.backends if backend.port == port)


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_ports(count: int) -> int:
    """The first of so many free ports in a row, below those that the system gives to outgoing connections.

    Tests that run at the same time pick theirs apart: a port that is free now is taken only when something listens.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PORT_RANGES
    lowest = 20_000 + worker * PORTS_A_RANGE
    for _ in range(200):
        first = random.randrange(lowest, lowest + PORTS_A_RANGE - MOST_PORTS)
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise AssertionError(f"there are no {count} free ports in a row")


@dataclass(frozen=True, slots=True)
class Reply:
    """What an HTTP client that isn't the lab's got."""

    status: int
    body: str
    headers: dict[str, str]

    @property
    def pid(self) -> int:
        """Of the backend that answered."""
        greeting, _, pid = self.body.rpartition(" ")
        assert greeting == "Hello from Process Id ="
        return int(pid)


def ask(
    port: int,
    path: str = "/",
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    seconds: float = 10.0,
) -> Reply:
    """One request on a connection of its own."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=seconds)) as connection:
        connection.request(method, path, body, {"User-Agent": "somebody/1.0"} | (headers or {}))
        response = connection.getresponse()
        return Reply(response.status, response.read().decode(), {k.lower(): v for k, v in response.getheaders()})


async def ask_times(times: int, port: int) -> list[int]:
    """The PIDs that answered so many requests, one after the other."""
    return await asyncio.to_thread(lambda: [ask(port).pid for _ in range(times)])


def processes_in(folder: Path) -> list[psutil.Process]:
    """The living processes, other than this one, that were started in that folder: a lab's children all are."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            is_alive = process.status() != psutil.STATUS_ZOMBIE
            if process.pid != os.getpid() and is_alive and Path(process.cwd()) == folder:
                found.append(process)
    return found


def commands_in(folder: Path) -> list[tuple[psutil.Process, list[str]]]:
    """Those processes and their command lines."""
    found = []
    for process in processes_in(folder):
        with contextlib.suppress(psutil.Error):
            found.append((process, process.cmdline()))
    return found


def running(module: str, folder: Path) -> list[psutil.Process]:
    """Those of a lab's Python children in that folder that run this module."""
    return [process for process, command in commands_in(folder) if module in command]


def only_one(found: list[psutil.Process]) -> psutil.Process:
    """The process, if it is the only one."""
    (process,) = found
    return process


def listening(processes: list[psutil.Process]) -> set[tuple[str, int]]:
    """Address and port of every socket they listen on."""
    found = set()
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    found.add((connection.laddr[0], connection.laddr[1]))
    return found


def lablb(*arguments: str | int | Path, seconds: float = 45.0) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [str(LABLB), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False
    )


@contextlib.contextmanager
def lablb_running(*arguments: str | int | Path) -> Iterator[subprocess.Popen[str]]:
    """The command, while it runs; killed in the end if a test failed to end it."""
    command = [str(LABLB), *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()
