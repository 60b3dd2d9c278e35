"""Makes a scenario that failed small: events are dropped while it still fails."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tests.differential.scenario import Scenario

Fails = Callable[[Scenario], Awaitable[Scenario | None]]
"""Plays a scenario; what of it failed, up to the event in which it did, or None."""


async def shrunk(scenario: Scenario, fails: Fails, *, seconds: float = 30.0) -> Scenario:
    """The smallest scenario found in that time that still fails: first half of the events are dropped, then less."""
    deadline = time.monotonic() + seconds
    size = len(scenario.events) // 2
    while size >= 1 and time.monotonic() < deadline:
        start = 0
        while start < len(scenario.events) and time.monotonic() < deadline:
            rest = scenario.events[:start] + scenario.events[start + size :]
            failed = await fails(replace(scenario, events=rest))
            if failed is None:
                start += size
            else:
                scenario = failed
        size //= 2
    return scenario
