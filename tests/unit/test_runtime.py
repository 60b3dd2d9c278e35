"""The folder a lab lives in, and what becomes of the folders of labs that were killed."""

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from lab.errors import NotReadyError
from lab.machine.living import birth
from lab.machine.privileges import Account
from lab.machine.runtime import (
    HANDOVER_SECONDS,
    NEWBORN_SECONDS,
    RuntimeFolder,
    base_folder,
    is_of_lab,
    sweep,
    why_root_stays,
)


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of this test's own."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def dead_pid() -> int:
    """The PID of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def disown(folder: RuntimeFolder, pid: int) -> None:
    """Make it the folder of a lab that is gone."""
    (folder.path / "owner.json").write_text(f"[[{pid}, 1.0]]")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_the_folder_is_its_users_alone() -> None:
    """0700: logs and configuration are nobody else's business."""
    assert stat.S_IMODE(RuntimeFolder.create().path.stat().st_mode) == 0o700


def test_nginxs_unprivileged_workers_can_pass_through_the_folder_and_write_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A link that they put there would have root overwrite what it points to."""
    nobody = Account(os.getuid() + 1, os.getgid(), "nobody", "nogroup")
    monkeypatch.setattr("lab.machine.runtime.worker_account", lambda base, keeps_root: nobody)
    folder = RuntimeFolder.create().path
    for path in (folder, folder / "temp"):
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (os.getuid(), 0o710)
    for name in ("sites-available", "sites-enabled"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700


def test_the_folder_has_the_articles_layout_and_a_name_of_its_own() -> None:
    """Two labs of one user never share one."""
    first, second = RuntimeFolder.create(), RuntimeFolder.create()
    assert first.path != second.path
    assert (first.path / "sites-available").is_dir()
    assert (first.path / "sites-enabled").is_dir()


def test_removing_it_twice_is_quiet() -> None:
    """The guardian may have been first."""
    folder = RuntimeFolder.create()
    folder.remove()
    folder.remove()
    assert not folder.path.exists()


def test_the_users_runtime_folder_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in memory and gone at log-out; where it can't be written, the folder for temporary files is."""
    runtime = tmp_path / "run"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert base_folder() == runtime
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    assert base_folder() == tmp_path


@pytest.fixture
def private_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's runtime folder as systemd makes it: closed to others."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    return runtime


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no root")
def test_roots_folder_is_where_nobody_can_reach_it(
    tmp_path: Path, private_runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary user's labs, and those that keep root, need nobody to reach theirs."""
    monkeypatch.setattr("lab.machine.runtime.is_open_to_all", lambda folder: folder == tmp_path)
    monkeypatch.setattr("lab.machine.runtime.is_root", lambda: True)
    assert base_folder() == tmp_path
    assert why_root_stays() is None
    assert base_folder(keeps_root=True) == private_runtime
    assert why_root_stays(keeps_root=True) is None
    monkeypatch.setattr("lab.machine.runtime.is_root", lambda: False)
    assert base_folder() == private_runtime
    assert why_root_stays() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no root")
def test_root_is_told_where_its_workers_stay_root(private_runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As nobody can reach any folder that they could work in."""
    monkeypatch.setattr("lab.machine.runtime.is_open_to_all", lambda folder: False)
    monkeypatch.setattr("lab.machine.runtime.is_root", lambda: True)
    assert base_folder() == private_runtime
    assert why_root_stays() == (
        f"nginx's workers stay root, since the user nobody can't reach {private_runtime}:"
        " point TMPDIR to a folder that everybody may enter."
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no user IDs")
def test_somebody_elses_runtime_folder_isnt_used(
    tmp_path: Path, private_runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sudo -E` leaves root that of the user, who could put a folder of their own in the place of root's."""
    monkeypatch.setattr(os, "getuid", lambda: private_runtime.stat().st_uid + 1)
    assert base_folder() == tmp_path


def test_a_place_that_cant_be_written_is_an_error_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path below a file can't be written by anybody, root included."""
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(NotReadyError, match=r"can't write to .*file \(.*\): make it writable or point TMPDIR"):
        RuntimeFolder.create()


def test_no_place_at_all_is_an_error_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even Python finds a folder for temporary files, a person gets the same kind of sentence."""

    def refuse() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    with pytest.raises(NotReadyError, match="TMPDIR"):
        RuntimeFolder.create()


def test_sweeping_removes_what_a_killed_lab_left(dead_pid: int) -> None:
    """Its folder goes, whatever is in it."""
    folder = RuntimeFolder.create()
    (folder.path / "access.log").write_text("...")
    disown(folder, dead_pid)
    sweep()
    assert not folder.path.exists()


def test_sweeping_looks_wherever_a_lab_may_have_been(dead_pid: int, private_runtime: Path, tmp_path: Path) -> None:
    """The one that was killed may have been root's, or have had another environment."""
    folders = []
    for base in (private_runtime, tmp_path):
        path = base / "lablb-killed"
        path.mkdir()
        disown(RuntimeFolder(path), dead_pid)
        folders.append(path)
    sweep()
    assert not any(path.exists() for path in folders)


def test_sweeping_leaves_a_living_lab_alone() -> None:
    """Two labs may run side by side on different ports."""
    folder = RuntimeFolder.create()
    sweep()
    assert folder.path.exists()


def test_a_process_that_got_a_dead_labs_pid_doesnt_keep_its_folder() -> None:
    """A PID alone names nobody; together with its time of creation it does."""
    folder = RuntimeFolder.create()
    disown(folder, os.getpid())
    sweep()
    assert not folder.path.exists()


HOME = Path("/tmp/lablb-x y")
PYTHON = ("/usr/bin/python3", "-P", "-m")


@pytest.mark.parametrize(
    "command",
    [
        ("/opt/nginx", "-e", "error.log", "-p", str(HOME), "-c", "nginx.conf"),
        (f"nginx: master process /opt/nginx -e error.log -p {HOME} -c nginx.conf", "", ""),
        tuple(f"nginx: master process /opt/nginx -p {HOME} -c nginx.conf".split(" ")),
        (*PYTHON, "lab.backend", "71", "--lab", "--scoreboard", str(HOME / "scores-71")),
        (*PYTHON, "lab.machine.guardian", str(HOME)),
    ],
)
def test_processes_of_a_lab_are_known_by_what_they_run(command: tuple[str, ...]) -> None:
    """nginx's master writes its title over its arguments, which systems then show as one text or as many."""
    assert is_of_lab(command, HOME)
    assert not is_of_lab(command, Path(f"{HOME}z"))


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("tail", "-f", str(HOME / "access.log")),
        ("vim", "-p", str(HOME), str(HOME / "nginx.conf")),
        ("cp", "-p", str(HOME), "/somewhere"),
        ("bash", "-c", f"nginx -p {HOME} -c nginx.conf"),
        (*PYTHON, "http.server", "--directory", str(HOME)),
    ],
)
def test_who_looks_into_a_labs_folder_isnt_of_the_lab(command: tuple[str, ...]) -> None:
    """A person who reads the log of a lab that was killed keeps the window it is read in."""
    assert not is_of_lab(command, HOME)


