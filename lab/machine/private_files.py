"""Writes the lab's files: for its user alone, all of a file or nothing, and a sentence where the disk refuses.

The modes are given file by file, since the process that writes them may write a report as well, which is not private.
"""

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab.errors import NotReadyError
from lab.machine.shortage import shortage

_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def opener(path: str, flags: int) -> int:
    """For `open`: a file that it makes is nobody else's business (0600)."""
    return os.open(path, flags, 0o600)


def write_all(texts: Mapping[Path, str]) -> None:
    """Write these files, all of them or, should there be no room, none: each beside its place, and then into it."""
    drafts = {path: path.with_name(f"{path.name}.new") for path in texts}
    try:
        for path, draft in drafts.items():
            with open(draft, "w", encoding="utf-8", opener=opener) as file:
                file.write(texts[path])
        for path, draft in drafts.items():
            draft.replace(path)
    except OSError:
        for draft in drafts.values():
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Where the folder's disk refuses, a person reads why, and what to do.

    Raises:
        NotReadyError: in place of the OSError.
    """
    try:
        yield
    except OSError as error:
        if (lack := shortage(error)) is not None:
            raise NotReadyError(f"The lab can't write to {folder} {lack}.") from None
        remedy = "make room there" if error.errno in _NO_ROOM else "make it writable"
        raise NotReadyError(
            f"The lab can't write to {folder} ({error.strerror}): {remedy} or point TMPDIR elsewhere."
        ) from None
