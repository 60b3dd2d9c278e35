"""The process that compares on behalf of a lab that runs, `python -m lab.comparison.worker`.

Neither the lab's painting nor its failures can disturb what is timed here. One order on stdin says what to compare; how
it stands is told on stdout. At EOF it ends its lab, and itself.
"""

import asyncio
import os
import time

from lab.comparison import race
from lab.comparison.scenarios import scenario_named
from lab.comparison.standing import Standing, pack
from lab.config import LabConfig
from lab.errors import LabError
from lab.machine.orders import obey
from lab.machine.stdio import Message, emit

PARTING_SECONDS = 10.0
"""How long it may take to end its lab once nobody wants it any more; its guardian does it then."""


async def work() -> None:
    """Take the order, and compare until that is done, or nobody wants it any more."""
    comparing: list[asyncio.Task[None]] = []
    async with asyncio.TaskGroup() as tasks:
        await obey(lambda order: comparing.append(tasks.create_task(_compare(order))), at_end=_end_later)
        for task in comparing:
            task.cancel()


async def _compare(order: Message) -> None:
    plan = race.Race(
        scenario_named(order["scenario"]), order["algorithms"], seconds=order["seconds"], seed=order["seed"]
    )
    lab = LabConfig(
        port=order["port"], base_port=order["base_port"], nginx=order["nginx"], keep_root=order["keep_root"]
    )

    latest = race.Progress(1, 1, "", 0.0)

    def tell(progress: race.Progress, *, is_over: bool = False) -> None:
        nonlocal latest
        latest = progress
        comparison = plan.result(progress.done)
        standing = Standing(progress.number, progress.count, progress.title, progress.seconds_left, comparison, is_over)
        emit({"event": "standing", "standing": pack(standing)})

    try:
        await race.compare(plan, lab, tell)
    except LabError as error:
        emit({"event": "failed", "sentence": str(error)})
    else:
        tell(latest, is_over=True)


def _end_later() -> None:
    time.sleep(PARTING_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    asyncio.run(work())
