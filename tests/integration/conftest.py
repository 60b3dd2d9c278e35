"""A place of its own for each test, and the proof that nothing of a lab is left there."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.config import BackendSpec, LabConfig
from lab.errors import NotReadyError
from lab.machine.privileges import is_open_to_all
from lab.nginx.binary import find_nginx
from lab.session import LabSession
from lab.traffic.plan import TrafficSpec
from tests.integration.facts import POLL_SECONDS, commands_in, free_ports, is_free, processes_in, wait_until

LEFT_BEHIND_SECONDS = 3.0
"""How long anything of a lab may outlive it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a test's labs live."""

    folder: Path
    """The working folder of every process."""
    runtime: Path
    """Where runtime folders are made."""
    port: int
    """Free for nginx."""
    base_port: int
    """Free for up to five backends, from here on."""

    @property
    def port_options(self) -> tuple[str, ...]:
        """The command's options for this place."""
        return ("--port", str(self.port), "--base-port", str(self.base_port))

    @property
    def ports(self) -> range:
        """All of them."""
        return range(self.port, self.base_port + 5)

    @property
    def runtime_folders(self) -> list[Path]:
        """Of the labs that run, or were left behind."""
        return list(self.runtime.glob("lablb-*"))

    @property
    def left_behind(self) -> list[str]:
        """What is left of any lab: processes, runtime folders, ports."""
        left = [f"{process.pid}: {' '.join(command)}" for process, command in commands_in(self.folder)]
        left += [str(path) for path in self.runtime_folders]
        left += [f"port {port}" for port in self.ports if not is_free(port)]
        return left

    def wait_until_empty(self) -> None:
        """Give what is left of a lab the time that it may take to go.

        Raises:
            AssertionError: something of it stayed; the message names it.
        """
        deadline = time.monotonic() + LEFT_BEHIND_SECONDS
        while left := self.left_behind:
            assert time.monotonic() < deadline, f"{LEFT_BEHIND_SECONDS:g} s after the end there is still {left}"
            time.sleep(POLL_SECONDS)

    def is_traffic_flowing(self) -> bool:
        """Whether nginx has logged requests."""
        with contextlib.suppress(OSError):
            return any((folder / "access.log").stat().st_size > 0 for folder in self.runtime_folders)
        return False


@pytest.fixture
def runtime() -> Iterator[Path]:
    """Where a test's labs make their folders: everybody can pass to it, as to /tmp, and unlike to pytest's own."""
    usual = tempfile.gettempdir()
    base = usual if sys.platform == "win32" or is_open_to_all(Path(usual)) else "/tmp"
    with tempfile.TemporaryDirectory(prefix="runtime-", dir=base) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A test's own folders and ports; in the end no process and no runtime folder may be left in them."""
    folder = tmp_path / "here"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("LABLB_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TMPDIR", str(runtime))
    monkeypatch.setattr(tempfile, "tempdir", str(runtime))
    monkeypatch.chdir(folder)
    port = free_ports(6)
    yield Place(folder.resolve(), runtime, port, port + 1)
    try:
        wait_until(
            lambda: not processes_in(folder.resolve()),
            what="the lab's last process to end",
            seconds=LEFT_BEHIND_SECONDS,
        )
    finally:
        for process in (left := processes_in(folder.resolve())):
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=LEFT_BEHIND_SECONDS)
    assert list(runtime.glob("lablb-*")) == []


@pytest.fixture(params=["bundled", "system"])
async def nginx(request: pytest.FixtureRequest) -> str:
    """Each nginx that this machine has, by the name that `--nginx` takes."""
    choice: str = request.param
    try:
        await find_nginx(choice)
    except NotReadyError as error:
        pytest.skip(str(error))
    return choice


StartLab = Callable[..., Awaitable[LabSession]]


@pytest.fixture
def excused() -> list[str]:
    """Parts of nginx's complaints that a test provokes: it adds them here."""
    return []


@pytest.fixture
async def start_lab(place: Place, excused: list[str]) -> AsyncIterator[StartLab]:
    """Starts labs in this process, and in the end stops them and reads what nginx complained of."""
    sessions: list[LabSession] = []

    async def start(
        *, backends: int | tuple[BackendSpec, ...] = 3, is_firing: bool = False, **changes: Any
    ) -> LabSession:
        specs = (BackendSpec(fail_timeout_seconds=1),) * backends if isinstance(backends, int) else backends
        defaults: dict[str, Any] = {
            "port": place.port,
            "base_port": place.base_port,
            "traffic": TrafficSpec(rate_rps=50),
        }
        sessions.append(LabSession(LabConfig(backends=specs, **(defaults | changes))))
        await sessions[-1].start(is_firing=is_firing)
        return sessions[-1]

    yield start
    complaints: list[str] = []
    try:
        for session in sessions:
            with contextlib.suppress(OSError):
                log = session.parts.balancer.server.error_log.read_text(errors="replace")
                complaints += [line for line in log.splitlines() if "[alert]" in line or "[emerg]" in line]
    finally:
        async with asyncio.timeout(20):
            for session in sessions:
                await session.stop()
    assert [line for line in complaints if not any(part in line for part in excused)] == []
