"""Notices what has gone wrong beside the backends, says so, and starts again what has died."""

import asyncio
import re
import shutil
import time

from lab.errors import LabError
from lab.logs.error_log import ErrorLog, worker_death
from lab.logs.log_file import most_log_bytes
from lab.machine.guard import how_it_ended
from lab.nginx.balancer import Balancer
from lab.notices import Notices
from lab.observer import Observer
from lab.traffic.driver import TrafficDriver, WorkerDeath

LOG_SECONDS = 0.2
DISK_SECONDS = 1.0
FULL_BYTES = 64 * 2**10
"""With less room than this nginx can't write out its log's buffer."""
ROOMY_BYTES = 2**20
"""With so much again it can; in between nothing is said, so that nothing is said twice a second."""
UNLOGGED = "what it answered in its last 0.1 s may never be logged"
"""It writes its log in blocks: `flush=100ms` in the template."""


class Caretaker:
    """Looks after nginx, its logs and their disk, and the lab's client."""

    def __init__(self, balancer: Balancer, observer: Observer, driver: TrafficDriver, notices: Notices) -> None:
        log = balancer.server.error_log
        self.errors = ErrorLog(log, time.monotonic, most_log_bytes(log.parent), notices.tell)
        self._balancer = balancer
        self._server = balancer.server
        self._observer = observer
        self._driver = driver
        self._notices = notices
        self._complaints: set[str] = set()
        self._is_disk_full = False
        self._one_repair_at_a_time = asyncio.Lock()
        self._server.on_death = self._note_nginx_death
        driver.on_death = self._note_client_death

    async def follow_logs(self) -> None:
        """Read both logs on and on, and have nginx reopen them when they need it."""
        logs = (self._observer.log, self.errors)
        while True:
            self._observer.read_log()
            self._read_errors()
            for log in logs:
                if log.wants_rotation:
                    log.rotate()
            adrift = [log for log in logs if log.wants_reopening]
            if adrift and self._server.master_pid is not None:
                await self._server.reopen_logs()
                for log in adrift:
                    log.note_reopening()
            await asyncio.sleep(LOG_SECONDS)

    async def watch_disk(self) -> None:
        """Say when nginx can't log any more for want of room, and when it can again."""
        folder = self._server.folder
        while True:
            try:
                room_bytes = (await asyncio.to_thread(shutil.disk_usage, folder)).free
            except FileNotFoundError:
                self._notices.tell(f"Somebody has removed {folder}: quit and start the lab again.")
                return
            if room_bytes < FULL_BYTES and not self._is_disk_full:
                self._is_disk_full = True
                self._notices.tell(
                    f"The disk under {folder} is full, so nginx can't log and hits stand still: make room."
                )
            elif room_bytes > ROOMY_BYTES and self._is_disk_full:
                self._is_disk_full = False
                self._notices.tell(f"The disk under {folder} has room again; what nginx couldn't log is lost.")
            await asyncio.sleep(DISK_SECONDS)

    async def repair(self) -> None:
        """Start nginx and the lab's client again, whichever has died.

        Raises:
            LabError: it doesn't start, or nothing has died.
        """
        async with self._one_repair_at_a_time:
            is_nginx_dead, is_client_dead = self._server.master_pid is None, self._driver.pid is None
            if not (is_nginx_dead or is_client_dead):
                raise LabError("nginx and the lab's client both run: there is nothing to start again.")
            if is_nginx_dead:
                self._observer.forget_nginx()
                await self._balancer.restart()
                self._notices.tell_of_death(f"nginx runs again (PID {self._server.master_pid}).")
            if is_client_dead:
                await self._driver.restart()
                self._notices.tell_of_death(f"The lab's client runs again (PID {self._driver.pid}).")

    def close(self) -> None:
        """Say nothing any more, and close the error log."""
        self._notices.close()
        self.errors.close()

    def _note_client_death(self, death: WorkerDeath) -> None:
        self._observer.note_client_death(death)
        if death.is_by_lab:
            return
        lost = f", with {death.lost:,} requests under way" if death.lost else ""
        words = f" ({death.last_words})" if death.last_words else ""
        self._notices.tell_of_death(
            f"The lab's client (PID {death.pid}) has {how_it_ended(death.code)}{lost}: R starts it again.{words}"
        )

    def _note_nginx_death(self, pid: int, code: int | None) -> None:
        self._notices.tell_of_death(f"nginx (PID {pid}) has {how_it_ended(code)}, and {UNLOGGED}: R starts it again.")

    def _read_errors(self) -> None:
        """nginx repeats a complaint for each request it is about, with other numbers: it is told once."""
        for complaint in self.errors.read():
            if (death := worker_death(complaint)) is not None:
                pid, signal = death
                self._notices.tell(  # nginx sees to it, and it may happen often
                    f"nginx's worker (PID {pid}) has {how_it_ended(-signal)}, and {UNLOGGED}: nginx starts another one."
                )
            elif (kind := re.sub(r"\d+", "", complaint)) not in self._complaints:
                self._complaints.add(kind)
                self._notices.tell(f"nginx complains: {complaint}")
