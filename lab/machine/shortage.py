"""What a system lacks that refuses a further process, thread or open file, and what a person can do about it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from lab.errors import NotReadyError

_NO_THREAD = "can't start new thread"
"""Python has no class for this error, only its text."""
_THREAD_REMEDY = (
    "end other processes of this user, or have more of them, and more memory, allowed (ulimit -u, ulimit -v)"
)
_REMEDIES = {
    errno.EMFILE: "ask for less, or have more open files allowed (ulimit -n)",
    errno.ENFILE: "end other programs, as all of them together have too many files open",
    errno.EAGAIN: "end other processes of this user, or have more of them allowed (ulimit -u)",
    errno.ENOMEM: "end other programs, or ask for fewer backends",
}


def shortage(error: OSError | RuntimeError) -> str | None:
    """What is lacking and the remedy, without a full stop; None if the error is another one."""
    if isinstance(error, OSError):
        remedy = _REMEDIES.get(error.errno or 0)
        return None if remedy is None else f"({error.strerror}): {remedy}"
    return f"(too many threads): {_THREAD_REMEDY}" if str(error) == _NO_THREAD else None


@contextmanager
def starting(what: str) -> Iterator[None]:
    """Where the system has no room for what is started, a person reads why, and what to do.

    Raises:
        NotReadyError: in place of the system's error.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        if (lack := shortage(error)) is None:
            raise
        raise NotReadyError(f"The system doesn't let {what} start {lack}.") from None
