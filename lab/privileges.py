"""Who nginx's workers become when the lab was started as root: nobody, where nobody can reach the lab's folder."""

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """A user and that user's group."""

    uid: int
    gid: int
    user: str
    group: str


def worker_account(base: Path) -> Account | None:
    """The account that can write bodies and logs in a folder of its own below `base`; None if root doesn't ask."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import grp  # noqa: PLC0415 - POSIX only
    import pwd  # noqa: PLC0415 - POSIX only

    is_reachable = all(folder.stat().st_mode & stat.S_IXOTH for folder in (base, *base.parents))
    entry = pwd.getpwnam(UNPRIVILEGED) if is_reachable else pwd.getpwuid(0)
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name)
