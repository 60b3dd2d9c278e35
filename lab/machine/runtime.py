"""The runtime folder: where nginx's files and logs live while the lab runs, private to its user, gone afterwards."""

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

from lab.errors import NotReadyError
from lab.machine.living import birth, lives
from lab.machine.private_files import write_all, writing_to
from lab.machine.privileges import UNPRIVILEGED, is_open_to_all, is_root, worker_account

PREFIX = "lablb-"
OWNER_FILE = "owner.json"
HANDOVER_SECONDS = 3.0
"""How long the guardian of a lab that was killed gets to clean up before the next lab does it."""

MAIN_FILE = "nginx.conf"
"""nginx's `-c`, in the folder that is its `-p`."""
MASTER_TITLE = "nginx: master process"

NEWBORN_SECONDS = 60.0
"""How long a folder without a named owner counts as one that is just being made."""


@dataclass(frozen=True, slots=True)
class RuntimeFolder:
    """A folder (0700) of one lab, under a name that nobody can guess beforehand; all that is in it is private, too.

    Root's (0710) lets nginx's workers pass, who are nobody, and write nothing: where they could put a link, root would
    follow it. What they write to, nginx's master makes for them.
    """

    path: Path

    @classmethod
    def create(cls, *, keeps_root: bool = False) -> "RuntimeFolder":
        """Make a new one.

        Raises:
            NotReadyError: the folder for runtime files can't be written.
        """
        path = private_folder(PREFIX, base_folder(keeps_root=keeps_root))
        folder = cls(path)
        try:
            folder._furnish(keeps_root=keeps_root)
        except NotReadyError:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return folder

    def _furnish(self, *, keeps_root: bool) -> None:
        """Make what belongs into a new one.

        Raises:
            NotReadyError: the folder can't be written.
        """
        base, path = self.path.parent, self.path
        with writing_to(base):
            for name in ("sites-available", "sites-enabled", "temp"):
                (path / name).mkdir(mode=0o700)
            if (account := worker_account(base, keeps_root=keeps_root)) is not None and account.uid != os.getuid():
                for each in (path, path / "temp"):  # nginx's workers pass through, to logs and folders of their own
                    os.chown(each, os.getuid(), account.gid)
                    each.chmod(0o710)
        self.record_owners(os.getpid())

    def record_owners(self, *pids: int) -> None:
        """Write down who answers for the folder, the lab first, so that a later lab can tell whether it is orphaned.

        Raises:
            NotReadyError: the folder can't be written.
        """
        owners = [(pid, _birth(pid)) for pid in pids]
        with writing_to(self.path):
            write_all({self.path / OWNER_FILE: json.dumps(owners)})

    def remove(self) -> None:
        """Remove it, if the guardian hasn't: one that was killed leaves its nginx behind, too."""
        if self.path.exists():
            kill_processes_of(self.path)
            shutil.rmtree(self.path, ignore_errors=True)


def base_folder(*, keeps_root: bool = False) -> Path:
    """Where a lab of this user has its folder: in the user's runtime folder, or in that for temporary files.

    Root's is one where nginx's workers can be nobody; where neither is, they stay root, and `why_root_stays` says so.

    Raises:
        NotReadyError: there is neither.
    """
    bases = _base_folders()
    return next((base for base in bases if keeps_root or not is_root() or is_open_to_all(base)), bases[0])


def why_root_stays(*, keeps_root: bool = False) -> str | None:
    """A sentence for root where nginx's workers stay root though nobody asked for it; None where they don't.

    Raises:
        NotReadyError: there is no folder for runtime files.
    """
    base = base_folder(keeps_root=keeps_root)
    if keeps_root or not is_root() or is_open_to_all(base):
        return None
    return (
        f"nginx's workers stay root, since the user {UNPRIVILEGED} can't reach {base}:"
        " point TMPDIR to a folder that everybody may enter."
    )


