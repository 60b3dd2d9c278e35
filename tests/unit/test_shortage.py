"""A system that has no room for a further process, thread or file."""

import errno
import os

import pytest

from lab.errors import NotReadyError
from lab.machine.shortage import shortage, starting


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EMFILE, "ulimit -n"), (errno.ENFILE, "other programs"), (errno.EAGAIN, "ulimit -u"), (errno.ENOMEM, "end")],
)
def test_what_is_lacking_is_one_sentence_with_its_remedy(number: int, remedy: str) -> None:
    """With the system's own words for it."""
    with pytest.raises(NotReadyError) as refusal, starting("nginx"):
        raise OSError(number, os.strerror(number))
    sentence = str(refusal.value)
    assert sentence.startswith(f"The system doesn't let nginx start ({os.strerror(number)}): ")
    assert remedy in sentence
    assert sentence.endswith(".")


def test_a_thread_that_the_system_refuses_is_a_lack_of_processes() -> None:
    """Linux counts them together."""
    with pytest.raises(NotReadyError, match=r"\(too many threads\): .*ulimit -u"), starting("nginx"):
        raise RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    "error", [RuntimeError("a bug"), FileNotFoundError(errno.ENOENT, "no such file"), OSError("?")]
)
def test_other_errors_are_no_lack(error: OSError | RuntimeError) -> None:
    """They go on as what they are."""
    assert shortage(error) is None
    with pytest.raises(type(error)) as same, starting("nginx"):
        raise error
    assert same.value is error
