"""What a lab consists of beside its backends, and how that is put together."""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from lab.access_log import AccessLog
from lab.caretaker import Caretaker
from lab.config import LabConfig
from lab.fleet import Fleet
from lab.ground import Ground
from lab.journal import view_of
from lab.nginx.balancer import Balancer
from lab.nginx.binary import find_nginx
from lab.nginx.server import NginxServer
from lab.notices import Notices
from lab.observer import Observer
from lab.ports import Ports
from lab.traffic.driver import TrafficDriver
from lab.witnesses import NginxWitness, RequestDetail


@dataclass(frozen=True, slots=True)
class Parts:
    """A lab that is put together."""

    ports: Ports
    fleet: Fleet
    balancer: Balancer
    driver: TrafficDriver
    observer: Observer
    caretaker: Caretaker

    async def request_detail(self, number: int) -> RequestDetail:
        """What client, nginx and backends know of the feed's request of that number.

        Raises:
            LabError: it is too long ago.
        """
        entry = self.observer.journal.entry(number)
        line = entry.line
        assert line is not None
        ports = [attempt.port for attempt in line.attempts if attempt.port is not None]
        backends = [await self.fleet[port].recall(line.request_id) for port in ports]
        return RequestDetail(
            view=view_of(entry),
            nginx=NginxWitness(line.time, line.worker_pid, line.generation, line.status, line.seconds, line.attempts),
            client=None if entry.outcome is None else await self.driver.recall(entry.outcome.number),
            backends=tuple(witness for witness in backends if witness is not None),
        )


async def assemble(config: LabConfig, shot_name: str, ground: Ground, exits: AsyncExitStack, notices: Notices) -> Parts:
    """Make what is missing, each part with its way to end; none of it runs yet.

    Raises:
        NotReadyError: there is no such nginx, or it lacks the algorithm.
    """
    server = NginxServer(await find_nginx(config.nginx), ground.folder, ground.guard)
    balancer = Balancer(server, config, ground.ports)
    observer = Observer(AccessLog(server.access_log, time.monotonic, tell=notices.tell), ground.fleet, shot_name)
    exits.callback(observer.log.close)
    driver = TrafficDriver(config.traffic, shot_name, observer.note_outcomes)
    exits.push_async_callback(driver.stop)
    caretaker = Caretaker(balancer, observer, driver, notices)
    exits.callback(caretaker.close)
    return Parts(ground.ports, ground.fleet, balancer, driver, observer, caretaker)
