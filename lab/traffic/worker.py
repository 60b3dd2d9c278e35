"""The process that fires, `python -m lab.traffic.worker SPEC`: painting and timing must not disturb each other.

SPEC is a JSON object. Orders on stdin: `go`, `pause`, `rate`, `connections`, `fire`. It tells its counts and outcomes
on stdout in batches, and `done` when the plan is at its end.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable

from lab.config import TrafficSpec
from lab.stdio import Message, emit, obey
from lab.traffic.gun import Gun
from lab.traffic.lane import HttpxLane
from lab.traffic.outcome import Outcome

BATCH_SECONDS = 0.05


class Reporter:
    """Tells the lab what has happened since the last batch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._outcomes: list[Outcome] = []
        self._sent = 0
        self._latest = 0.0

    def record(self, outcome: Outcome) -> None:
        """Keep it for the next batch."""
        self._outcomes.append(outcome)
        self._latest = self._clock()

    def flush(self, gun: Gun) -> None:
        """Tell what there is to tell."""
        if self._outcomes or gun.sent != self._sent:
            self._sent = gun.sent
            batch = [outcome.pack() for outcome in self._outcomes]
            self._outcomes.clear()
            elapsed = max(0.0, self._latest - gun.started_at) if gun.started_at is not None else 0.0
            emit({"event": "outcomes", "sent": gun.sent, "elapsed": elapsed, "outcomes": batch})


async def work(url: str, name: str, spec: TrafficSpec) -> None:
    """Fire at `url` as ordered, until the lab is gone."""
    reporter = Reporter(time.perf_counter)
    async with asyncio.TaskGroup() as tasks:
        gun = Gun(spec, name, tasks, lambda: HttpxLane(url, spec.timeout_seconds), reporter.record)

        async def report() -> None:
            while True:
                reporter.flush(gun)
                await asyncio.sleep(BATCH_SECONDS)

        async def follow_plan() -> None:
            await gun.run()
            reporter.flush(gun)
            emit({"event": "done"})

        chores = [tasks.create_task(report()), tasks.create_task(follow_plan())]
        emit({"event": "ready"})
        await obey(lambda order: steer(gun, order))
        for chore in chores:
            chore.cancel()
        gun.abort()
    await gun.close()


def steer(gun: Gun, order: Message) -> None:
    """Carry out one order."""
    match order:
        case {"order": "go"}:
            gun.resume()
        case {"order": "pause"}:
            gun.pause()
        case {"order": "rate", "rps": rps}:
            gun.rate_rps = rps
        case {"order": "connections", "connections": connections}:
            gun.connections = connections
        case {"order": "fire"}:
            gun.fire_once()


def main() -> None:
    """The command `python -m lab.traffic.worker`."""
    arguments = json.loads(sys.argv[1])
    asyncio.run(work(arguments["url"], arguments["name"], TrafficSpec(**arguments["spec"])))


if __name__ == "__main__":
    main()
