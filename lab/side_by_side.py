"""Doing several things at once, as one thing that succeeds or fails."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def side_by_side(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all at once; when one fails, end the others and raise its own exception rather than a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for coroutine in coroutines:
                tasks.create_task(coroutine)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
