"""A lab that root starts: nobody serves."""

import asyncio
import os
import pwd
import tempfile
from pathlib import Path

import psutil
import pytest

from lab.faults.fault import Fault, FaultKind
from lab.session import LabSession
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import ask, ask_times

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root has root to give up: run the tests as root"
)


def ids_of(pids: list[int | None]) -> set[tuple[int, ...]]:
    """Every user and group that the processes have: real, effective, saved, and further groups."""
    found = set()
    for pid in pids:
        process = psutil.Process(pid)
        status = Path(f"/proc/{process.pid}/status")
        groups = next(line for line in status.read_text().splitlines() if line.startswith("Groups:"))
        found.add((*process.uids(), *process.gids(), *map(int, groups.split()[1:])))
    return found


def backends_of(lab: LabSession) -> list[int | None]:
    return [backend.pid for backend in lab.parts.fleet]


async def test_backends_and_workers_are_nobody(start_lab: StartLab) -> None:
    """After a restart, and for one that is added, too; they keep their counts all the same."""
    lab = await start_lab(backends=2)
    nobody = pwd.getpwnam("nobody")
    ids = {(nobody.pw_uid,) * 3 + (nobody.pw_gid,) * 4}
    assert ids_of(backends_of(lab)) == ids
    workers = lab.parts.balancer.server.worker_pids()
    assert {psutil.Process(pid).uids() for pid in workers} == {(nobody.pw_uid,) * 3}
    await lab.kill_backend(lab.parts.ports.backends[0])
    await lab.restart_backend(lab.parts.ports.backends[0])
    await lab.add_backend()
    assert ids_of(backends_of(lab)) == ids
    assert len(set(await ask_times(6, lab.parts.ports.nginx))) == 3
    ledger = await lab.settle()
    assert (ledger.nginx_forwarded, ledger.backends_served) == (6, 6)


async def test_roots_own_runtime_folder_is_left_for_one_that_nobody_can_reach(
    start_lab: StartLab, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd makes /run/user/0 for root alone; unless it is told otherwise the lab is in the temporary folder then."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    lab = await start_lab(backends=1)
    server = lab.parts.balancer.server
    assert server.folder.parent == place.runtime
    assert {psutil.Process(pid).username() for pid in server.worker_pids()} == {"nobody"}
    assert lab._notices.told == ()


async def test_where_nobody_can_reach_no_folder_workers_stay_root_and_that_is_told(
    start_lab: StartLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backends become nobody all the same: they have their files open by then."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lab = await start_lab(backends=1)
    assert {psutil.Process(pid).uids().effective for pid in lab.parts.balancer.server.worker_pids()} == {0}
    (notice,) = lab._notices.told
    assert notice.startswith(f"nginx's workers stay root, since the user nobody can't reach {tmp_path}: ")
    assert ids_of(backends_of(lab)) != {(0,) * 7}
    assert len(set(await ask_times(2, lab.parts.ports.nginx))) == 1
    assert (await lab.settle()).backends_served == 2


async def test_root_can_be_kept(start_lab: StartLab) -> None:
    """By backends and nginx's workers both."""
    lab = await start_lab(backends=1, keep_root=True)
    workers = lab.parts.balancer.server.worker_pids()
    assert {psutil.Process(pid).uids().effective for pid in (*backends_of(lab), *workers)} == {0}
    assert (await asyncio.to_thread(ask, lab.parts.ports.nginx, method="POST", body=b"x" * 900_000)).status == 200


async def test_nobody_faults_as_well_as_root(start_lab: StartLab) -> None:
    """Refusing and letting in again, on the port that root had bound; and a graceful end."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    await lab.inject(port, Fault(FaultKind.REFUSE))
    with pytest.raises(ConnectionRefusedError):
        ask(port)
    await lab.undo_faults(port)
    assert ask(port).status == 200
    await lab.toggle_freeze(port)
    await lab.undo_faults(port)
    await lab.inject(port, Fault(FaultKind.TERMINATE))
    await lab.parts.fleet[port].end
    assert lab.parts.fleet[port].note == "ended with code 0, as it was told"
