"""What a lab is told and asked, passed on to the part of it that knows how."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lab.config import LabConfig
from lab.control import Lab

if TYPE_CHECKING:
    from lab.comparison.result import Comparison
    from lab.comparison.standing import Standing
    from lab.counts.latency import LatencySeries
    from lab.faults.fault import Fault
    from lab.parts import Parts
    from lab.witnesses import RequestDetail, RequestView


class Commands(Lab):
    """The commands of a lab that runs; `Lab` says what they do."""

    config: LabConfig

    @property
    @abstractmethod
    def parts(self) -> "Parts":
        """The parts of a lab that has started.

        Raises:
            LabError: it hasn't.
        """

    async def use_algorithm(self, name: str) -> None:
        await self.parts.balancer.use_algorithm(name)

    async def kill_backend(self, port: int) -> None:
        await self.parts.fleet[port].kill()

    async def restart_backend(self, port: int) -> None:
        await self.parts.fleet[port].restart()

    async def toggle_freeze(self, port: int) -> None:
        await self.parts.fleet[port].toggle_freeze()

    async def slow_backend(self, port: int) -> None:
        await self.parts.fleet[port].slow_down(below_ms=self.config.read_timeout_ms)

    async def inject(self, port: int, fault: "Fault") -> None:
        await self.parts.fleet[port].inject(fault)

    async def undo_faults(self, port: int) -> None:
        await self.parts.fleet[port].undo()

    async def add_backend(self) -> None:
        await self.parts.add_backend()

    async def remove_backend(self, port: int) -> None:
        await self.parts.remove_backend(port)

    async def set_retry_rules(self, rules: tuple[str, ...]) -> None:
        await self.parts.balancer.set_retry_rules(rules)

    async def repair(self) -> None:
        await self.parts.caretaker.repair()

    async def change_weight(self, port: int, by: int) -> None:
        await self.parts.balancer.change_weight(port, by)

    async def toggle_down(self, port: int) -> None:
        await self.parts.balancer.toggle_down(port)

    async def toggle_backup(self, port: int) -> None:
        await self.parts.balancer.toggle_backup(port)

    async def toggle_traffic(self) -> None:
        driver = self.parts.driver
        if driver.is_paused:
            driver.resume()
        else:
            driver.pause()

    async def step_rate(self, steps: int) -> None:
        self.parts.driver.step(steps)

    async def fire_once(self) -> None:
        self.parts.driver.fire_once()

    def latencies(self) -> "tuple[LatencySeries, ...]":
        parts = self.parts
        return parts.observer.tally.series([backend.port for backend in parts.fleet])

    async def request_detail(self, request: "RequestView") -> "RequestDetail":
        return await self.parts.request_detail(request)

    async def compare(self, scenario: str, seconds: float) -> "AsyncGenerator[Standing, None]":
        async with aclosing(self.parts.compare(scenario, seconds)) as standings:
            async for standing in standings:
                yield standing

    async def save_comparison(self, comparison: "Comparison") -> Path:
        from lab.comparison.saving import save  # noqa: PLC0415 - only who keeps one needs it

        return await asyncio.to_thread(save, comparison, Path.cwd(), datetime.now().astimezone())

    def zero_counters(self) -> None:
        self.parts.observer.zero()
