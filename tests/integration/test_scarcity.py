"""On a system that allows little: a lab that fits runs, and one that doesn't is told in one line and leaves nothing."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.integration.conftest import Place
from tests.integration.facts import LABLB

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")

STRANGER = 54_321
"""A user whom nothing belongs to, so that all processes that count are the test's."""


def limited(limit: str, *arguments: str | int) -> subprocess.CompletedProcess[str]:
    """Run the command under a limit of the shell's `ulimit`."""
    command = ["sh", "-c", f'ulimit {limit} && exec "$@"', "sh", str(LABLB), "run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=45, stdin=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize(
    ("limit", "options"),
    [("-n 64", ("-c", 4)), ("-S -n 64", ("-c", 400, "--backends", 2)), ("-n 256", ("-q", 400, "--service-time", "1s"))],
    ids=["hard", "soft", "open loop"],
)
def test_a_lab_within_the_limits_loses_nothing(place: Place, limit: str, options: tuple[str | int, ...]) -> None:
    """Nor does one that has only to raise its own; an open loop takes no more connections than there are files."""
    done = limited(limit, "-n", 1200, "--timeout", "20s", "--format", "json", *options, *place.port_options)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["requests"]["answered"], report["requests"]["failed"]) == (1200, 0), report["requests"]
    assert report["ledger"]["balanced"] is True
    place.wait_until_empty()


@pytest.mark.parametrize(
    ("limit", "options", "sentence"),
    [
        ("-n 20", (), "lablb: A lab of 5 backends needs 60 open files, and this system allows a process 20: "),
        ("-n 256", ("-c", 2000), "lablb: For 2,000 connections nginx needs 4,319 open files, and this system allows"),
        ("-n 128", ("--backends", 50), "lablb: A lab of 50 backends needs 240 open files, and this system allows"),
    ],
)
def test_what_the_limits_dont_allow_is_refused_before_anything_starts(
    place: Place, limit: str, options: tuple[str | int, ...], sentence: str
) -> None:
    """One line that says what to give instead, and exit code 3."""
    done = limited(limit, *options, *place.port_options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1), done.stderr
    assert done.stderr.startswith(sentence)
    assert place.left_behind == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or None in (shutil.which("setpriv"), shutil.which("prlimit")),
    reason="only root can become a user who has no processes yet",
)
@pytest.mark.parametrize("most", [2, 4, 7, 12, 14, 15])
def test_without_room_for_a_further_process_or_thread_nothing_stays_behind(place: Place, most: int) -> None:
    """Whichever of the lab's is the one too many: backend, nginx or a thread of either."""
    os.chown(place.runtime, STRANGER, STRANGER)
    who = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"]
    rights = [f"--{kind}=-all,+dac_read_search" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    command = [*who, *rights, "prlimit", f"--nproc={most}", str(LABLB), "run", *place.port_options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=45, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1), done.stderr
    assert "ulimit -u" in done.stderr
    place.wait_until_empty()
