"""Whether a process still lives: told by its PID and its birth, since PIDs are given away again."""

import contextlib
import sys
from pathlib import Path

import psutil

_START_FIELD = 19
"""Of /proc/PID/stat, counted behind the name: `starttime` (proc_pid_stat(5), field 22)."""


def birth(pid: int) -> float:
    """When the process was born; comparable with other births of the same process, and with nothing else.

    On Linux in clock ticks since the machine was booted: psutil's time since the epoch is another one as soon as
    somebody sets the clock.

    Raises:
        psutil.NoSuchProcess: there is none.
    """
    if sys.platform != "linux":
        return psutil.Process(pid).create_time()
    try:
        return float(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[_START_FIELD])
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None


def lives(pid: int, born: float) -> bool:
    """Whether the process of that PID and birth still runs; one that nobody has reaped yet doesn't."""
    with contextlib.suppress(psutil.Error):
        return birth(pid) == born and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
