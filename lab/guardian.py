"""Holds what can't notice by itself that the lab is gone: nginx, frozen backends, the runtime folder.

`python -m lab.guardian FOLDER` lives as long as its stdin. It is nginx's parent, knows the PIDs of the lab's other
children, and at EOF ends them all and removes the folder: also when the lab was killed with SIGKILL.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from lab.stdio import emit

NGINX_GRACE_SECONDS = 1.0


class Nginx:
    """The nginx master, as leader of a process group of its own, so that no worker escapes."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the lab's own command line, no shell
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=sys.platform != "win32"
        )
        emit({"event": "nginx_started", "pid": self._process.pid})
        threading.Thread(target=self._report_end, name="nginx", daemon=True).start()

    def stop(self) -> None:
        """End master and workers."""
        workers = self._workers()
        self._process.terminate()
        try:
            self._process.wait(NGINX_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._kill_group()
        _kill(workers)

    def _report_end(self) -> None:
        code = self._process.wait()
        self._kill_group()
        emit({"event": "nginx_exited", "pid": self._process.pid, "code": code})

    def _workers(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self._process.pid).children(recursive=True)
        return []

    def _kill_group(self) -> None:
        """Until nobody is left in it: a master that is ended may have forked a moment ago."""
        deadline = time.monotonic() + NGINX_GRACE_SECONDS
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while sys.platform != "win32" and time.monotonic() < deadline:
                os.killpg(self._process.pid, signal.SIGKILL)
                time.sleep(0.005)


def _kill(processes: Sequence[psutil.Process]) -> None:
    """SIGKILL each, and wait until they are gone; psutil knows a reused PID from the process that had it."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=NGINX_GRACE_SECONDS)


def main() -> None:
    """Obey until EOF, then leave nothing behind."""
    folder = Path(sys.argv[1])
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    nginx: Nginx | None = None
    guarded: dict[int, psutil.Process] = {}
    emit({"event": "ready", "pid": os.getpid()})
    for line in sys.stdin.buffer:
        match json.loads(line):
            case {"order": "start_nginx", "argv": argv}:
                nginx = Nginx(argv)
            case {"order": "guard", "pid": pid}:
                with contextlib.suppress(psutil.NoSuchProcess):
                    guarded[pid] = psutil.Process(pid)
            case {"order": "forget", "pid": pid}:
                guarded.pop(pid, None)
    if nginx is not None:
        nginx.stop()
    _kill(list(guarded.values()))
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