def test_sweeping_ends_the_guardian_of_a_killed_lab_and_no_reader_of_its_log(dead_pid: int) -> None:
    """Both name the folder on their command lines."""
    folder = RuntimeFolder.create()
    code = "import time; time.sleep(60)"
    with (
        subprocess.Popen([sys.executable, "-c", code, "-m", "lab.machine.guardian", str(folder.path)]) as left_behind,
        subprocess.Popen([sys.executable, "-c", code, "-f", str(folder.path / "access.log")]) as reader,
    ):
        disown(folder, dead_pid)
        try:
            sweep()
            assert left_behind.poll() is not None
            assert reader.poll() is None
        finally:
            left_behind.kill()
            reader.kill()


def test_sweeping_leaves_alone_what_isnt_a_labs(tmp_path: Path, dead_pid: int) -> None:
    """Neither files, nor links, nor folders of other names."""
    (tmp_path / "lablb-notes.txt").write_text("mine")
    (tmp_path / "other").mkdir()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "owner.json").write_text(f"[[{dead_pid}, 1.0]]")
    (tmp_path / "lablb-link").symlink_to(precious)
    sweep()
    assert {path.name for path in tmp_path.iterdir()} == {"lablb-notes.txt", "other", "precious", "lablb-link"}


def test_a_folder_without_an_owner_is_left_while_it_is_young(tmp_path: Path) -> None:
    """Another lab may be making it this very moment; after a minute nobody is."""
    young, old = tmp_path / "lablb-young", tmp_path / "lablb-old"
    for folder in (young, old):
        folder.mkdir()
    long_ago = time.time() - NEWBORN_SECONDS - 1
    os.utime(old, (long_ago, long_ago))
    sweep()
    assert young.exists()
    assert not old.exists()


def test_a_spoilt_owner_file_is_no_owner(tmp_path: Path) -> None:
    """Half a file, or another text, keeps nobody from starting a lab."""
    for name, text in {"cut": "[[12, 3", "empty": "", "other": '"me"', "numbers": "[1, 2]", "none": "null"}.items():
        folder = tmp_path / f"lablb-{name}"
        folder.mkdir()
        (folder / "owner.json").write_text(text)
    sweep()


@pytest.mark.parametrize("owners", ["cut", None, '{"version": 2, "lab": {"pid": 1}}'])
def test_a_folder_whose_owner_cant_be_read_is_left_while_processes_of_it_live(
    tmp_path: Path, owners: str | None
) -> None:
    """A lab of another version may write down its owners in its own way."""
    folder = tmp_path / "lablb-other"
    folder.mkdir()
    if owners is not None:
        (folder / "owner.json").write_text(owners)
    long_ago = time.time() - NEWBORN_SECONDS - 1
    os.utime(folder, (long_ago, long_ago))
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, "-m", "lab.machine.guardian", str(folder)]) as guardian:
        try:
            sweep()
            assert folder.exists()
            assert guardian.poll() is None
        finally:
            guardian.kill()
    sweep()
    assert not folder.exists()


def test_sweeping_waits_for_the_guardian_of_a_lab_that_was_just_killed(dead_pid: int, tmp_path: Path) -> None:
    """The guardian ends nginx in good order; the next lab lends a hand only when it doesn't."""
    folder = RuntimeFolder.create()
    code = f"import time; time.sleep(0.3); __import__('shutil').rmtree({str(folder.path)!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as guardian:
        born = birth(guardian.pid)
        (folder.path / "owner.json").write_text(f"[[{dead_pid}, 1.0], [{guardian.pid}, {born}]]")
        begun = time.monotonic()
        sweep()
        assert not folder.path.exists()
        assert time.monotonic() - begun < HANDOVER_SECONDS
        assert guardian.wait(timeout=10) == 0
