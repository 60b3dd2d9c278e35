"""The process that fires, `python -m lab.traffic.worker`: painting and timing must not disturb each other.

Orders on stdin: first the `plan`, then `go`, `pause`, `wind_up`, `give_up`, `rate`, `connections`, `fire`, `recall`. It
tells its counts and outcomes on stdout in batches, and `done` when the plan is at its end.
"""

import asyncio
import os
import sys
import time
from dataclasses import replace
from typing import Any

from lab.machine.event_loop import run
from lab.machine.limits import most_connections
from lab.machine.orders import obey
from lab.machine.shortage import shortage
from lab.machine.stdio import Message, emit
from lab.traffic.gun import MOST_OPEN_LOOP_LANES, Gun
from lab.traffic.lane import Lane
from lab.traffic.outcome import Shot, pack
from lab.traffic.plan import Arrivals, Ramp, RequestSpec, TrafficSpec
from lab.traffic.request import aim

BATCH_SECONDS = 0.1
SHOWN_BODY_BYTES = 1000


class Reporter:
    """Tells the lab what has happened since the last batch."""

    def __init__(self) -> None:
        self._shots: list[Shot] = []
        self._sent = 0
        self.record = self._shots.append
        """Keeps a shot for the next batch."""

    def flush(self, gun: Gun) -> None:
        """Tell what there is to tell."""
        if self._shots or gun.sent != self._sent:
            self._sent = gun.sent
            outcomes = pack(self._shots)
            self._shots.clear()
            emit({"event": "outcomes", "sent": gun.sent, "elapsed": gun.elapsed_seconds, "outcomes": outcomes})


async def work() -> None:
    """Take the plan, then fire as ordered, until the lab is gone."""
    reporter = Reporter()
    gun: Gun | None = None
    reporting: asyncio.Task[None] | None = None

    async def report(gun: Gun) -> None:
        is_done = False
        while not is_done:
            await asyncio.sleep(BATCH_SECONDS)
            is_done = gun.is_done.is_set()
            reporter.flush(gun)
        emit({"event": "done"})
        while True:  # single shots may follow
            await asyncio.sleep(BATCH_SECONDS)
            reporter.flush(gun)

    def handle(order: Message) -> None:
        nonlocal gun, reporting
        match order:
            case {"order": "plan", "port": port, "name": name, "spec": spec, "numbered_after": numbered_after}:
                plan = within_limits(unpack_spec(spec))
                target = aim(port, name, plan.request)
                gun = Gun(plan, lambda owner: Lane(target, owner), reporter.record, numbered_after=numbered_after)
                reporting = tasks.create_task(report(gun))
                emit({"event": "ready"})
            case _:
                assert gun is not None
                steer(gun, order)

    asyncio.get_running_loop().set_exception_handler(crash)
    async with asyncio.TaskGroup() as tasks:
        await obey(handle)
        if gun is not None and reporting is not None:
            reporting.cancel()
            gun.close()


def crash(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """End loudly at a bug: a callback's exception would otherwise leave its request without an outcome."""
    failure = context.get("exception")
    if isinstance(failure, OSError | RuntimeError) and (lack := shortage(failure)) is not None:
        print(f"the system has no room for it {lack}", file=sys.stderr, flush=True)
    else:
        loop.default_exception_handler(context)
    os._exit(1)


def steer(gun: Gun, order: Message) -> None:
    """Carry out one order."""
    match order:
        case {"order": "go"}:
            gun.resume()
        case {"order": "pause"}:
            gun.pause()
        case {"order": "wind_up"}:
            gun.wind_up()
        case {"order": "give_up"}:
            gun.give_up()
        case {"order": "rate", "rps": rps}:
            gun.set_rate(rps)
        case {"order": "connections", "connections": connections}:
            gun.set_connections(connections)
        case {"order": "fire"}:
            gun.fire_once()
        case {"order": "recall", "number": number}:
            emit(recall(gun, number))


def recall(gun: Gun, number: int) -> Message:
    """What the client saw of a request, as `ClientWitness` has it."""
    shot = gun.recall(number)
    if shot is None:
        return {"event": "recalled", "key": number, "witness": None}
    epoch = time.time() - time.perf_counter()
    head, _, body = shot.response.partition(b"\r\n\r\n")
    fields = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    witness = {
        "due": shot.due + epoch,
        "sent": shot.sent + epoch,
        "first_byte": None if shot.first_byte is None else shot.first_byte + epoch,
        "done": shot.done + epoch,
        "status": shot.fate.status,
        "error": shot.fate.error,
        "headers": [(name.decode("latin-1"), value.strip().decode("latin-1")) for name, _, value in fields],
        "body": body[:SHOWN_BODY_BYTES].decode("utf-8", "replace"),
        "is_resent": shot.fate.is_resent,
    }
    return {"event": "recalled", "key": number, "witness": witness}


def unpack_spec(fields: dict[str, Any]) -> TrafficSpec:
    """The plan as `dataclasses.asdict` packed it, back from JSON."""
    request, ramp = fields["request"], fields["ramp"]
    request["paths"] = tuple(request["paths"])
    request["headers"] = tuple((name, value) for name, value in request["headers"])
    fields["request"] = RequestSpec(**request)
    fields["ramp"] = Ramp(**ramp) if ramp else None
    fields["arrivals"] = Arrivals(fields["arrivals"])
    return TrafficSpec(**fields)


def within_limits(plan: TrafficSpec) -> TrafficSpec:
    """An open loop that nobody gave a number of connections takes no more of them than the system allows."""
    if plan.rate_rps is None or plan.connections is not None:
        return plan
    return replace(plan, connections=max(min(MOST_OPEN_LOOP_LANES, most_connections()), 1))


def main() -> None:
    """The command `python -m lab.traffic.worker`."""
    run(work())


if __name__ == "__main__":
    main()
