"""A whole lab: puts its parts together, publishes snapshots, takes all apart again."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from lab.breakdown import Breakdown
from lab.commands import Commands
from lab.config import LabConfig
from lab.errors import LabError
from lab.ground import lay_ground
from lab.machine.limits import require_room
from lab.machine.ports import choose_ports, require_free
from lab.machine.runtime import sweep
from lab.notices import Notices
from lab.publisher import Publisher
from lab.side_by_side import first_of, side_by_side
from lab.states import Phase

if TYPE_CHECKING:
    from lab.counts.ledger import Ledger
    from lab.models import Snapshot
    from lab.parts import Parts

LEDGER_SECONDS = 0.1
SNAPSHOT_SECONDS = 0.2
MONITOR_SECONDS = 1.0
SETTLE_SECONDS = 3.0


class LabSession(Commands):
    """A lab on this machine.

    `start` raises a `LabError` when the lab can't be had; `stop` must follow, whatever became of `start`.
    """

    def __init__(self, config: LabConfig, *, is_watched: bool = True) -> None:
        """Unwatched, it lacks what only snapshots tell, X-ray and verdict on shares, and starts a little sooner."""
        self.config = config
        self._is_watched = is_watched
        self.shot_name = secrets.token_hex(6)
        """What the lab's requests are called in nginx's log; nobody else can know it, and have theirs pass for ours."""
        self._parts: Parts | None = None
        self._exits = AsyncExitStack()
        self._publisher = Publisher()
        self._sequence = 0
        self._notices = Notices()
        self._phase = Phase.STARTING
        self._activity: str | None = None
        self._starting: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._breakdown: Breakdown | None = None
        self._heart: asyncio.Task[None] | None = None
        self._worker_pids: tuple[int, ...] = ()

    @property
    def parts(self) -> "Parts":
        if self._parts is None:
            raise LabError("The lab is still starting: wait a moment.")
        return self._parts

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know, in the order in which it was told."""
        return self._notices.told

    async def start(self, *, is_firing: bool = True) -> None:
        """Start backends, nginx and, unless told otherwise, traffic."""
        self._breakdown = Breakdown()
        self._starting = asyncio.create_task(self._start(is_firing=is_firing))
        await first_of(self._starting, self._breakdown.wait())

    async def _start(self, *, is_firing: bool) -> None:
        require_room(self.config)
        self._say("clearing away what a killed lab left behind")
        await asyncio.to_thread(sweep)
        ports = choose_ports(self.config)
        require_free(ports)
        if ports.notice is not None:
            self._notices.tell(ports.notice)
        count = len(ports.backends)
        self._say(f"starting {count} backend{'' if count == 1 else 's'}, the client and nginx")
        ground = await lay_ground(self.config, ports, self._exits, self._notices)
        await ground.fleet.spawn()
        from lab.parts import assemble  # noqa: PLC0415 - its imports take 0.1 s, as the backends' own do meanwhile

        parts = await assemble(self.config, self.shot_name, ground, self._exits, self._notices)
        if self._is_watched:
            parts.observer.begin_watching(parts.balancer)
        await parts.balancer.test()  # first, as the client's start would only take the processor from the backends
        await side_by_side(parts.driver.start(ports.nginx), self._balance(parts))
        self._parts = parts
        self._phase = Phase.RUNNING
        self._say(None)
        self._heart = asyncio.create_task(self._beat(parts))
        self._heart.add_done_callback(self._note_heart)
        if is_firing:
            parts.driver.resume()

    async def _balance(self, parts: "Parts") -> None:
        """Start nginx last, so that nobody who knocks early has it put a backend aside."""
        await parts.fleet.wait_until_ready()
        await parts.balancer.start()

    async def stop(self) -> None:
        """End everything, in the reverse order of its start; whoever asks for it meanwhile waits for the same end."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
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

    def snapshots(self) -> "AsyncIterator[Snapshot]":
        """The newest snapshot, then each newer one; raises what made the lab fail, should it."""
        return self._publisher.snapshots()

    async def fail(self) -> None:
        """Wait until the lab breaks, and raise what broke it; ends quietly when the lab is stopped."""
        if self._heart is not None:
            await asyncio.wait((self._heart,))
            if not self._heart.cancelled():
                self._heart.result()

    async def settle(self) -> "Ledger":
        """The ledger, once client, nginx and backends have told all they know, or had the time to."""
        parts = self.parts
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            parts.observer.read_log()
            ledger = parts.observer.ledger()
            if not ledger.largest_gap or time.monotonic() > deadline:
                return ledger.settled()
            await asyncio.sleep(LEDGER_SECONDS)

    async def _beat(self, parts: "Parts") -> None:
        assert self._breakdown is not None
        caretaker, faults = parts.caretaker, parts.fault_clock.run(parts.driver.has_begun)
        await side_by_side(
            caretaker.follow_logs(),
            caretaker.watch_disk(),
            self._publish(parts),
            self._watch_processes(parts),
            faults,
            self._breakdown.wait(),
        )

    def _note_heart(self, heart: asyncio.Task[None]) -> None:
        if not heart.cancelled() and (failure := heart.exception()) is not None:
            self._publisher.close(failure)

    async def _publish(self, parts: "Parts") -> None:
        while True:
            if self._publisher.has_readers:
                self._publish_now(parts)
            await asyncio.sleep(SNAPSHOT_SECONDS)

    async def _watch_processes(self, parts: "Parts") -> None:
        server, observer = parts.balancer.server, parts.observer
        while True:
            heard_of = observer.worker_pids  # by now, so that a worker which starts meanwhile isn't missed
            self._worker_pids = await asyncio.to_thread(server.worker_pids)
            if self._worker_pids or server.master_pid is None:
                observer.forget_workers(heard_of.difference(self._worker_pids))
            backends = [backend.pid for backend in parts.fleet if backend.pid is not None]
            nginx = [pid for pid in (server.master_pid, *self._worker_pids) if pid is not None]
            client = [] if parts.driver.pid is None else [parts.driver.pid]
            looked_at = time.monotonic()
            await observer.monitor.sample([*backends, *nginx, *client])
            parts.fleet.note_statuses(observer.monitor.is_stopped, looked_at)
            await parts.balancer.reloads.look(parts.ports.nginx)
            await asyncio.sleep(MONITOR_SECONDS)

    def _say(self, activity: str | None) -> None:
        self._activity = activity
        if self._is_watched:
            self._publish_now(self._parts)

    def _publish_now(self, parts: "Parts | None") -> None:
        self._sequence += 1
        self._publisher.publish(self._snapshot(parts))

    def _snapshot(self, parts: "Parts | None") -> "Snapshot":
        from lab.models import Snapshot  # noqa: PLC0415 - takes 15 ms, and a start unwatched is sooner without

        if parts is None:
            return Snapshot(self._sequence, self._phase, self._activity)
        balancer, observer = parts.balancer, parts.observer
        backends, reload = observer.backends(balancer.specs), balancer.reloads.view()
        return Snapshot(
            sequence=self._sequence,
            phase=self._phase,
            activity=self._activity,
            notices=self._notices.told,
            algorithm=balancer.upstream.algorithm,
            algorithms=balancer.choices(),
            nginx=observer.nginx(balancer.server, parts.ports.nginx, self._worker_pids),
            backends=backends,
            traffic=observer.traffic(parts.driver),
            seconds=observer.tally.seconds(),
            feed=observer.journal.feed(),
            ledger=observer.ledger(),
            config=balancer.config,
            reload=reload,
            retry_rules=balancer.upstream.retry_rules,
            xray=observer.xray(),
            noise=observer.noise(balancer.upstream.algorithm, backends, reload),
        )
