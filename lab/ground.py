"""What a lab stands on: its folder, its guardian and its backends. All of it is there before nginx is looked for."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.config import LabConfig
from lab.fleet import Fleet
from lab.guard import Guard
from lab.notices import Notices
from lab.ports import Ports
from lab.private_files import writing_to
from lab.privileges import backend_user
from lab.runtime import RuntimeFolder


@dataclass(frozen=True, slots=True)
class Ground:
    """The parts that can start at once."""

    ports: Ports
    folder: Path
    guard: Guard
    fleet: Fleet


async def lay_ground(config: LabConfig, ports: Ports, exits: AsyncExitStack, notices: Notices) -> Ground:
    """Make them, each with its way to end; only the guardian runs yet.

    Raises:
        NotReadyError: the folder for runtime files can't be written.
    """
    folder = RuntimeFolder.create(keeps_root=config.keep_root)
    exits.callback(folder.remove)
    guard = Guard(folder, notices.tell)
    exits.push_async_callback(guard.stop)
    await guard.start()
    with writing_to(folder.path):
        fleet = Fleet(
            ports.backends,
            folder.path,
            config.behaviour,
            on_start=guard.guard,
            is_reviving=config.restart,
            user=backend_user(keeps_root=config.keep_root),
        )
    exits.push_async_callback(fleet.stop)
    return Ground(ports, folder.path, guard, fleet)
