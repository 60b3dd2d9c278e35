"""A comparison beside a lab that runs: in a process and a lab of its own, while this lab's client pauses."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from lab.comparison.standing import Standing, unpack
from lab.config import LabConfig
from lab.errors import LabError
from lab.machine.processes import Child
from lab.traffic.driver import TrafficDriver

DEFAULT_ALGORITHMS = ("round_robin", "least_conn", "random", "random_two")
SEED = 1
"""As `lablb compare` has it unless told otherwise, so that both replay the same traffic."""
PARTING_SECONDS = 8.0
"""How long the process may take to end its lab."""


class Contest:
    """One comparison at a time."""

    def __init__(self, config: LabConfig, driver: TrafficDriver) -> None:
        self._lab = {"nginx": config.nginx, "keep_root": config.keep_root}
        self._driver = driver
        self._child: Child | None = None
        self._is_stopping = False

    async def run(
        self, scenario: str, seconds: float, algorithms: Sequence[str], port: int
    ) -> AsyncGenerator[Standing, None]:
        """Tell how it stands until it is over; closing this ends what runs, and the client goes on as before.

        Args:
            scenario: Its name.
            seconds: How long each run takes.
            algorithms: Their names; the first one runs twice.
            port: The first of a row that is free: nginx's, then the backends'.

        Raises:
            LabError: it couldn't start, or broke, or there is another one.
        """
        if self._child is not None:
            raise LabError("A comparison is under way already: wait until it is over.")
        order = {"scenario": scenario, "seconds": seconds, "algorithms": list(algorithms)}
        order |= {"port": port, "base_port": port + 1}
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        child = self._child = await Child.spawn("lab.comparison.worker", listener=told.put_nowait)
        ending = asyncio.create_task(child.wait())
        ending.add_done_callback(lambda _: told.put_nowait({"event": "ended"}))
        is_ours_to_resume = self._driver.pid is not None and not self._driver.is_paused
        try:
            self._driver.on_start(child.pid)  # the guardian has to know of it, as of the client
            if is_ours_to_resume:
                self._driver.pause()
            child.send({"order": "compare", "seed": SEED, **order, **self._lab})
            while not (standing := _standing(await told.get(), child)).is_over:
                yield standing
            yield standing
        finally:
            await child.stop(PARTING_SECONDS)
            self._child = None
            if is_ours_to_resume and not self._is_stopping and self._driver.pid is not None:
                self._driver.resume()

    async def stop(self) -> None:
        """End what runs."""
        self._is_stopping = True
        if self._child is not None:
            await self._child.stop(PARTING_SECONDS)


def _standing(event: dict[str, Any], child: Child) -> Standing:
    match event:
        case {"event": "standing", "standing": fields}:
            return unpack(fields)
        case {"event": "failed", "sentence": sentence}:
            raise LabError(sentence)
        case _:
            words = " ".join(child.stderr)[-300:] or "no reason given"
            raise LabError(f"The comparison ended before its time: {words}")
