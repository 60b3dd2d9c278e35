"""What the operating system says of processes: CPU, memory and whether they are stopped, read off the event loop."""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """One process's use of the machine."""

    cpu_percent: float
    """Of one core, since the last sample."""
    rss_bytes: int


class Monitor:
    """Samples processes; a process's first sample has no CPU figure yet, so it is left out."""

    def __init__(self) -> None:
        self.usage: dict[int, Usage] = {}
        self.is_stopped: dict[int, bool] = {}
        """By PID, whoever stopped it (SIGSTOP)."""
        self._processes: dict[int, psutil.Process] = {}

    async def sample(self, pids: Iterable[int]) -> None:
        """Read the figures of these processes, and forget all others."""
        self.usage, self.is_stopped = await asyncio.to_thread(self._read, tuple(pids))

    def _read(self, pids: tuple[int, ...]) -> tuple[dict[int, Usage], dict[int, bool]]:
        usage, is_stopped = {}, {}
        for pid in set(self._processes).difference(pids):
            del self._processes[pid]
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                process = self._processes.get(pid)
                if process is None:
                    self._processes[pid] = process = psutil.Process(pid)
                    process.cpu_percent()
                    is_stopped[pid] = process.status() == psutil.STATUS_STOPPED
                    continue
                with process.oneshot():
                    is_stopped[pid] = process.status() == psutil.STATUS_STOPPED
                    usage[pid] = Usage(process.cpu_percent(), process.memory_info().rss)
        return usage, is_stopped
