"""Runs nginx under the guardian, and changes its configuration without losing a request."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from lab.errors import LabError, NginxRefusedError, NotReadyError
from lab.machine.children import Children
from lab.machine.guard import Guard
from lab.machine.private_files import writing_to
from lab.machine.stdio import Message
from lab.nginx.binary import NginxBinary
from lab.nginx.reload_watch import Handover
from lab.nginx.render import NginxFiles

START_SECONDS = 5.0
RELOAD_SECONDS = 5.0


class NginxServer:
    """One nginx: its master is the guardian's child, its files live in the runtime folder.

    Raises (every command):
        NginxRefusedError: nginx refused the configuration; the running one is as it was.
        NotReadyError: the disk, or the system, has no room for it; the running one is as it was.
        LabError: nginx didn't do what it was told in time.
    """

    def __init__(self, binary: NginxBinary, folder: Path, guard: Guard) -> None:
        self.binary = binary
        self.folder = folder
        self.master_pid: int | None = None
        """None while it doesn't run."""
        self.on_death: Callable[[int, int | None], None] = lambda _pid, _code: None
        """Is told the PID and, if it can be known, the exit code of a master that ended though nobody asked it to."""
        self._guard = guard
        self._workers: Children | None = None
        guard.listener = self._hear
        self._is_up = False
        self._files: NginxFiles | None = None
        """Those in force."""
        self._last_words: str | None = None
        """Of a master that has ended."""
        self._why_not: str | None = None
        """The system didn't let one start, and why."""

    @property
    def access_log(self) -> Path:
        return self.folder / "access.log"

    @property
    def error_log(self) -> Path:
        return self.folder / "error.log"

    def _hear(self, event: Message) -> None:
        """Take note of what the guardian says of nginx."""
        match event:
            case {"event": "nginx_started", "pid": pid}:
                self.master_pid = pid
            case {"event": "nginx_not_started", "why": why}:
                self.master_pid, self._why_not = None, why
            case {"event": "nginx_exited", "pid": pid, "code": code, "words": words} if pid == self.master_pid:
                self.master_pid, self._last_words = None, words
                if self._is_up:
                    self._is_up = False
                    self.on_death(pid, code)

    async def test(self, files: NginxFiles) -> None:
        """Have nginx check the files in a scratch folder beside the running ones."""
        with contextlib.ExitStack() as exits:
            with writing_to(self.folder):
                scratch = exits.enter_context(tempfile.TemporaryDirectory(prefix="test-", dir=self.folder))
                (Path(scratch) / "temp").mkdir(mode=0o700)
                files.write(Path(scratch))
            code, output = await self.binary.run("-p", scratch, "-c", "nginx.conf", "-t", "-q")
        if code != 0:
            raise NginxRefusedError(f"nginx refused the configuration: {_first_complaint(output, scratch)}")

    async def start(self, files: NginxFiles) -> None:
        """Start nginx on tested files, and wait until its workers accept."""
        with writing_to(self.folder):
            files.write(self.folder)
        log_size = self._error_log_bytes()
        self._last_words = self._why_not = None
        argv = [str(self.binary.path), *self.binary.error_log_option, "-p", str(self.folder), "-c", "nginx.conf"]
        self._guard.start_nginx(argv)
        await self._until(self._is_decided, START_SECONDS, "start")
        if self._why_not is not None:
            raise NotReadyError(f"The system doesn't let nginx start {self._why_not}.")
        if self._last_words is not None:
            complaint = _first_complaint(self._last_words or self._errors_since(log_size), str(self.folder))
            raise NginxRefusedError(f"nginx ended as soon as it started: {complaint}")
        self._is_up, self._files = True, files

    def _is_decided(self) -> bool:
        """Whether it runs, or never will."""
        return bool(self.worker_pids()) or self._last_words is not None or self._why_not is not None

    async def reload(self, files: NginxFiles) -> Handover:
        """Swap tested files in and reload; returns once the new workers run and the old ones take no more requests.

        `nginx -s reload` succeeds even when the master then fails, so new worker PIDs are what counts. On any error the
        files are put back: a master that was only late must not take them on when nobody expects it any more.
        """
        if self.master_pid is None:
            raise LabError("nginx isn't running: R starts it again.")
        began = time.monotonic()
        old_workers = set(self.worker_pids())
        log_size = self._error_log_bytes()
        with writing_to(self.folder):
            files.write(self.folder)
        code, output = await self._signal("reload")
        if code != 0:
            self._put_back()
            raise NginxRefusedError(f"nginx refused to reload: {_first_complaint(output, str(self.folder))}")

        def is_done() -> bool:
            workers = set(self.worker_pids())
            return bool(workers - old_workers) and all(_is_leaving(pid) for pid in old_workers & workers)

        try:
            await self._until(is_done, RELOAD_SECONDS, "reload")
        except LabError:
            self._put_back()
            if complaint := self._errors_since(log_size):
                text = _first_complaint(complaint, str(self.folder))
                raise NginxRefusedError(f"nginx refused to reload: {text}") from None
            await self._signal("reload")  # it may have read the new files, and still be busy with them
            raise
        self._files = files
        return Handover(time.monotonic() - began, frozenset(old_workers), frozenset(self.worker_pids()))

    def _put_back(self) -> None:
        assert self._files is not None
        with writing_to(self.folder):
            self._files.write(self.folder)

    async def reopen_logs(self) -> None:
        """Have nginx write to new log files, after the old ones were renamed."""
        await self._signal("reopen")

    def worker_pids(self) -> tuple[int, ...]:
        """The workers that run now, those that finish their last requests after a reload included."""
        if self.master_pid is None:
            return ()
        if self._workers is None or self._workers.parent_pid != self.master_pid:
            self._workers = Children(self.master_pid)
        return self._workers.pids()

    async def _signal(self, name: str) -> tuple[int, str]:
        return await self.binary.run("-p", str(self.folder), "-c", "nginx.conf", "-s", name)

    async def _until(self, is_true: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                if _is_stopped(self.master_pid):
                    raise LabError(
                        f"nginx didn't {what}: its master (PID {self.master_pid}) is stopped, and goes on with SIGCONT."
                    )
                raise LabError(f"nginx didn't {what} within {seconds:g} s: see {self.error_log}.")
            await asyncio.sleep(0.01)

    def _error_log_bytes(self) -> int:
        with contextlib.suppress(OSError):
            return self.error_log.stat().st_size
        return 0

    def _errors_since(self, position: int) -> str:
        with contextlib.suppress(OSError), self.error_log.open(encoding="utf-8", errors="replace") as log:
            log.seek(position)
            return "".join(line for line in log if "[emerg]" in line or "[alert]" in line)
        return ""


def _is_stopped(pid: int | None) -> bool:
    try:
        return pid is not None and psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def _is_leaving(pid: int) -> bool:
    """Whether a worker accepts nothing any more; on systems that don't show it, that it was told to is enough."""
    try:
        title = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return True
    return "shutting down" in title or "worker process" not in title


def _first_complaint(output: str, folder: str) -> str:
    """nginx's own message, without its time stamp, its PID and the folder's name."""
    for line in output.splitlines():
        if "[emerg]" in line or "[alert]" in line:
            _, _, text = line.partition("] ")
            return text.partition(": ")[2].replace(f"{folder}/", "") if "#" in text else text
    return output.strip() or "it gave no reason"
