"""The lab's side of its guardian: what it is to guard, and another guardian should it die."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from lab.errors import NotReadyError
from lab.machine.living import birth, lives
from lab.machine.processes import Child, Listener
from lab.machine.runtime import RuntimeFolder

GRACE_SECONDS = 3.0
MOST_IN_A_ROW = 5
"""So many guardians may die young, one after the other, before no other one is started."""
SETTLED_SECONDS = 10.0
"""How long one has to live to have died of something new."""


class Guard:
    """The guardian in office."""

    def __init__(self, folder: RuntimeFolder, tell: Callable[[str], None]) -> None:
        self.listener: Listener = lambda _: None
        """Who is told what becomes of nginx."""
        self._folder = folder
        self._tell = tell
        self._child: Child | None = None
        self._nginx: tuple[int, float] | None = None
        """PID and birth of the master, while it runs."""
        self._guarded: dict[int, float] = {}
        """PIDs and births of the others."""
        self._watching: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._is_stopping = False

    @property
    def pid(self) -> int | None:
        """None while there is none."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def start(self) -> None:
        """Start the first one.

        Raises:
            NotReadyError: the runtime folder can't be written, or the system has no room for a further process.
        """
        await self._spawn()
        self._watching = asyncio.create_task(self._watch())

    def start_nginx(self, argv: list[str]) -> None:
        """Have it start nginx; the listener is told what becomes of it."""
        self._send({"order": "start_nginx", "argv": argv})

    def guard(self, pid: int) -> None:
        """Have it end that process when the lab is gone."""
        self._guarded = {each: born for each, born in self._guarded.items() if lives(each, born)}
        with suppress(ProcessLookupError):
            self._guarded[pid] = birth(pid)
            self._send({"order": "guard", "pid": pid})

    async def stop(self) -> None:
        """Have it end all that it guards, and end."""
        async with self._changing:
            self._is_stopping = True
            if self._child is not None:
                await self._child.stop(GRACE_SECONDS)
        if self._watching is not None:
            await self._watching

    async def _spawn(self) -> None:
        self._child = await Child.spawn("lab.machine.guardian", str(self._folder.path), listener=self._hear)
        self._folder.record_owners(os.getpid(), self._child.pid)

    async def _watch(self) -> None:
        young_deaths = 0
        while self._child is not None:
            began = asyncio.get_running_loop().time()
            code = await self._child.wait()
            async with self._changing:
                if self._is_stopping:
                    return
                is_young = asyncio.get_running_loop().time() - began < SETTLED_SECONDS
                young_deaths = young_deaths + 1 if is_young else 1
                if young_deaths > MOST_IN_A_ROW:
                    self._tell("No guardian lives long here: should the lab be killed, nginx would stay behind.")
                    return
                await self._replace(self._child.pid, code)

    async def _replace(self, dead_pid: int, code: int) -> None:
        death = f"The guardian (PID {dead_pid}) has {how_it_ended(code)}"
        try:
            await self._spawn()
        except OSError as error:
            self._tell(f"{death}, and another one doesn't start ({error.strerror}): quit and start the lab again.")
            return
        except NotReadyError as error:
            if self.pid is None:
                self._tell(f"{death}, and there is no other one: quit and start the lab again. {error}")
                return
            self._tell(str(error))
        if self._nginx is not None:
            pid, born = self._nginx
            self._send({"order": "adopt", "pid": pid, "born": born})
        for pid, born in self._guarded.items():
            if lives(pid, born):
                self._send({"order": "guard", "pid": pid})
        self._tell(f"{death}: another one (PID {self.pid}) has taken over nginx and the backends.")

    def _send(self, order: Mapping[str, Any]) -> None:
        if self._child is not None:
            self._child.send(order)

    def _hear(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "nginx_started", "pid": pid}:
                with suppress(ProcessLookupError):
                    self._nginx = pid, birth(pid)
            case {"event": "nginx_exited", "pid": pid} if self._nginx is not None and pid == self._nginx[0]:
                self._nginx = None
        self.listener(event)


def how_it_ended(code: int | None) -> str:
    """What the exit code of a process says, as far as there is one."""
    if code is None:
        return "died"
    return f"died (signal {-code})" if code < 0 else f"ended (code {code})"
