"""Holds what can't notice by itself that the lab is gone: nginx, frozen backends, the runtime folder.

`python -m lab.machine.guardian FOLDER` lives as long as its stdin. It is nginx's parent, knows the PIDs of the lab's
other children, and at EOF ends them all and removes the folder: also when the lab was killed with SIGKILL. Should a
guardian be killed itself, the lab starts another one, which adopts what the first one held.
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
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from lab.machine.living import birth, lives
from lab.machine.stdio import emit

NGINX_GRACE_SECONDS = 1.0
LAST_WORDS_SECONDS = 0.2
LAST_WORDS_LINES = 20
KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL
"""What ends a process whatever it does; on Windows os.kill() ends it by either."""
LOOK_SECONDS = 0.005
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
        """Start one. It gets a stderr of its own: one that outlived the guardian would keep the guardian's open.

        Raises:
            OSError, RuntimeError: the system has no room for it; it doesn't run then.
        """
        process = subprocess.Popen(  # noqa: S603 - the lab's own command line, no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )
        emit({"event": "nginx_started", "pid": process.pid})
        try:
            return cls(process.pid, process.wait, process.stderr or ())
        except RuntimeError:  # there is no thread to look after it
            process.kill()
            process.wait()
            raise

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
                self._signal(KILL)
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

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def _workers(self) -> dict[int, float]:
        """PIDs and births."""
        import psutil  # noqa: PLC0415 - takes 10 ms, and a guardian has to be quick

        with contextlib.suppress(psutil.NoSuchProcess):
            return _born(child.pid for child in psutil.Process(self._pid).children(recursive=True))
        return {}

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
                time.sleep(LOOK_SECONDS)


def _started(argv: Sequence[str]) -> Nginx | None:
    """A new one; None, and the lab is told why, if the system has no room for it."""
    try:
        return Nginx.start(argv)
    except (OSError, RuntimeError) as error:
        from lab.machine.shortage import shortage  # noqa: PLC0415 - seldom needed, and a guardian has to be quick

        emit({"event": "nginx_not_started", "why": shortage(error) or f"({error})"})
        return None


def _outlive(pid: int, born: float) -> None:
    """Return when that process has ended."""
    while lives(pid, born):
        time.sleep(ADOPTED_SECONDS)


def _born(pids: Iterable[int]) -> dict[int, float]:
    """The births of those that there are."""
    births = {}
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            births[pid] = birth(pid)
    return births


def _kill(processes: Mapping[int, float]) -> None:
    """SIGKILL each, told by PID and birth, and wait until they are gone."""
    living = {pid: born for pid, born in processes.items() if lives(pid, born)}
    for pid in living:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, KILL)
    deadline = time.monotonic() + NGINX_GRACE_SECONDS
    while any(lives(pid, born) for pid, born in living.items()) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)


def main() -> None:
    """Obey until EOF, then leave nothing behind."""
    folder = Path(sys.argv[1])
    os.umask(0o077)  # nginx inherits it: its logs and temporary files are for its user alone
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    nginx: Nginx | None = None
    guarded: dict[int, float] = {}
    emit({"event": "ready", "pid": os.getpid()})
    for line in sys.stdin.buffer:
        match json.loads(line):
            case {"order": "start_nginx", "argv": argv}:
                if nginx is not None:
                    nginx.stop()
                nginx = _started(argv)
            case {"order": "adopt", "pid": pid, "born": born}:
                nginx = Nginx.adopt(pid, born)
            case {"order": "guard", "pid": pid}:
                guarded |= _born([pid])
    if nginx is not None:
        nginx.stop()
    else:  # it may run all the same, as the child of a guardian that died, and this one came too late to adopt it
        from lab.machine.runtime import kill_processes_of  # noqa: PLC0415 - seldom needed, and a guardian has to be quick

        kill_processes_of(folder)
    _kill(guarded)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
