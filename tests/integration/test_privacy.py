"""What a running lab shows to others of the machine: its ports on the loopback interface, and nothing else."""

import asyncio
import os
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.session import LabSession
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import HOST, ask, lablb_running, processes_in, seen, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither permission bits nor such sockets")


def open_to_others(folder: Path) -> dict[str, str]:
    """The modes of all in the folder that others could read, write or enter; links have none of their own."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        try:
            status = path.lstat()
        except FileNotFoundError:  # a scratch file that has done its service
            continue
        if not stat.S_ISLNK(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o077:
            found[str(path.relative_to(folder))] = stat.filemode(status.st_mode)
    return found


async def use_everything(lab: LabSession) -> dict[str, str]:
    """Have each kind of file made or made anew, and look at the modes of all after each step."""
    server = lab.parts.balancer.server
    found = open_to_others(server.folder)
    await lab.use_algorithm("least_conn")
    found |= open_to_others(server.folder)
    await lab.restart_backend(lab.parts.ports.backends[0])
    for log in (server.access_log, server.error_log):
        log.unlink()
    await seen(lab, lambda now: server.access_log.exists() and server.error_log.exists(), what="new logs")
    found |= open_to_others(server.folder)
    body = b"x" * 200_000  # more than nginx keeps in memory
    assert (await asyncio.to_thread(ask, lab.parts.ports.nginx, method="POST", body=body)).status == 200
    await seen(lab, lambda now: now.ledger.other_clients == 1, what="the request in the new log")
    found |= open_to_others(server.folder)
    assert [path.name for path in (server.folder / "temp").iterdir()]
    return found


async def test_every_file_of_a_lab_is_its_users_alone(start_lab: StartLab, nginx: str) -> None:
    """Files 0600, folders 0700: nginx's logs and temporary folders too, and those that are made later."""
    umask_before = current_umask()
    lab = await start_lab(nginx=nginx, is_firing=True, traffic=TrafficSpec(rate_rps=20), keep_root=True)
    assert await use_everything(lab) == {}
    assert current_umask() == umask_before


def current_umask() -> int:
    """Of this process, which may write a report that others are to read."""
    umask = os.umask(0o022)
    os.umask(umask)
    return umask


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that everybody can enter, as /tmp is."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    left = list(folder.iterdir())
    shutil.rmtree(folder)
    assert left == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root has a privilege to drop")
async def test_workers_that_became_nobody_reopen_logs_and_write_bodies(
    reachable: Path, start_lab: StartLab, nginx: str
) -> None:
    """Started by root; what they write is theirs alone, and two folders let them pass but neither look nor write."""
    lab = await start_lab(nginx=nginx, is_firing=True, traffic=TrafficSpec(rate_rps=20))
    assert lab.parts.balancer.server.folder.parent == reachable
    assert await use_everything(lab) == {".": "drwx--x---", "temp": "drwx--x---"}
    workers = [psutil.Process(pid).username() for pid in lab.parts.balancer.server.worker_pids()]
    assert set(workers) == {"nobody"}
    assert lab.parts.balancer.server.access_log.owner() == "nobody"
    await lab.stop()


def stays_here(connection: Any) -> bool:
    """Whether both its ends are on the loopback interface, or nobody else can have the other end."""
    ends = [end for end in (connection.laddr, connection.raddr) if end]
    if connection.family == socket.AF_UNIX:
        return not ends
    return connection.family == socket.AF_INET and all(end.ip == HOST for end in ends)


def test_every_socket_of_a_lab_is_on_the_loopback_interface(place: Place) -> None:
    """Of every process of it, listening or connected; beside them it has pipes, and pairs of sockets without a name."""
    with lablb_running("run", "-z", "60s", "-q", "50", "--backends", "3", *place.port_options) as lab:
        wait_until(place.is_traffic_flowing, what="traffic")
        processes = processes_in(place.folder)
        names = " ".join(" ".join(process.cmdline()) for process in processes)
        for part in ("lablb run", "lab.machine.guardian", "lab.traffic.worker", "lab.backend", "nginx: worker"):
            assert part in names
        sockets = [(process, each) for process in processes for each in process.net_connections("all")]
        ports = {each.laddr.port for _, each in sockets if each.status == psutil.CONN_LISTEN}
        assert ports == set(place.ports[:4])
        abroad = [(process.cmdline(), each) for process, each in sockets if not stays_here(each)]
        assert abroad == []
        lab.terminate()
        lab.communicate(timeout=20)
