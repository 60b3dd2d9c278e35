"""A whole lab: puts its parts together, passes commands on to them, publishes snapshots, takes all apart again."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from lab.access_log import AccessLog
from lab.config import LabConfig
from lab.control import Lab
from lab.errors import LabError
from lab.fleet import Fleet
from lab.journal import view_of
from lab.models import LatencySeries, Ledger, NginxWitness, Phase, RequestDetail, Snapshot
from lab.nginx.balancer import Balancer
from lab.nginx.binary import NginxBinary, find_nginx
from lab.nginx.server import NginxServer
from lab.observer import Observer
from lab.ports import Ports, choose_ports, require_free
from lab.processes import Child
from lab.publisher import Publisher
from lab.runtime import RuntimeFolder, sweep
from lab.side_by_side import side_by_side
from lab.stdio import Message
from lab.traffic.driver import TrafficDriver

LOG_SECONDS = 0.2
SNAPSHOT_SECONDS = 0.2
MONITOR_SECONDS = 1.0
SETTLE_SECONDS = 3.0
GUARDIAN_GRACE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a lab consists of once it is put together."""

    ports: Ports
    fleet: Fleet
    balancer: Balancer
    driver: TrafficDriver
    observer: Observer


class LabSession(Lab):
    """A lab on this machine; `Lab` says what its commands do.

    `start` raises a `LabError` when the lab can't be had; `stop` must follow, whatever became of `start`.
    """

    def __init__(self, config: LabConfig) -> None:
        self.config = config
        self.shot_name = secrets.token_hex(6)
        """What the lab's requests are called in nginx's log; nobody else can know it, and have theirs pass for ours."""
        self._parts: Parts | None = None
        self._exits = AsyncExitStack()
        self._publisher = Publisher()
        self._phase = Phase.STARTING
        self._activity: str | None = None
        self._starting: asyncio.Task[None] | None = None
        self._heart: asyncio.Task[None] | None = None
        self._worker_pids: tuple[int, ...] = ()

    @property
    def parts(self) -> Parts:
        """The parts of a lab that has started.

        Raises:
            LabError: it hasn't.
        """
        if self._parts is None:
            raise LabError("The lab is still starting: wait a moment.")
        return self._parts

    async def start(self, *, is_firing: bool = True) -> None:
        """Start backends, nginx and, unless told otherwise, traffic."""
        self._starting = asyncio.create_task(self._start(is_firing=is_firing))
        await self._starting

    async def _start(self, *, is_firing: bool) -> None:
        self._say("nginx: asking what it can do")
        binary = await find_nginx(self.config.nginx)
        self._say("clearing away what a killed lab left behind")
        await asyncio.to_thread(sweep)
        ports = choose_ports(self.config)
        require_free(ports)
        parts = await self._assemble(binary, ports)
        self._say("nginx: testing the configuration")
        await parts.balancer.test()
        self._say(f"starting {len(ports.backends)} backends, the client and nginx")
        await side_by_side(parts.fleet.start(), parts.driver.start(ports.nginx))
        await parts.balancer.start()  # last, so that nobody who knocks early has nginx put a backend aside
        self._parts = parts
        self._phase = Phase.RUNNING
        self._say(None)
        self._heart = asyncio.create_task(self._beat(parts))
        self._heart.add_done_callback(self._note_heart)
        if is_firing:
            parts.driver.resume()

    async def stop(self) -> None:
        """End everything, in the reverse order of its start."""
        if self._phase is Phase.STOPPED:
            return
        self._phase = Phase.STOPPING
        self._say("ending every process")
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait((self._starting,))
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.wait((self._heart,))
        await self._exits.aclose()
        self._phase = Phase.STOPPED
        self._say(None)
        self._publisher.close()

    def snapshots(self) -> AsyncIterator[Snapshot]:
        """The newest snapshot, then each newer one; raises what made the lab fail, should it."""
        return self._publisher.snapshots()

    async def fail(self) -> None:
        """Wait until the lab breaks, and raise what broke it; ends quietly when the lab is stopped."""
        if self._heart is not None:
            await asyncio.wait((self._heart,))
            if not self._heart.cancelled():
                self._heart.result()

    async def settle(self) -> Ledger:
        """The ledger, once client, nginx and backends have told all they know, or had the time to."""
        parts = self.parts
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            parts.observer.read_log()
            ledger = parts.observer.ledger()
            if not ledger.largest_gap or time.monotonic() > deadline:
                return ledger.settled()
            await asyncio.sleep(LOG_SECONDS / 2)

    async def use_algorithm(self, name: str) -> None:
        await self.parts.balancer.use_algorithm(name)

    async def kill_backend(self, port: int) -> None:
        await self.parts.fleet[port].kill()

    async def restart_backend(self, port: int) -> None:
        await self.parts.fleet.restart(port)

    async def toggle_freeze(self, port: int) -> None:
        self.parts.fleet[port].toggle_freeze()

    async def slow_backend(self, port: int) -> None:
        self.parts.fleet[port].slow_down()

    async def change_weight(self, port: int, by: int) -> None:
        await self.parts.balancer.change_weight(port, by)

    async def toggle_down(self, port: int) -> None:
        await self.parts.balancer.toggle_down(port)

    async def toggle_backup(self, port: int) -> None:
        await self.parts.balancer.toggle_backup(port)

    async def toggle_traffic(self) -> None:
        driver = self.parts.driver
        if driver.is_paused:
            driver.resume()
        else:
            driver.pause()

    async def step_rate(self, steps: int) -> None:
        self.parts.driver.step(steps)

    async def fire_once(self) -> None:
        self.parts.driver.fire_once()

    def latencies(self) -> tuple[LatencySeries, ...]:
        parts = self.parts
        return parts.observer.tally.series([backend.port for backend in parts.fleet])

    async def request_detail(self, number: int) -> RequestDetail:
        parts = self.parts
        entry = parts.observer.journal.entry(number)
        line = entry.line
        assert line is not None
        ports = [attempt.port for attempt in line.attempts if attempt.port is not None]
        backends = [await parts.fleet[port].recall(line.request_id) for port in ports]
        return RequestDetail(
            view=view_of(entry),
            nginx=NginxWitness(line.time, line.worker_pid, line.generation, line.status, line.seconds, line.attempts),
            client=None if entry.outcome is None else await parts.driver.recall(entry.outcome.number),
            backends=tuple(witness for witness in backends if witness is not None),
        )

    def zero_counters(self) -> None:
        self.parts.observer.tally.zero()

    async def _assemble(self, binary: NginxBinary, ports: Ports) -> Parts:
        """Make all parts, each with its way to end; none but the guardian runs yet."""
        config = self.config
        folder = RuntimeFolder.create()
        self._exits.callback(folder.remove)

        def hear(event: Message) -> None:
            server.heard(event)

        guardian = await Child.spawn("lab.guardian", str(folder.path), listener=hear)
        self._exits.push_async_callback(guardian.stop, GUARDIAN_GRACE_SECONDS)
        folder.record_owners(os.getpid(), guardian.pid)
        server = NginxServer(binary, folder.path, guardian)
        fleet = Fleet(
            ports.backends,
            folder.path,
            config.behaviour,
            on_start=lambda pid: guardian.send({"order": "guard", "pid": pid}),
            is_reviving=config.restart,
        )
        self._exits.push_async_callback(fleet.stop)
        observer = Observer(AccessLog(server.access_log, time.monotonic), fleet, self.shot_name)
        self._exits.callback(observer.log.close)
        driver = TrafficDriver(config.traffic, self.shot_name, observer.note_outcomes)
        self._exits.push_async_callback(driver.stop)
        return Parts(ports, fleet, Balancer(server, config, ports), driver, observer)

    async def _beat(self, parts: Parts) -> None:
        await side_by_side(self._follow_log(parts), self._publish(parts), self._watch_processes(parts))

    def _note_heart(self, heart: asyncio.Task[None]) -> None:
        if not heart.cancelled() and (failure := heart.exception()) is not None:
            self._publisher.close(failure)

    async def _follow_log(self, parts: Parts) -> None:
        log = parts.observer.log
        while True:
            parts.observer.read_log()
            if log.wants_rotation:
                log.rotate()
                await parts.balancer.server.reopen_logs()
            await asyncio.sleep(LOG_SECONDS)

    async def _publish(self, parts: Parts) -> None:
        while True:
            if self._publisher.has_readers:
                self._publisher.publish(self._snapshot(parts))
            await asyncio.sleep(SNAPSHOT_SECONDS)

    async def _watch_processes(self, parts: Parts) -> None:
        server = parts.balancer.server
        while True:
            self._worker_pids = await asyncio.to_thread(server.worker_pids)
            backends = [backend.pid for backend in parts.fleet if backend.pid is not None]
            nginx = [pid for pid in (server.master_pid, *self._worker_pids) if pid is not None]
            await parts.observer.monitor.sample([*backends, *nginx])
            await asyncio.sleep(MONITOR_SECONDS)

    def _say(self, activity: str | None) -> None:
        self._activity = activity
        self._publisher.publish(self._snapshot(self._parts))

    def _snapshot(self, parts: Parts | None) -> Snapshot:
        sequence = self._publisher.latest.sequence + 1
        if parts is None:
            return Snapshot(sequence, self._phase, self._activity)
        balancer, observer = parts.balancer, parts.observer
        return Snapshot(
            sequence=sequence,
            phase=self._phase,
            activity=self._activity,
            notices=tuple(notice for notice in (parts.ports.notice, parts.driver.obituary) if notice is not None),
            algorithm=balancer.upstream.algorithm,
            algorithms=balancer.choices(),
            nginx=observer.nginx(balancer.server, parts.ports.nginx, self._worker_pids),
            backends=observer.backends(balancer.specs),
            traffic=observer.traffic(parts.driver),
            seconds=observer.tally.seconds(),
            feed=observer.journal.feed(),
            ledger=observer.ledger(),
            config=balancer.config,
        )
