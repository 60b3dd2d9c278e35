"""What a lab stands on: its folder, its guardian and its backends, and meanwhile nginx is asked what it is."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.backends.fleet import Fleet
from lab.backends.revival import Reviver
from lab.config import LabConfig
from lab.machine.guard import Guard
from lab.machine.ports import Ports
from lab.machine.private_files import writing_to
from lab.machine.privileges import backend_user
from lab.machine.runtime import RuntimeFolder, why_root_stays
from lab.nginx.binary import NginxBinary, find_nginx
from lab.notices import Notices


@dataclass(frozen=True, slots=True)
class Ground:
    """The parts that can start at once."""

    ports: Ports
    folder: Path
    guard: Guard
    fleet: Fleet
    finding: asyncio.Task[NginxBinary]
    """Asking an nginx what it is takes as long as a backend takes to start: both at once."""


async def lay_ground(config: LabConfig, ports: Ports, exits: AsyncExitStack, notices: Notices) -> Ground:
    """Make them, each with its way to end; only the guardian runs yet.

    Raises:
        NotReadyError: the folder for runtime files can't be written.
    """
    folder = RuntimeFolder.create(keeps_root=config.keep_root)
    exits.callback(folder.remove)
    if (notice := why_root_stays(keeps_root=config.keep_root)) is not None:
        notices.tell(notice)
    guard = Guard(folder, notices.tell_of_death)
    exits.push_async_callback(guard.stop)
    await guard.start()
    with writing_to(folder.path):
        fleet = Fleet(
            ports.backends,
            folder.path,
            config.behaviour,
            on_start=guard.guard,
            reviver=Reviver(notices.tell, notices.tell_of_death) if config.restart else None,
            user=backend_user(keeps_root=config.keep_root),
        )
    exits.push_async_callback(fleet.stop)
    finding = asyncio.create_task(find_nginx(config.nginx, folder.path))
    exits.push_async_callback(_give_up, finding)
    return Ground(ports, folder.path, guard, fleet, finding)


async def _give_up(finding: asyncio.Task[NginxBinary]) -> None:
    """Whoever wanted it has its result, or its error; if nobody did, nobody need hear of it."""
    finding.cancel()
    await asyncio.gather(finding, return_exceptions=True)