def _base_folders() -> list[Path]:
    """All places where labs of this user may be, the best first."""
    bases = []
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK) and _is_mine(Path(runtime)):
        bases.append(Path(runtime))
    try:
        bases.append(Path(tempfile.gettempdir()))
    except FileNotFoundError as error:
        if not bases:
            raise NotReadyError(
                f"The lab finds no folder for its files ({error.strerror}): point TMPDIR to one."
            ) from None
    return bases


def private_folder(prefix: str, base: Path | None = None) -> Path:
    """A new folder (0700) for runtime files, under a name that nobody can guess; in the base folder unless told.

    Raises:
        NotReadyError: the folder for runtime files can't be written.
    """
    base = base or base_folder()
    with writing_to(base):
        return Path(tempfile.mkdtemp(prefix=prefix, dir=base))


def sweep() -> None:
    """Remove what labs that were killed left behind: first wait for their guardians, then lend a hand."""
    found = (path for base in _base_folders() for path in base.glob(f"{PREFIX}*"))
    orphans = [path for path in found if _is_ours(path) and _lab_is_gone(path)]
    deadline = time.monotonic() + HANDOVER_SECONDS
    for path in orphans:
        guardians = _owners(path)[1:]  # asked once: the file that names them goes while they still clean up
        while path.exists() and any(lives(*each) for each in guardians) and time.monotonic() < deadline:
            time.sleep(0.02)
        kill_processes_of(path)
        shutil.rmtree(path, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return _is_mine(path) and path.is_dir() and not path.is_symlink()
    return False


def _is_mine(path: Path) -> bool:
    """Whether it belongs to this user: who owns a folder can put another one in the place of what is in it."""
    return not hasattr(os, "getuid") or path.lstat().st_uid == os.getuid()


def _owners(path: Path) -> list[tuple[int, float]]:
    """PID and birth of the lab and of its guardian; nothing if that can't be read, or isn't there (any more)."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        content = json.loads((path / OWNER_FILE).read_text(encoding="utf-8"))
        return [(int(pid), float(born)) for pid, born in content]
    return []


def _birth(pid: int) -> float:
    """0, which no process has, for one that has just died."""
    with contextlib.suppress(ProcessLookupError):
        return birth(pid)
    return 0.0


def _lab_is_gone(path: Path) -> bool:
    """Where nobody knows whose it is, as another version's may be, living processes mean that its lab lives, too."""
    owners = _owners(path)
    if not owners:
        with contextlib.suppress(OSError):
            return time.time() - path.stat().st_mtime > NEWBORN_SECONDS and not _processes_of(path)
        return False
    return not lives(*owners[0])


def is_of_lab(command: Sequence[str], folder: Path) -> bool:
    """Whether this is the command line of an nginx, a backend or a guardian of the lab in that folder.

    Somebody who reads its logs with `tail -f` isn't the lab's. nginx's master calls itself by one text.
    """
    if (text := " ".join(command)).startswith(MASTER_TITLE):
        return f" -p {folder} -c {MAIN_FILE}" in text
    pairs = {(option, Path(value)) for option, value in pairwise(command)}
    is_nginx = ("-p", folder) in pairs and ("-c", Path(MAIN_FILE)) in pairs
    is_backend = ("-m", Path("lab.backend")) in pairs and any(
        option == "--scoreboard" and value.parent == folder for option, value in pairs
    )
    return is_nginx or is_backend or ("lab.machine.guardian", folder) in pairs


def kill_processes_of(path: Path) -> None:
    """SIGKILL what is left of the lab in that folder, but for the process that calls."""
    for process in _processes_of(path):
        leftovers = [process]
        with contextlib.suppress(psutil.NoSuchProcess):
            leftovers += process.children(recursive=True)
        for leftover in leftovers:
            with contextlib.suppress(psutil.Error):
                leftover.kill()
        psutil.wait_procs(leftovers, timeout=1)


def _processes_of(path: Path) -> list[psutil.Process]:
    """Those of the lab in that folder that run, but for the process that calls."""
    running = psutil.process_iter(["cmdline"])
    return [each for each in running if each.pid != os.getpid() and is_of_lab(each.info["cmdline"] or (), path)]
