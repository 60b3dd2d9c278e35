"""The newest snapshot for whoever wants it."""

import asyncio
from contextlib import aclosing

import pytest

from lab.models import Snapshot
from lab.publisher import Publisher


async def test_a_reader_gets_the_newest_at_once_and_then_each_newer_one() -> None:
    """Nobody has to wait for the next one to see anything."""
    publisher = Publisher()
    publisher.publish(Snapshot(sequence=1))
    reader = publisher.snapshots()
    assert (await anext(reader)).sequence == 1
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    assert not waiting.done()
    publisher.publish(Snapshot(sequence=2))
    assert (await waiting).sequence == 2
    await reader.aclose()  # type: ignore[attr-defined]  # an async generator is what it is


async def test_a_slow_reader_skips_and_nothing_queues() -> None:
    """It gets the newest of all that were published meanwhile."""
    publisher = Publisher()
    async with aclosing(publisher.snapshots()) as reader:  # type: ignore[type-var]
        publisher.publish(Snapshot(sequence=1))
        await anext(reader)
        for sequence in range(2, 1000):
            publisher.publish(Snapshot(sequence=sequence))
        assert (await anext(reader)).sequence == 999


async def test_every_reader_gets_every_newest() -> None:
    """Readers don't take snapshots from each other."""
    publisher = Publisher()
    publisher.publish(Snapshot(sequence=1))

    async def read() -> list[int]:
        return [snapshot.sequence async for snapshot in publisher.snapshots()]

    readers = [asyncio.create_task(read()) for _ in range(3)]
    await asyncio.sleep(0)
    publisher.publish(Snapshot(sequence=2))
    await asyncio.sleep(0)
    publisher.close()
    assert await asyncio.gather(*readers) == [[1, 2]] * 3


async def test_closing_lets_readers_end_once_they_have_the_newest() -> None:
    """The last word isn't lost."""
    publisher = Publisher()
    publisher.publish(Snapshot(sequence=7))
    publisher.close()
    assert [snapshot.sequence async for snapshot in publisher.snapshots()] == [7]


async def test_a_failure_reaches_every_reader_after_the_newest() -> None:
    """Whoever follows a lab that broke is told what broke it."""
    publisher = Publisher()
    publisher.publish(Snapshot(sequence=7))
    publisher.close(RuntimeError("the heart stopped"))
    publisher.close()
    reader = publisher.snapshots()
    assert (await anext(reader)).sequence == 7
    with pytest.raises(RuntimeError, match="the heart stopped"):
        await anext(reader)
