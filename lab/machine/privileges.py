"""Who nginx's workers and the backends become when the lab was started as root: nobody.

nginx's workers stay root where nobody couldn't reach the lab's folder; the backends need no file once they run.
`lab.machine.runtime` looks for a folder that nobody can reach.
"""

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = "nobody"
ROOT = "root"


@dataclass(frozen=True, slots=True)
class Account:
    """A user and that user's group."""

    uid: int
    gid: int
    user: str
    group: str


def worker_account(base: Path, *, keeps_root: bool = False) -> Account | None:
    """The account that can write bodies and logs in a folder of its own below `base`; None if root doesn't ask."""
    if not is_root():
        return None
    return _account(UNPRIVILEGED if not keeps_root and is_open_to_all(base) else ROOT)


def is_open_to_all(folder: Path) -> bool:
    """Whether every user can pass to what is in it."""
    place = folder.resolve()
    return all(each.stat().st_mode & stat.S_IXOTH for each in (place, *place.parents))


def backend_user(*, keeps_root: bool) -> str | None:
    """The user that a backend becomes; None if it stays who it is."""
    return UNPRIVILEGED if is_root() and not keeps_root else None


def become(user: str) -> None:
    """Give up root for good, and with it every group of root's."""
    assert sys.platform != "win32"
    account = _account(user)
    os.initgroups(account.user, account.gid)
    os.setgid(account.gid)
    os.setuid(account.uid)


def is_root() -> bool:
    """Whether this process has root's rights."""
    return sys.platform != "win32" and os.geteuid() == 0


def _account(user: str) -> Account:
    import grp  # noqa: PLC0415 - POSIX only
    import pwd  # noqa: PLC0415 - POSIX only

    entry = pwd.getpwnam(user)
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name)
