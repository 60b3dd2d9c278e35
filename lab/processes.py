"""Python children of the lab: they speak JSON lines, and end when the lab does."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from lab.stdio import Message, encode

STDERR_LINES = 20
MAX_LINE_BYTES = 1 << 24

Listener = Callable[[dict[str, Any]], None]


def _own_group() -> dict[str, Any]:
    """Popen arguments that keep the terminal's Ctrl-C and hang-up from reaching a child: the lab ends it itself."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


class Child:
    """A Python module of the lab's, running as a process of its own.

    It gets orders by `send`, tells events to its listener, and ends at the EOF of its stdin, which comes when the
    lab closes it or dies.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, listener: Listener) -> None:
        self.name = name
        self.stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._process = process
        self._listener = listener
        self._readers = asyncio.gather(self._read_stdout(), self._read_stderr())

    def __repr__(self) -> str:
        return f"<Child {self.name} pid={self.pid} returncode={self.returncode}>"

    @classmethod
    async def spawn(cls, module: str, *arguments: str, listener: Listener) -> Self:
        """Start `python -m module`; `-P` keeps a folder that the lab was started in from shadowing its modules."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            module,
            *arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            limit=MAX_LINE_BYTES,
            **_own_group(),
        )
        return cls(" ".join((module, *arguments)), process, listener)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    def send(self, order: Message) -> None:
        """Give an order; one to a dead child is dropped, as its end is told by `wait`."""
        stdin = self._process.stdin
        assert stdin is not None
        if self.returncode is None and not stdin.is_closing():
            stdin.write(encode(order))

    async def wait(self) -> int:
        """Its exit code, once it has ended and its last words are read."""
        await self._process.wait()
        await self._readers
        return await self._process.wait()

    def kill(self) -> None:
        """SIGKILL it, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def release(self) -> None:
        """Close its stdin, which tells it to end."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.close()

    async def stop(self, grace_seconds: float = 2.0) -> None:
        """End it: ask, then kill, and always reap."""
        self.release()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        await self.wait()

    async def _read_stdout(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._listener(json.loads(line))

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.stderr.append(line.decode(errors="replace").rstrip())
