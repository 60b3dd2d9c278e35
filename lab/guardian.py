"""Holds what can't notice by itself that the lab is gone: nginx, frozen backends, the runtime folder.

`python -m lab.guardian FOLDER` lives as long as its stdin. It is nginx's parent, knows the PIDs of the lab's other
children, and at EOF ends them all and removes the folder: also when the lab was killed with SIGKILL. Should a guardian
be killed itself, the lab starts another one, which adopts what the first one held.
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
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import psutil

from lab.living import lives
from lab.stdio import emit

NGINX_GRACE_SECONDS = 1.0
LAST_WORDS_SECONDS = 0.2
LAST_WORDS_LINES = 20
ADOPTED_SECONDS = 0.1
"""How often an adopted nginx is looked at: only a parent is told when its child ends."""


class Nginx:
    """The nginx master, as leader of a process group of its own, so that no worker escapes."""

    def __init__(self, pid: int, wait: Callable[[], int | None], stderr: Iterable[bytes] = ()) -> None:
        self._pid = pid
        self._wait = wait
        self._has_ended = threading.Event()
        self._last_words: deque[bytes] = deque(maxlen=LAST_WORDS_LINES)
        self._listening = threading.Thread(target=self._last_words.extend, args=(stderr,), daemon=True)
        self._listening.start()
        self._reporting = threading.Thread(target=self._report_end, name="nginx", daemon=True)
        self._reporting.start()

    @classmethod
    def start(cls, argv: Sequence[str]) -> Self:
        """Start one. It gets a stderr of its own: one that outlived the guardian would keep the guardian's open."""
        process = subprocess.Popen(  # noqa: S603 - the lab's own command line, no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )
        emit({"event": "nginx_started", "pid": process.pid})
        return cls(process.pid, process.wait, process.stderr or ())

    @classmethod
    def adopt(cls, pid: int, born: float) -> Self:
        """Look after one that a guardian before started; whether it still lives or not."""
        return cls(pid, partial(_outlive, pid, born))

    def stop(self) -> None:
        """End master and workers, and return when they are gone."""
        if not self._has_ended.is_set():
            workers = self._workers()
            self._signal(signal.SIGTERM)
            if not self._has_ended.wait(NGINX_GRACE_SECONDS):
                self._signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
            _kill(workers)
        self._reporting.join()

    def _report_end(self) -> None:
        code = self._wait()
        self._has_ended.set()
        self._kill_group(seconds=0)
        self._listening.join(LAST_WORDS_SECONDS)
        words = b"".join(self._last_words).decode(errors="replace")
        emit({"event": "nginx_exited", "pid": self._pid, "code": code, "words": words})
        self._kill_group(seconds=NGINX_GRACE_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def _workers(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self._pid).children(recursive=True)
        return []

    def _kill_group(self, seconds: float) -> None:
        """Once, and then for so long until nobody is left in it: a master that is ended may have forked a moment ago.

        While one is left the PID is given to no other process. A master that is gone with all of its group has none.
        """
        deadline = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while sys.platform != "win32":
                os.killpg(self._pid, signal.SIGKILL)
                if time.monotonic() >= deadline:
                    return
                time.sleep(0.005)


def _outlive(pid: int, born: float) -> None:
    """Return when that process has ended."""
    while lives(pid, born):
        time.sleep(ADOPTED_SECONDS)


def _kill(processes: Sequence[psutil.Process]) -> None:
    """SIGKILL each, and wait until they are gone; psutil knows a reused PID from the process that had it."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=NGINX_GRACE_SECONDS)


def main() -> None:
    """Obey until EOF, then leave nothing behind."""
    folder = Path(sys.argv[1])
    os.umask(0o077)  # nginx inherits it: its logs and temporary files are for its user alone
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    nginx: Nginx | None = None
    guarded: dict[int, psutil.Process] = {}
    emit({"event": "ready", "pid": os.getpid()})
    for line in sys.stdin.buffer:
        match json.loads(line):
            case {"order": "start_nginx", "argv": argv}:
                if nginx is not None:
                    nginx.stop()
                nginx = Nginx.start(argv)
            case {"order": "adopt", "pid": pid, "born": born}:
                nginx = Nginx.adopt(pid, born)
            case {"order": "guard", "pid": pid}:
                with contextlib.suppress(psutil.NoSuchProcess):
                    guarded[pid] = psutil.Process(pid)
    if nginx is not None:
        nginx.stop()
    else:  # it may run all the same, as the child of a guardian that died, and this one came too late to adopt it
        from lab.runtime import kill_processes_of  # noqa: PLC0415 - seldom needed, and a guardian has to be quick

        kill_processes_of(folder)
    _kill(list(guarded.values()))
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
