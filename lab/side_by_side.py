"""Doing several things at once, as one thing that succeeds or fails, or until the first of them does."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any


async def side_by_side(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all at once; when one fails, end the others and raise its own exception rather than a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for coroutine in coroutines:
                tasks.create_task(coroutine)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def first_of(*awaitables: Awaitable[object]) -> None:
    """Wait until the first has succeeded or failed; end the others, and raise its exception if it failed."""
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()
