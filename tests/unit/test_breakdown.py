"""A child that can't be heard any more breaks the lab, and is no silence."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.breakdown import Breakdown
from lab.machine.processes import Child


@pytest.fixture
def make_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a module that says those words, and ends with its stdin."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(words: str) -> None:
        (tmp_path / "a_child.py").write_text(f"import sys\nprint({words!r}, flush=True)\nsys.stdin.read()\n")

    return make


def deaf(event: dict[str, Any]) -> None:
    """A listener with a bug."""
    raise KeyError(event["event"])


@pytest.mark.parametrize(
    ("words", "failure"), [("Hello!", json.JSONDecodeError), ('{"event": "new"}', KeyError)], ids=["no JSON", "a bug"]
)
async def test_words_that_cant_be_taken_in_break_the_lab(
    make_child: Callable[[str], None], words: str, failure: type[Exception]
) -> None:
    """The child itself can still be ended."""
    make_child(words)
    breakdown = Breakdown()
    child = await Child.spawn("a_child", listener=deaf)
    try:
        with pytest.raises(failure):
            async with asyncio.timeout(10):
                await breakdown.wait()
    finally:
        await child.stop()
    assert child.returncode == 0


async def test_other_failures_of_the_event_loop_are_told_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    """Only what a child has said is the lab's end."""
    breakdown = Breakdown()
    asyncio.get_running_loop().call_exception_handler({"message": "odd", "exception": ValueError("1")})
    assert "odd" in caplog.text
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await breakdown.wait()
