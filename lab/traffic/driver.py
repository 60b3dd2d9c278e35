"""The lab's remote control of the process that fires, and another such process should it die."""

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from lab.errors import LabError
from lab.machine.guard import how_it_ended
from lab.machine.limits import most_connections
from lab.machine.processes import Child, Recollections
from lab.side_by_side import first_of
from lab.states import LoopKind
from lab.traffic.outcome import Outcome, unpack
from lab.traffic.plan import TrafficSpec
from lab.witnesses import ClientWitness

RATE_STEPS_RPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
CONNECTION_STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
READY_SECONDS = 15.0
WINDING_UP_SECONDS = 6.0
"""How long an interrupted run waits for what is under way; a little more than the client's patience, unless that was
asked to be longer."""
GIVING_UP_SECONDS = 2.0
NUMBERS_OF_ONE = 1 << 32
"""So many numbers are each worker's own: one that follows a dead one can't know which that has used."""


@dataclass(frozen=True, slots=True)
class WorkerDeath:
    """A worker that ended before its time."""

    pid: int
    code: int
    last_words: str
    lost: int
    """Requests under way, as far as it had told of them."""
    is_by_lab: bool
    """The lab ended it: it heard nothing any more."""
    numbers_end: int
    """All its requests' numbers are up to this one, and all of the next worker's above it."""


