"""What a lab stands on: its folder, its guardian and its backends. All of it is there before nginx is looked for."""

import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.config import LabConfig
from lab.fleet import Fleet
from lab.ports import Ports
from lab.privileges import backend_user
from lab.processes import Child
from lab.runtime import RuntimeFolder

GUARDIAN_GRACE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Ground:
    """The parts that can start at once."""

    ports: Ports
    folder: Path
    guardian: Child
    fleet: Fleet


async def lay_ground(config: LabConfig, ports: Ports, exits: AsyncExitStack) -> Ground:
    """Make them, each with its way to end; only the guardian runs yet.

    Raises:
        NotReadyError: the folder for runtime files can't be written.
    """
    folder = RuntimeFolder.create(keeps_root=config.keep_root)
    exits.callback(folder.remove)
    guardian = await Child.spawn("lab.guardian", str(folder.path))
    exits.push_async_callback(guardian.stop, GUARDIAN_GRACE_SECONDS)
    folder.record_owners(os.getpid(), guardian.pid)
    fleet = Fleet(
        ports.backends,
        folder.path,
        config.behaviour,
        on_start=lambda pid: guardian.send({"order": "guard", "pid": pid}),
        is_reviving=config.restart,
        user=backend_user(keeps_root=config.keep_root),
    )
    exits.push_async_callback(fleet.stop)
    return Ground(ports, folder.path, guardian, fleet)
