"""Whether a process still lives: told by its PID and its birth, since PIDs are given away again.

The guardian imports this at the lab's start, so what takes long is imported where it is needed.
"""

import contextlib
import sys
from pathlib import Path

_STATE_FIELD, _START_FIELD = 0, 19
"""Of /proc/PID/stat, counted behind the name: `state` and `starttime` (proc_pid_stat(5), fields 3 and 22)."""
_ENDED = b"ZX"
"""The states of a process that nobody has reaped yet."""


def birth(pid: int) -> float:
    """When the process was born; comparable with other births of the same process, and with nothing else.

    On Linux in clock ticks since the machine was booted: psutil's time since the epoch is another one as soon as
    somebody sets the clock.

    Raises:
        ProcessLookupError: there is none.
    """
    if sys.platform == "linux":
        return float(_stat(pid)[_START_FIELD])
    import psutil  # noqa: PLC0415 - takes 10 ms

    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        raise ProcessLookupError(f"there is no process {pid}") from None


def lives(pid: int, born: float) -> bool:
    """Whether the process of that PID and birth still runs; one that nobody has reaped yet doesn't."""
    if sys.platform == "linux":
        with contextlib.suppress(ProcessLookupError):
            stat = _stat(pid)
            return float(stat[_START_FIELD]) == born and stat[_STATE_FIELD] not in _ENDED
        return False
    import psutil  # noqa: PLC0415 - takes 10 ms

    with contextlib.suppress(ProcessLookupError, psutil.Error):
        return birth(pid) == born and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def runs(pid: int) -> bool:
    """Whether whatever process has that PID still runs; one that nobody has reaped yet doesn't."""
    with contextlib.suppress(ProcessLookupError):
        return lives(pid, birth(pid))
    return False


def _stat(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except FileNotFoundError:
        raise ProcessLookupError(f"there is no process {pid}") from None
