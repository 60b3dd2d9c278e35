"""The backends: starts them side by side, kills, freezes, slows and restarts them, and knows what became of each."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from lab.config import Behaviour
from lab.errors import LabError, NotReadyError
from lab.models import BackendState
from lab.processes import Child, Recollections
from lab.scoreboard import Scoreboard
from lab.witnesses import BackendWitness

READY_SECONDS = 15.0
SLOW_STEPS_MS = (20.0, 100.0, 300.0, 1000.0, 3000.0)
RESTART_TRIES = 5
RESTART_BACKOFF_SECONDS = 0.5
"""Before the first automatic restart; doubled for each further one."""
SETTLED_SECONDS = 10.0
"""How long a revived backend has to live to count as well again."""

PidListener = Callable[[int], None]


class Backend:
    """One port of the fleet, and the processes that serve it one after the other."""

    def __init__(
        self,
        port: int,
        folder: Path,
        behaviour: Behaviour,
        *,
        on_start: PidListener,
        on_end: "Callable[[Backend], None]",
    ) -> None:
        self.port = port
        self._score_file = folder / f"scores-{port}"
        self._scores = Scoreboard(self._score_file)
        self.state = BackendState.STARTING
        self.note: str | None = None
        self.behaviour = behaviour
        self._first_behaviour = behaviour
        self._on_start = on_start
        self._on_end = on_end
        self._child: Child | None = None
        self.end: asyncio.Task[None]
        """Done when the current process has ended; set by `spawn`."""
        self._ready = asyncio.Event()
        self._served_before = 0
        self.in_doubt = 0
        """Answers in the middle of which a process was killed: it can't be known from it whether they were sent."""
        self._recollections = Recollections()

    @property
    def pid(self) -> int | None:
        """None unless a process runs."""
        return self._child.pid if self._child is not None and self.state.is_alive else None

    @property
    def served(self) -> int:
        """What all its processes say they answered, together."""
        return self._served_before + self._scores.served

    @property
    def in_flight(self) -> int | None:
        """None unless a process runs."""
        return self._scores.in_flight if self.state.is_alive else None

    @property
    def is_slowed(self) -> bool:
        return self.behaviour.service_time_ms > self._first_behaviour.service_time_ms

    async def start(self) -> None:
        """Start a process and wait until it listens; raises what `wait_until_ready` does."""
        await self.spawn()
        await self.wait_until_ready()

    async def spawn(self) -> None:
        """Start a process."""
        self.state, self.note = BackendState.STARTING, None
        self._served_before = self.served
        self._scores.clear()
        ready = self._ready = asyncio.Event()

        def hear(event: dict[str, Any]) -> None:
            match event:
                case {"event": "ready"}:
                    ready.set()
                case {"event": "recalled", "key": key, "witness": witness}:
                    self._recollections.answer(key, witness)

        child = self._child = await Child.spawn(
            "lab.backend", str(self.port), "--lab", "--scoreboard", str(self._score_file), listener=hear
        )
        self._on_start(child.pid)
        self._send_behaviour()
        self.end = asyncio.create_task(self._see_end(child))

    async def wait_until_ready(self) -> None:
        """Return once its process listens.

        Raises:
            NotReadyError: it ended before it did, or took too long; the sentence has its last words.
        """
        child = self._child
        assert child is not None
        is_ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait((self.end, is_ready), timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        is_ready.cancel()
        if not self._ready.is_set():
            await child.stop(grace_seconds=0)
            words = " ".join(child.stderr) or "it said nothing"
            raise NotReadyError(f"The backend on port {self.port} didn't start: {words}")
        self.state = BackendState.UP

    async def kill(self) -> None:
        """SIGKILL it, and return when it is gone."""
        child = self._living()
        self.state, self.note = BackendState.KILLED, "killed with SIGKILL"
        child.kill()
        await self.end

    async def stop(self) -> None:
        """End it, however it fares."""
        if self._child is None:
            return
        if self.state is BackendState.FROZEN:
            self._child.kill()
        await self._child.stop()
        await self.end

    async def close(self) -> None:
        """End it for good."""
        await self.stop()
        self._scores.close()

    def toggle_freeze(self) -> None:
        """SIGSTOP it, so that it keeps its port and its connections and answers nothing; or SIGCONT it."""
        child = self._living()
        is_frozen = self.state is BackendState.FROZEN
        try:
            process = psutil.Process(child.pid)
            if is_frozen:
                process.resume()
            else:
                process.suspend()
        except psutil.NoSuchProcess:  # it has just died, and that isn't noticed yet
            raise self._not_running() from None
        if is_frozen:
            self.state, self.note = BackendState.UP, None
        else:
            self.state, self.note = BackendState.FROZEN, "frozen with SIGSTOP: accepts, never answers"

    def slow_down(self) -> None:
        """Give it the next longer service time, and after the longest its own again."""
        longer = (step for step in SLOW_STEPS_MS if step > self.behaviour.service_time_ms)
        service_time_ms = next(longer, self._first_behaviour.service_time_ms)
        self.behaviour = replace(self.behaviour, service_time_ms=service_time_ms)
        self._living()
        self._send_behaviour()

    async def recall(self, request_id: str) -> BackendWitness | None:
        """What its process saw of a request; None if it has forgotten, is another one by now, or can't say."""
        if self._child is None or self.state is not BackendState.UP:
            return None
        self._child.send({"order": "recall", "id": request_id})
        witness = await self._recollections.ask(request_id)
        return None if witness is None else BackendWitness(**witness)

    def _living(self) -> Child:
        if self._child is None or not self.state.is_alive:
            raise self._not_running()
        return self._child

    def _not_running(self) -> LabError:
        return LabError(f"The backend on port {self.port} isn't running: restart it first.")

    def _send_behaviour(self) -> None:
        if self._child is not None:
            order = {"service_time_ms": self.behaviour.service_time_ms, "capacity": self.behaviour.capacity}
            self._child.send({"order": "behave", **order})

    async def _see_end(self, child: Child) -> None:
        code = await child.wait()
        if child is not self._child:
            return
        self.in_doubt += self._scores.begun - self._scores.served
        if self.state is not BackendState.KILLED:
            self.state = BackendState.EXITED
            self.note = ": ".join([_how_it_ended(code), *list(child.stderr)[-1:]])
        self._on_end(self)


class Fleet:
    """All backends of a lab, by port."""

    def __init__(
        self,
        ports: Sequence[int],
        folder: Path,
        behaviour: Behaviour,
        *,
        on_start: PidListener,
        is_reviving: bool = False,
    ) -> None:
        self._backends = {
            port: Backend(port, folder, behaviour, on_start=on_start, on_end=self._consider_reviving) for port in ports
        }
        self._restarting = {port: asyncio.Lock() for port in ports}
        self._is_reviving = is_reviving
        self._revivals: dict[int, asyncio.Task[None]] = {}

    def __iter__(self) -> Iterator[Backend]:
        return iter(self._backends.values())

    def __getitem__(self, port: int) -> Backend:
        try:
            return self._backends[port]
        except KeyError:
            raise LabError(f"There is no backend on port {port}.") from None

    def pid_of(self, port: int) -> int | None:
        """Of the process that serves the port; None if none does."""
        backend = self._backends.get(port)
        return None if backend is None else backend.pid

    async def spawn(self) -> None:
        """Start the processes of all."""
        await asyncio.gather(*(backend.spawn() for backend in self))

    async def wait_until_ready(self) -> None:
        """Return once all of them listen.

        Raises:
            NotReadyError: one didn't start.
        """
        await asyncio.gather(*(backend.wait_until_ready() for backend in self))

    async def restart(self, port: int) -> None:
        """Give the port a new process, whatever became of the old one."""
        backend = self[port]
        async with self._restarting[port]:
            await backend.stop()
            await backend.start()

    async def stop(self) -> None:
        """End all of them."""
        self._is_reviving = False
        for revival in self._revivals.values():
            revival.cancel()
        await asyncio.gather(*(backend.close() for backend in self))

    def _consider_reviving(self, backend: Backend) -> None:
        revival = self._revivals.get(backend.port)
        if self._is_reviving and (revival is None or revival.done()):
            self._revivals[backend.port] = asyncio.create_task(self._revive(backend))

    async def _revive(self, backend: Backend) -> None:
        """Bring a dead backend back, and leave one alone that keeps dying."""
        for attempt in range(RESTART_TRIES):
            await asyncio.sleep(RESTART_BACKOFF_SECONDS * 2**attempt)
            if backend.state.is_alive:
                return
            with contextlib.suppress(NotReadyError):
                await backend.start()
            await asyncio.wait((backend.end,), timeout=SETTLED_SECONDS)
            if backend.state.is_alive:
                return
        backend.note = f"left alone after {RESTART_TRIES} restarts; {backend.note}"


def _how_it_ended(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
