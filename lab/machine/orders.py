"""How a child of the lab obeys: orders come on stdin, and its end is the child's."""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable

from lab.machine.shortage import shortage
from lab.machine.stdio import Message

LAST_WORDS_SECONDS = 1.0
"""How long a child may take to end by itself once the lab is gone."""


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
        # sys.stdin's own buffer would be locked by this thread, and a Python that ends meanwhile aborts.
        with open(sys.stdin.buffer.fileno(), "rb", closefd=False) as stdin:
            for line in stdin:
                loop.call_soon_threadsafe(handle, json.loads(line))
        loop.call_soon_threadsafe(ended.set)
        at_end()

    try:
        threading.Thread(target=read, name="orders", daemon=True).start()
    except RuntimeError as error:
        sys.exit(f"the system has no room for it {shortage(error) or error}")
    await ended.wait()
