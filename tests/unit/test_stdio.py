"""JSON lines between the lab and its children."""

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.machine.orders import obey
from lab.machine.stdio import Message, emit, encode

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


@given(message=st.dictionaries(st.text(), json_values, max_size=5))
def test_a_message_is_one_line_whatever_is_in_it(message: dict[str, object]) -> None:
    """Line breaks inside are escaped, so that a reader never takes one message for two."""
    line = encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line) == message


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.BufferedWriter]:
    """The lab's end of this process's stdin."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as stdin, os.fdopen(write_end, "wb") as lab:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stdin))
        yield lab


async def test_orders_are_obeyed_in_their_order_until_the_lab_is_gone(orders: io.BufferedWriter) -> None:
    """obey returns at EOF, after the last order."""
    heard: list[Message] = []
    orders.write(b"".join(encode({"order": "fire", "number": number}) for number in range(100)))
    orders.close()
    async with asyncio.timeout(10):
        await obey(heard.append, at_end=lambda: None)
    assert [order["number"] for order in heard] == list(range(100))


async def test_orders_are_obeyed_one_by_one_as_they_come(orders: io.BufferedWriter) -> None:
    """A child doesn't wait for more before it acts."""
    heard: asyncio.Queue[Message] = asyncio.Queue()
    obeying = asyncio.create_task(obey(heard.put_nowait, at_end=lambda: None))
    for number in range(3):
        orders.write(encode({"number": number}))
        orders.flush()
        async with asyncio.timeout(10):
            assert await heard.get() == {"number": number}
    assert not obeying.done()
    orders.close()
    async with asyncio.timeout(10):
        await obeying


def test_telling_a_lab_that_is_gone_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """EOF on stdin is what ends a child, not a broken pipe."""

    class Gone(io.RawIOBase):
        def write(self, data: object) -> int:
            raise BrokenPipeError

        def writable(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=Gone()))
    emit({"event": "ready"})
    emit({"event": "counts"})
    sys.stdout.close()


CHILD = """
import asyncio, json, sys, time
from lab.machine.orders import obey
from lab.machine.stdio import emit

def hang():
    emit({"event": "hanging"})
    time.sleep(3600)

async def main():
    if sys.argv[1] == "loop":
        asyncio.get_running_loop().call_later(0.01, hang)
    else:
        emit({"event": "waiting"})
    await obey(print)
    time.sleep(3600)

asyncio.run(main())
"""


@pytest.mark.parametrize(("where", "event"), [("loop", "hanging"), ("end", "waiting")])
def test_a_child_that_hangs_ends_all_the_same(where: str, event: str) -> None:
    """About a second after EOF, whether its loop is stuck or it can't get done with its last things."""
    command = [sys.executable, "-c", CHILD, where]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            assert json.loads(child.stdout.readline()) == {"event": event}
            child.stdin.close()
            assert child.wait(timeout=5) == 1
        finally:
            child.kill()