class TrafficDriver:
    """Starts the traffic worker, steers it, and hands its outcomes on."""

    def __init__(
        self,
        spec: TrafficSpec,
        shot_name: str,
        record: Callable[[Sequence[Outcome]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_death: Callable[[WorkerDeath], None] = lambda _: None
        """Is told of a worker that ended before its time."""
        self.on_start: Callable[[int], None] = lambda _: None
        """Is told the PID of each worker."""
        self.in_flight = 0
        self.finished = 0
        self.elapsed_seconds = 0.0
        """From the first `resume` to the latest outcome, by the worker's clock."""
        self.has_begun = asyncio.Event()
        """It was told to fire for the first time: within a millisecond, the first request falls due."""
        self.is_paused = True
        self.connections = spec.connections or 1
        self._spec = spec
        """Of the next worker, with what was stepped meanwhile."""
        self._clock = clock
        self._fires_since: float | None = None
        """When the current worker was first told to fire."""
        self._shot_name = shot_name
        self._record = record
        self._recollections = Recollections()
        self._ready = asyncio.Event()
        self._done = asyncio.Event()
        self._child: Child | None = None
        self._port = 0
        self._numbered_after = 0
        self._end: asyncio.Task[None] | None = None
        """Done when the current worker's end is accounted for."""
        self._is_stopping = False
        self._is_deaf = False
        """The current worker doesn't do what it is told to."""

    @property
    def loop(self) -> LoopKind:
        return LoopKind.CLOSED if self._spec.rate_rps is None else LoopKind.OPEN

    @property
    def rate_rps(self) -> float | None:
        """What an open loop's rate is to be at this moment: a ramp's changes; None for a closed loop."""
        ramp = self._spec.ramp
        if ramp is None:
            return self._spec.rate_rps
        return ramp.rate_rps(0.0 if self._fires_since is None else self._clock() - self._fires_since)

    @property
    def pid(self) -> int | None:
        """None while it doesn't run."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    @property
    def is_dead(self) -> bool:
        """Whether the worker has ended before its time."""
        return self._child is not None and self.pid is None and not self._is_stopping

    @property
    def is_done(self) -> bool:
        """Whether the plan is at its end and all outcomes are in."""
        return self._done.is_set()

    async def start(self, port: int) -> None:
        """Start the worker, paused.

        Raises:
            LabError: it ended, or took too long.
        """
        self._port = port
        self._ready.clear()
        self._done.clear()
        self._is_deaf = False
        child = self._child = await Child.spawn("lab.traffic.worker", listener=self._hear)
        self._end = asyncio.create_task(self._see_end(child))
        self.on_start(child.pid)
        plan = {"port": port, "name": self._shot_name, "spec": asdict(self._spec)}
        # By a pipe: everybody can read a command line, and it has a limit.
        child.send({"order": "plan", **plan, "numbered_after": self._numbered_after})
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                await first_of(self._ready.wait(), child.wait())
        if not self._ready.is_set():
            child.kill()
            words = " ".join(child.stderr) or "it said nothing"
            raise LabError(f"The traffic worker didn't start: {words}")

    async def restart(self) -> None:
        """Start another worker in place of one that has died: the same plan from its beginning, the rate as it was set.

        Raises:
            LabError: it ended, or took too long.
        """
        if self.pid is not None or self._end is None:
            return
        await self._end
        if self.loop is LoopKind.CLOSED:
            self._spec = replace(self._spec, connections=self.connections)
        self._fires_since = None
        await self.start(self._port)
        if not self.is_paused:
            self._go()

    async def finish(self) -> None:
        """Wait until the plan is at its end and all outcomes are in.

        Raises:
            LabError: the worker ended before.
        """
        assert self._child is not None
        await first_of(self._child.wait(), self._done.wait())
        if not self._done.is_set():
            words = " ".join(self._child.stderr) or how_it_ended(await self._child.wait())
            raise LabError(f"The lab's client ended before its time: {words}.")

    async def recall(self, number: int) -> ClientWitness | None:
        """What the client saw of its request of that number; None if it has forgotten, has died, or can't say."""
        if self.pid is None:
            return None
        self._send("recall", number=number)
        witness = await self._recollections.ask(number)
        return None if witness is None else ClientWitness(**witness)

    def resume(self) -> None:
        """Let it fire; one that has died is told so as soon as it runs again."""
        self.is_paused = False
        self._go()
        self.has_begun.set()

    def _go(self) -> None:
        self._send("go")
        if self._fires_since is None:
            self._fires_since = self._clock()

    def pause(self) -> None:
        self._send("pause")
        self.is_paused = True

    async def wind_up(self) -> None:
        """Fire nothing more, and wait for what is under way, though not for long: what has no outcome then, failed.

        Raises:
            LabError: the worker ended meanwhile.
        """
        self._send("wind_up")
        self.is_paused = True
        if await self._finishes_within(WINDING_UP_SECONDS):
            return
        self._send("give_up")
        if not await self._finishes_within(GIVING_UP_SECONDS) and self._child is not None and self._end is not None:
            self._is_deaf = True
            self._child.kill()
            await self._end

    async def _finishes_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.finish()
        return self.is_done

    def fire_once(self) -> None:
        self._send("fire")

    def step(self, steps: int) -> None:
        """Go so many steps up, or down: in an open loop's rate, whose ramp ends then, or a closed one's connections."""
        if (now_rps := self.rate_rps) is not None:
            rate_rps = _stepped(RATE_STEPS_RPS, now_rps, steps)
            self._send("rate", rps=rate_rps)
            self._spec = replace(self._spec, rate_rps=rate_rps, ramp=None)
        else:
            stepped = round(_stepped(CONNECTION_STEPS, self.connections, steps))
            self.connections = min(stepped, max(self.connections, most_connections()))
            self._send("connections", connections=self.connections)

    async def stop(self) -> None:
        self._is_stopping = True
        if self._child is not None:
            await self._child.stop()
        if self._end is not None:
            await self._end

    async def _see_end(self, child: Child) -> None:
        """All that it told is heard when this goes on; what it hadn't told of, nobody can tell any more."""
        code = await child.wait()
        if self._is_stopping:
            return
        lost, self.in_flight, self.finished = self.in_flight, 0, 0
        self._numbered_after += NUMBERS_OF_ONE
        words = " ".join(child.stderr)[-200:]
        self.on_death(WorkerDeath(child.pid, code, words, lost, self._is_deaf, self._numbered_after))

    def _send(self, order: str, **values: float) -> None:
        if self.pid is None or self._child is None:
            raise LabError("The lab's client has ended: R starts it again.")
        self._child.send({"order": order, **values})

    def _hear(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "ready"}:
                self._ready.set()
            case {"event": "outcomes", "sent": sent, "elapsed": elapsed, "outcomes": outcomes}:
                self.elapsed_seconds = elapsed
                told = unpack(outcomes)
                self.finished += len(told)
                self.in_flight = sent - self.finished
                self._record(told)
            case {"event": "recalled", "key": key, "witness": witness}:
                self._recollections.answer(key, witness)
            case {"event": "done"}:
                self._done.set()


def _stepped(ladder: Sequence[float], value: float, steps: int) -> float:
    """So many rungs above (or below) where `value` stands, or between, on the ladder."""
    if steps > 0:
        rung = min(bisect_right(ladder, value) - 1 + steps, len(ladder) - 1)
        return max(ladder[rung], value)
    rung = max(bisect_left(ladder, value) + steps, 0)
    return min(ladder[rung], value)
