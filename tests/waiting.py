"""Bounded waits on a condition: a test says what it waits for, and learns what did not happen."""

import asyncio
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

_PAUSE_SECONDS = 0.01


async def wait_for(
    pilot: Pilot[Any], condition: Callable[[], bool], *, what: str, timeout_seconds: float = 15.0
) -> None:
    """Let the app run until the condition holds.

    Raises:
        AssertionError: it did not hold in time; the message names `what` was waited for.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_seconds
    while not condition():
        assert loop.time() < deadline, f"waited {timeout_seconds:g} s in vain for {what}"
        await pilot.pause(_PAUSE_SECONDS)
