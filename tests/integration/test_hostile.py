"""What strangers send, to nginx or into the lab's files: shown as text, and the lab goes on."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.config import LabConfig
from lab.errors import LabError, NotReadyError
from lab.session import LabSession
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import HOST, ask, lablb, seen

HOSTILE = (
    ("[red]markup[/red]", "[@click=app.quit]click[/]"),
    ("\x1b[2J\x1b]0;title\x07", "\x1b[31mred\x1b[0m\x9b31m"),
    ('"],["injected",1', '\\"\\u0000{}\t\x7f'),
    ("%0d%0aInjected:%201", "$request_uri ${jndi:x} {{ 7 * 7 }}"),
    ("\x01\x02\x08", "\x01\x02\x08 \xff\xfe"),
)
"""What follows `/` in the URI, and the User-Agent. nginx itself refuses control characters in a URI."""


def send_raw(port: int, uri: str, agent: str) -> bytes:
    """A request as no honest client writes it; the answer's first line."""
    with socket.create_connection((HOST, port), timeout=10) as connection:
        head = f"GET /{uri} HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode("latin-1"))
        with connection.makefile("rb") as answer:
            return answer.readline()


async def test_whatever_is_in_a_request_is_text_in_the_feed(start_lab: StartLab, nginx: str) -> None:
    """Control characters, terminal escapes, markup, quotes: each request is one line, with the very bytes sent."""
    lab = await start_lab(nginx=nginx, backends=1)
    for uri, agent in HOSTILE:
        status = await asyncio.to_thread(send_raw, lab.parts.ports.nginx, uri, agent)
        assert status.split()[1] in (b"200", b"400")
    shown = await seen(lab, lambda now: len(now.feed) == len(HOSTILE), what="all of them in the feed")
    assert lab.parts.observer.log.foreign_lines == 0
    for view, (uri, agent) in zip(shown.feed, HOSTILE, strict=True):
        if view.attempts:
            assert view.uri == f"/{uri}".encode("latin-1").decode("utf-8", "replace")
            assert view.client == agent.strip().encode("latin-1").decode("utf-8", "replace")
        else:
            assert view.status == 400
    assert sum(bool(view.attempts) for view in shown.feed) >= 3
    assert (shown.phase.value, shown.notices) == ("running", ())


HOLDER = """
import ctypes, socket, sys
PR_SET_NAME = 15
ctypes.CDLL(None).prctl(PR_SET_NAME, b"\\x1b[31mPWN\\x07", 0, 0, 0)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    print("listening", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process can't name itself")
@pytest.mark.parametrize("command", ["run", "doctor"])
def test_the_name_of_who_holds_a_port_is_text_on_the_terminal(place: Place, command: str) -> None:
    """A process may call itself anything."""
    holder = [sys.executable, "-c", HOLDER, str(place.port)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"listening\n"
        done = lablb(command, *place.port_options)
        assert done.returncode == 3
        assert f"taken by ␛[31mPWN␇ (PID {process.pid})" in done.stdout + done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        process.kill()


@pytest.fixture
def tiny_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of two megabytes for the runtime folder."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "lablb-test", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("only root may mount a file system, and not everywhere")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def fill(folder: Path) -> Path:
    """Leave no room on its disk."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    assert shutil.disk_usage(folder).free == 0
    return filler


async def test_on_a_full_disk_the_lab_runs_on_and_says_so(
    tiny_disk: Path, start_lab: StartLab, excused: list[str]
) -> None:
    """Changes are refused in one sentence and leave all as it was; with room again everything works."""
    excused.append("No space left on device")
    lab = await start_lab(backends=2)
    before = lab.parts.balancer.config
    filler = fill(tiny_disk)
    await seen(lab, lambda now: any(f"The disk under {tiny_disk}" in notice for notice in now.notices), what="a notice")
    with pytest.raises(NotReadyError) as refusal:
        await lab.use_algorithm("least_conn")
    assert "No space left on device): make room there" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert lab.parts.balancer.config is before
    assert (await asyncio.to_thread(ask, lab.parts.ports.nginx)).status == 200
    await lab.kill_backend(lab.parts.ports.backends[0])
    await lab.restart_backend(lab.parts.ports.backends[0])
    filler.unlink()
    await seen(lab, lambda now: "has room again" in now.notices[-1], what="the notice that there is room again")
    await lab.use_algorithm("least_conn")
    site = lab.parts.balancer.server.folder / "sites-available" / "lablb.conf"
    assert "least_conn;" in site.read_text()
    await lab.stop()
    assert os.listdir(tiny_disk) == []  # noqa: PTH208 - every name counts


async def test_a_lab_isnt_started_on_a_full_disk(tiny_disk: Path, place: Place) -> None:
    """One sentence with the remedy, and nothing of it stays."""
    filler = fill(tiny_disk)
    lab = LabSession(LabConfig(port=place.port, base_port=place.base_port))
    try:
        with pytest.raises(LabError, match=r"can't write to .* \(No space left on device\): make room there"):
            await lab.start()
    finally:
        await lab.stop()
    filler.unlink()
    assert os.listdir(tiny_disk) == []  # noqa: PTH208 - every name counts
    place.wait_until_empty()
