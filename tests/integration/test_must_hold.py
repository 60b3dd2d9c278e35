"""What no client may notice, for seconds; `make soak` does the same a hundred times."""

import random
import sys

import pytest

from lab.config import BackendSpec
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import StartLab
from tests.soak.must_hold import kill, reconfigure, switch, trouble

PUT_ASIDE = BackendSpec(fail_timeout_seconds=1)
"""What was killed is put aside for a second: nginx's rule, but for the time."""
NEVER_ASIDE = BackendSpec(max_fails=0)
"""Requests go on being sent to what was killed, and meet it dead."""


async def test_switches_at_a_high_rate_fail_no_request(start_lab: StartLab, nginx: str) -> None:
    """Ten of them at 500 requests a second; nginx reloads each time."""
    lab = await start_lab(nginx=nginx, backends=5, is_firing=True, traffic=TrafficSpec(rate_rps=500))
    count = await switch(lab, random.Random(1), times=10)
    assert count.holds, count
    assert count.sent > 100


@pytest.mark.parametrize("spec", [PUT_ASIDE, NEVER_ASIDE], ids=["put-aside", "never-aside"])
async def test_kills_of_random_backends_fail_no_request(start_lab: StartLab, nginx: str, spec: BackendSpec) -> None:
    """Twelve, restarted while the next one dies."""
    lab = await start_lab(nginx=nginx, backends=(spec,) * 5, is_firing=True, traffic=TrafficSpec(rate_rps=200))
    count = await kill(lab, random.Random(2), times=12)
    assert count.holds, count


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
@pytest.mark.parametrize("seed", [3, 4])
async def test_frozen_and_slow_backends_fail_no_request(start_lab: StartLab, seed: int) -> None:
    """In random order for some seconds; nginx gives up waiting before the client does."""
    traffic = TrafficSpec(rate_rps=100, timeout_seconds=10)
    lab = await start_lab(backends=5, is_firing=True, traffic=traffic)
    count = await trouble(lab, random.Random(seed), seconds=5)
    assert count.holds, count


async def test_changes_of_the_upstream_fail_no_request(start_lab: StartLab, nginx: str) -> None:
    """Weights up and down, backends out of rotation and back, fifteen times."""
    lab = await start_lab(nginx=nginx, backends=5, is_firing=True, traffic=TrafficSpec(rate_rps=200))
    count = await reconfigure(lab, random.Random(5), times=15)
    assert count.holds, count
