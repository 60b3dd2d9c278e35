"""Several things at once that succeed or fail as one."""

import asyncio

import pytest

from lab.side_by_side import first_of, side_by_side


async def test_all_run_at_the_same_time() -> None:
    """Each may wait for another one."""
    first, second = asyncio.Event(), asyncio.Event()

    async def one() -> None:
        first.set()
        await second.wait()

    async def other() -> None:
        await first.wait()
        second.set()

    async with asyncio.timeout(5):
        await side_by_side(one(), other())


async def test_a_failure_ends_the_others_and_is_raised_itself() -> None:
    """Not wrapped in a group, so that whoever called can catch it by its kind."""
    is_ended = False

    async def endless() -> None:
        nonlocal is_ended
        try:
            await asyncio.Event().wait()
        finally:
            is_ended = True

    async def failing() -> None:
        await asyncio.sleep(0)
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await side_by_side(endless(), failing())
    assert is_ended


async def test_the_first_of_several_ends_the_others() -> None:
    """Its success is theirs, and its failure is raised."""
    endless = [asyncio.create_task(asyncio.Event().wait()) for _ in range(2)]
    await first_of(endless[0], asyncio.sleep(0))
    with pytest.raises(LookupError, match="gone"):
        await first_of(endless[1], _gone())
    await asyncio.wait(endless)
    assert [task.cancelled() for task in endless] == [True, True]


async def _gone() -> None:
    raise LookupError("gone")
