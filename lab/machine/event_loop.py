"""How the lab's busy processes run: on the faster event loop where there is one, and seldom looking for garbage."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import TypeVar

T = TypeVar("T")

GARBAGE_THRESHOLD = 20_000
"""Objects more than were freed. Python's own 700 come together several times in each second of painting or firing."""


def run(main: Coroutine[object, object, T]) -> T:
    """`asyncio.run` on uvloop, which Windows hasn't.

    What is imported by now stays, so that the garbage collector needn't look at it over and over.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
