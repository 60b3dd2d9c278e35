"""nginx's logs are cut, removed or replaced by somebody else while the lab runs: it says so and counts on."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from lab.config import BackendSpec, LabConfig
from lab.session import LabSession
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import ask, seen

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps others from a file that is open")


def cut(path: Path) -> None:
    os.truncate(path, 0)


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    """As an editor does that saves what it has read."""
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


DONE: dict[Callable[[Path], None], str] = {cut: "has cut", remove: "has removed", replace: "has replaced"}


@pytest.mark.parametrize("disturb", DONE)
@pytest.mark.parametrize("name", ["access.log", "error.log"])
async def test_a_disturbed_log_is_told_and_counts_go_on(
    start_lab: StartLab, name: str, disturb: Callable[[Path], None]
) -> None:
    """No client notices; of what nginx logged no more is missed than it wrote between two looks."""
    lab = await start_lab(is_firing=True, traffic=TrafficSpec(rate_rps=50))
    await seen(lab, lambda now: now.ledger.nginx_logged > 20, what="traffic")
    folder = lab.parts.balancer.server.folder
    before = (folder / name).stat().st_ino
    disturb(folder / name)
    shown = await seen(lab, lambda now: any(DONE[disturb] in notice for notice in now.notices), what="a notice")
    assert name in shown.notices[-1]
    wanted = shown.ledger.nginx_logged + 50
    await seen(lab, lambda now: now.ledger.nginx_logged >= wanted, what="fifty more lines of the log")
    assert ((folder / name).stat().st_ino == before) is (disturb is cut)
    await lab.use_algorithm("least_conn")
    await lab.toggle_traffic()
    last = await seen(lab, lambda now: now.traffic.in_flight == 0, what="the last answer")
    assert last.traffic.failed == 0
    ledger = await lab.settle()
    missed = ledger.client_answered - ledger.nginx_logged
    assert 0 <= missed <= 20, ledger
    assert lab.parts.observer.log.foreign_lines <= 1
    assert len(last.notices) == 1


async def test_a_log_that_grows_too_large_is_put_aside_without_loss(
    start_lab: StartLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Again and again under traffic, and the ledger agrees in the end."""
    monkeypatch.setattr("lab.parts.most_log_bytes", lambda folder: 20_000)
    lab = await start_lab(is_firing=True, traffic=TrafficSpec(rate_rps=300))
    folder = lab.parts.balancer.server.folder
    first = (folder / "access.log").stat().st_ino
    await seen(lab, lambda now: now.ledger.nginx_logged > 600, what="two seconds of traffic")
    assert (folder / "access.log").stat().st_ino != first
    await lab.toggle_traffic()
    last = await seen(lab, lambda now: now.traffic.in_flight == 0, what="the last answer")
    assert (last.traffic.failed, last.notices) == (0, ())
    ledger = await lab.settle()
    assert ledger.is_balanced, ledger


async def test_logs_stay_small_for_hours_whatever_nginx_complains_of(
    start_lab: StartLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five complaints for each request, and somebody who reads on in each file that is put aside."""
    for user in ("parts", "caretaker"):
        monkeypatch.setattr(f"lab.{user}.most_log_bytes", lambda folder: 20_000)
    backends = (BackendSpec(max_fails=0),) * 5
    lab = await start_lab(backends=backends, is_firing=True, traffic=TrafficSpec(rate_rps=300))
    folder = lab.parts.balancer.server.folder
    for port in lab.parts.ports.backends:
        await lab.kill_backend(port)
    readers: dict[tuple[str, int], int] = {}
    largest = dict.fromkeys(("access.log", "access.old", "error.log", "error.old"), 0)

    def look(_: object) -> bool:
        for path in folder.iterdir():
            if path.name in largest:
                status = path.stat()
                largest[path.name] = max(largest[path.name], status.st_size)
                if (path.name, status.st_ino) not in readers:
                    readers[path.name, status.st_ino] = os.open(path, os.O_RDONLY)
        return sum(name == "error.old" for name, _ in readers) >= 3

    try:
        await seen(lab, look, what="the error log to be put aside three times", seconds=40)
        assert {path.name for path in folder.iterdir() if path.suffix in (".log", ".old")} <= set(largest)
        assert 0 < max(largest.values()) < 8_000_000
    finally:
        for reader in readers.values():
            os.close(reader)
    assert lab._notices.told == ()


@pytest.fixture
def open_to_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for runtime folders that everybody may pass through, as /tmp is."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield folder
        assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root has workers that are nobody")
async def test_workers_that_are_nobody_log_on_and_take_bodies_in_a_folder_of_roots(
    open_to_all: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may only pass through it: nginx's master makes what they write to."""
    monkeypatch.setattr("lab.parts.most_log_bytes", lambda folder: 20_000)
    lab = LabSession(LabConfig(port=place.port, base_port=place.base_port, traffic=TrafficSpec(rate_rps=300)))
    try:
        await lab.start()
        folder = lab.parts.balancer.server.folder
        assert folder.parent == open_to_all
        assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (0, 0o710)
        assert {psutil.Process(pid).username() for pid in lab.parts.balancer.server.worker_pids()} == {"nobody"}
        first = (folder / "access.log").stat().st_ino
        await seen(lab, lambda now: now.ledger.nginx_logged > 200, what="more traffic than one log holds")
        assert (folder / "access.log").stat().st_ino != first
        large = b"x" * 100_000
        assert (await asyncio.to_thread(lambda: ask(place.port, method="POST", body=large))).status == 200
        await lab.use_algorithm("least_conn")
        await lab.toggle_traffic()
        last = await seen(lab, lambda now: now.traffic.in_flight == 0, what="the last answer")
        assert (last.traffic.failed, last.notices) == (0, ())
        ledger = await lab.settle()
        assert ledger.is_balanced, ledger
    finally:
        await lab.stop()
