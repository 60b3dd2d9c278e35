"""JSON lines between the lab and its Python children: orders on stdin, events on stdout, the end at EOF."""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

Message = Mapping[str, Any]

LAST_WORDS_SECONDS = 1.0
"""How long a child may take to end by itself once the lab is gone."""


def encode(message: Message) -> bytes:
    """One message as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def emit(message: Message) -> None:
    """Tell the lab something. A lab that is gone hears nothing, and stdin's EOF ends this process."""
    try:
        sys.stdout.buffer.write(encode(message))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - so that exit flushes quietly


def end_soon() -> None:
    """End this process in a moment, whatever it is doing then."""
    time.sleep(LAST_WORDS_SECONDS)
    os._exit(1)


async def obey(handle: Callable[[Message], None], at_end: Callable[[], None] = end_soon) -> None:
    """Handle each order in the event loop; return at EOF, which is how a child learns that the lab is gone.

    A thread reads, since an event loop can't wait for stdin on every system. After EOF it sees to it that the process
    ends even if it hangs: a child never outlives the lab.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read() -> None:
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(handle, json.loads(line))
        loop.call_soon_threadsafe(ended.set)
        at_end()

    threading.Thread(target=read, name="orders", daemon=True).start()
    await ended.wait()
