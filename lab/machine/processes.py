"""Python children of the lab: they speak JSON lines, and end when the lab does."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Self

from lab.machine.shortage import starting
from lab.machine.stdio import Message, encode

STDERR_LINES = 20
MAX_LINE_BYTES = 1 << 24
ANSWER_SECONDS = 1.0

Listener = Callable[[dict[str, Any]], None]


def _own_group() -> dict[str, Any]:
    """Popen arguments that keep the terminal's Ctrl-C and hang-up from reaching a child: the lab ends it itself."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


class Recollections:
    """Questions put to a child about single requests, and its answers."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, asyncio.Future[dict[str, Any] | None]] = {}

    async def ask(self, key: Hashable) -> dict[str, Any] | None:
        """Wait for the answer; None when the child knows nothing, or keeps silent."""
        answer = self._asked.setdefault(key, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            return None
        finally:
            self._asked.pop(key, None)

    def answer(self, key: Hashable, witness: dict[str, Any] | None) -> None:
        """The child has answered."""
        asked = self._asked.get(key)
        if asked is not None and not asked.done():
            asked.set_result(None if witness is None else {name: _frozen(value) for name, value in witness.items()})


def _frozen(value: Any) -> Any:
    """JSON's arrays as tuples."""
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


class Child:
    """A Python module of the lab's, running as a process of its own.

    It gets orders by `send`, tells events to its listener, and ends at the EOF of its stdin, which comes when the
    lab closes it or dies.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, listener: Listener) -> None:
        self.name = name
        self.stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._process = process
        self.listener = listener
        """Who is told its events."""
        self._hearing = asyncio.create_task(self._read_stdout())
        self._hearing.add_done_callback(self._note_end_of_hearing)
        self._reading_words = asyncio.create_task(self._read_stderr())

    def __repr__(self) -> str:
        return f"<Child {self.name} pid={self.pid} returncode={self.returncode}>"

    @classmethod
    async def spawn(cls, module: str, *arguments: str, listener: Listener = lambda _: None) -> Self:
        """Start `python -m module`; `-P` keeps a folder that the lab was started in from shadowing its modules.

        Raises:
            NotReadyError: the system has no room for a further process.
        """
        with starting(f"a further process ({module})"):
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
        code = await self._process.wait()
        await asyncio.wait((self._hearing, self._reading_words))
        self.release()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # what was on its way to it is lost
            await self._process.stdin.wait_closed()
        return code

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

    def _note_end_of_hearing(self, hearing: asyncio.Task[None]) -> None:
        """A lab that doesn't hear a child any more is broken, and the event loop's exception handler has to know."""
        if not hearing.cancelled() and (failure := hearing.exception()) is not None:
            context = {"message": f"{self!r} can't be heard", "exception": failure, "child": self}
            asyncio.get_running_loop().call_exception_handler(context)

    async def _read_stdout(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.listener(json.loads(line))

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.stderr.append(line.decode(errors="replace").rstrip())
