"""What a lab consists of beside its backends, and how that is put together."""

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from lab.backends.fleet import Fleet
from lab.caretaker import Caretaker
from lab.comparison.contest import DEFAULT_ALGORITHMS, Contest
from lab.comparison.scenarios import scenario_named
from lab.comparison.standing import Standing
from lab.config import FALLBACK_PORTS, LabConfig
from lab.errors import LabError
from lab.faults.clock import FaultClock
from lab.ground import Ground
from lab.logs.access_log import AccessLog
from lab.logs.log_file import most_log_bytes
from lab.machine.ports import Ports, free_row, next_free_port
from lab.nginx.balancer import Balancer
from lab.nginx.server import NginxServer
from lab.nginx.verdict import cases_of
from lab.notices import Notices
from lab.observer import Observer
from lab.traffic.driver import TrafficDriver
from lab.witnesses import NginxWitness, RequestDetail, RequestView


@dataclass(frozen=True, slots=True)
class Parts:
    """A lab that is put together."""

    ports: Ports
    fleet: Fleet
    balancer: Balancer
    driver: TrafficDriver
    observer: Observer
    fault_clock: FaultClock
    caretaker: Caretaker
    contest: Contest

    async def request_detail(self, request: RequestView) -> RequestDetail:
        """What client, nginx and backends know of a request; the view alone tells what nginx logged, however old."""
        tried = [self.fleet.get(attempt.port) for attempt in request.attempts if attempt.port is not None]
        backends = [await backend.recall(request.request_id) for backend in tried if backend is not None]
        return RequestDetail(
            view=request,
            nginx=NginxWitness(
                request.time,
                request.worker_pid,
                request.generation,
                request.status,
                request.seconds,
                request.attempts,
                self._reasons(request),
            ),
            client=None if request.shot is None else await self.driver.recall(request.shot),
            backends=tuple(witness for witness in backends if witness is not None),
        )

    async def add_backend(self) -> None:
        """Start one more backend, on the next free port, and put it into the upstream once it listens.

        Raises:
            LabError: there is no port for it, it doesn't start, or nginx refuses it; all is as it was then.
        """
        port = next_free_port(max(self.fleet.ports), taken={self.ports.nginx})
        await self.fleet.add(port)
        self.observer.tally.disown(port)
        try:
            await self.balancer.add(port)
        except LabError:
            await self.fleet.remove(port)
            raise

    async def remove_backend(self, port: int) -> None:
        """Take it out of the upstream, and end it once it has answered what it has on its hands.

        Raises:
            LabError: it isn't there, is the last primary, or nginx refuses; all is as it was then.
        """
        await self.balancer.remove(port)
        await self.fleet.remove(port)

    def compare(self, scenario: str, seconds: float) -> AsyncGenerator[Standing, None]:
        """Compare the algorithms that this nginx has, beside this lab, on ports that are free.

        Raises:
            LabError: there are none.
        """
        available = {choice.name for choice in self.balancer.choices() if choice.is_available}
        algorithms = [name for name in DEFAULT_ALGORITHMS if name in available]
        highest = max(self.ports.nginx, *self.fleet.ports, FALLBACK_PORTS[0] - 1)
        port = free_row(highest, 1 + len(scenario_named(scenario).weights))
        return self.contest.run(scenario, seconds, algorithms, port)

    def _reasons(self, request: RequestView) -> tuple[str, ...]:
        upstream = self.balancer.upstreams.get(request.generation)
        return () if upstream is None else tuple(case.reason for case in cases_of(request, upstream))


async def assemble(config: LabConfig, shot_name: str, ground: Ground, exits: AsyncExitStack, notices: Notices) -> Parts:
    """Make what is missing, each part with its way to end; none of it runs yet.

    Raises:
        NotReadyError: there is no such nginx, or it lacks the algorithm.
    """
    server = NginxServer(await ground.finding, ground.folder, ground.guard)
    balancer = Balancer(server, config, ground.ports)
    observer = Observer(
        AccessLog(server.access_log, time.monotonic, most_log_bytes(ground.folder), notices.tell),
        ground.fleet,
        balancer,
        shot_name,
    )
    exits.callback(observer.log.close)
    driver = TrafficDriver(config.traffic, shot_name, observer.note_outcomes)
    driver.on_start = ground.guard.guard
    exits.push_async_callback(driver.stop)
    plan = [(ground.ports.backends[config.place_of(planned)], planned) for planned in config.faults]
    fault_clock = FaultClock(plan, ground.fleet.__getitem__, time.perf_counter, tell=notices.tell)
    caretaker = Caretaker(balancer, observer, driver, notices)
    exits.callback(caretaker.close)
    contest = Contest(config, driver)
    exits.push_async_callback(contest.stop)
    return Parts(ground.ports, ground.fleet, balancer, driver, observer, fault_clock, caretaker, contest)
