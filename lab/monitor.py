"""What the operating system says of processes: CPU and memory, read off the event loop."""

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
        self._processes: dict[int, psutil.Process] = {}

    async def sample(self, pids: Iterable[int]) -> None:
        """Read the figures of these processes, and forget all others."""
        self.usage = await asyncio.to_thread(self._read, tuple(pids))

    def _read(self, pids: tuple[int, ...]) -> dict[int, Usage]:
        usage = {}
        for pid in set(self._processes).difference(pids):
            del self._processes[pid]
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                process = self._processes.get(pid)
                if process is None:
                    self._processes[pid] = process = psutil.Process(pid)
                    process.cpu_percent()
                    continue
                with process.oneshot():
                    usage[pid] = Usage(process.cpu_percent(), process.memory_info().rss)
        return usage
