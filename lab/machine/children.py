"""The children of a process, told without a look at every process of the machine."""

import contextlib
import sys
from pathlib import Path

import psutil

from lab.machine.living import birth, lives, runs


class Children:
    """Those of one process that run now; one that nobody has reaped yet doesn't.

    Linux lists them (proc_pid_children(5)) a hundred times sooner than psutil, which reads the parent of each process
    that the machine has. A list that is read while another child ends may lack one: one that was known stays so as long
    as it lives, and one that is new is found at the next look.
    """

    def __init__(self, parent_pid: int) -> None:
        self.parent_pid = parent_pid
        self._births: dict[int, float] = {}
        """Of the children known so far."""

    def pids(self) -> tuple[int, ...]:
        """Ascending; none once the parent has ended."""
        if not runs(self.parent_pid):
            return ()
        births = self._births | {pid: born for pid in self._listed() if (born := _birth(pid)) is not None}
        self._births = {pid: born for pid, born in births.items() if lives(pid, born)}
        return tuple(sorted(self._births))

    def _listed(self) -> list[int]:
        if sys.platform == "linux":
            # A kernel without the list, or the parent's end, which the next look tells.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                path = Path(f"/proc/{self.parent_pid}/task/{self.parent_pid}/children")
                return [int(pid) for pid in path.read_bytes().split()]
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(self.parent_pid).children()]
        return []


def _birth(pid: int) -> float | None:
    with contextlib.suppress(ProcessLookupError):
        return birth(pid)
    return None
