"""A lab without processes: tests say what it shows, and it remembers what it was told."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

from lab.comparison.result import Comparison
from lab.comparison.standing import Standing
from lab.counts.latency import LatencySeries
from lab.errors import LabError
from lab.faults.fault import Fault
from lab.models import EMPTY, Snapshot
from lab.witnesses import RequestDetail, RequestView


class FakeLab:
    """Keeps the `Lab` protocol."""

    def __init__(self, *, start_error: Exception | None = None, starts: bool = True, stops: bool = True) -> None:
        self.commands: list[tuple[object, ...]] = []
        """Each command and its arguments, in order."""
        self.refuses: LabError | None = None
        """What every command raises, if anything."""
        self.series: tuple[LatencySeries, ...] = ()
        self.latency_calls = 0
        self.details: dict[int, RequestDetail] = {}
        """What is known of requests, by number; of any other it can't tell."""
        self.asked_about: list[RequestView] = []
        self.standings: asyncio.Queue[Standing | LabError] = asyncio.Queue()
        """What a comparison tells, until one is over, or what breaks it."""
        self.closed_comparisons = 0
        self.may_end_comparison = asyncio.Event()
        self.may_end_comparison.set()
        self.start_calls = 0
        self.stop_calls = 0
        self.may_start = asyncio.Event()
        self.may_stop = asyncio.Event()
        self._start_error = start_error
        self._snapshot = EMPTY
        self._published = asyncio.Event()
        self._is_stopped = False
        if starts:
            self.may_start.set()
        if stops:
            self.may_stop.set()

    def publish(self, snapshot: Snapshot) -> None:
        """Make it the newest snapshot."""
        self._snapshot = snapshot
        self._published.set()

    async def start(self) -> None:
        self.start_calls += 1
        await self.may_start.wait()
        if self._start_error is not None:
            raise self._start_error

    async def stop(self) -> None:
        self.stop_calls += 1
        await self.may_stop.wait()
        self._is_stopped = True
        self._published.set()

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        while not self._is_stopped:
            self._published.clear()
            yield self._snapshot
            await self._published.wait()

    async def use_algorithm(self, name: str) -> None:
        self._take("use_algorithm", name)

    async def kill_backend(self, port: int) -> None:
        self._take("kill_backend", port)

    async def restart_backend(self, port: int) -> None:
        self._take("restart_backend", port)

    async def toggle_freeze(self, port: int) -> None:
        self._take("toggle_freeze", port)

    async def slow_backend(self, port: int) -> None:
        self._take("slow_backend", port)

    async def inject(self, port: int, fault: Fault) -> None:
        self._take("inject", port, fault)

    async def undo_faults(self, port: int) -> None:
        self._take("undo_faults", port)

    async def add_backend(self) -> None:
        self._take("add_backend")

    async def remove_backend(self, port: int) -> None:
        self._take("remove_backend", port)

    async def set_retry_rules(self, rules: tuple[str, ...]) -> None:
        self._take("set_retry_rules", rules)

    async def repair(self) -> None:
        self._take("repair")

    async def change_weight(self, port: int, by: int) -> None:
        self._take("change_weight", port, by)

    async def toggle_down(self, port: int) -> None:
        self._take("toggle_down", port)

    async def toggle_backup(self, port: int) -> None:
        self._take("toggle_backup", port)

    async def toggle_traffic(self) -> None:
        self._take("toggle_traffic")

    async def step_rate(self, steps: int) -> None:
        self._take("step_rate", steps)

    async def fire_once(self) -> None:
        self._take("fire_once")

    def latencies(self) -> tuple[LatencySeries, ...]:
        self.latency_calls += 1
        return self.series

    async def request_detail(self, request: RequestView) -> RequestDetail:
        self.asked_about.append(request)
        if request.number not in self.details:
            raise LabError("The lab is still starting: wait a moment.")
        return self.details[request.number]

    async def compare(self, scenario: str, seconds: float) -> AsyncGenerator[Standing, None]:
        self._take("compare", scenario, seconds)
        try:
            is_over = False
            while not is_over:
                told = await self.standings.get()
                if isinstance(told, LabError):
                    raise told
                is_over = told.is_over
                yield told
        finally:
            await self.may_end_comparison.wait()
            self.closed_comparisons += 1

    async def save_comparison(self, comparison: Comparison) -> Path:
        self._take("save_comparison", comparison)
        return Path("/somewhere/lablb.html")

    def zero_counters(self) -> None:
        self._take("zero_counters")

    def _take(self, *command: object) -> None:
        self.commands.append(command)
        if self.refuses is not None:
            raise self.refuses
