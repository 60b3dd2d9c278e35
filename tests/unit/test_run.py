"""A lab without its dashboard, interrupted before it was there."""

import asyncio

import pytest

from lab.commandline.run import run_lab
from lab.config import LabConfig
from lab.errors import ExitCode, InterruptedStartError


class SlowLab:
    """Starts for ever."""

    stopped = 0

    def __init__(self, config: LabConfig, *, is_watched: bool) -> None:
        assert not is_watched
        self.config = config

    async def start(self, *, is_firing: bool) -> None:
        assert not is_firing
        await asyncio.Event().wait()

    async def stop(self) -> None:
        SlowLab.stopped += 1


async def test_an_interruption_ends_a_lab_that_still_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, with the exit code of an interruption; what has started is ended."""
    monkeypatch.setattr("lab.commandline.run.LabSession", SlowLab)
    interruption = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, interruption.set)
    async with asyncio.timeout(5):
        with pytest.raises(InterruptedStartError, match="before the first request") as caught:
            await run_lab(LabConfig(), interruption)
    assert caught.value.exit_code is ExitCode.INTERRUPTED
    assert SlowLab.stopped == 1
