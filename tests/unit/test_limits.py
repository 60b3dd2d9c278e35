"""What a machine allows is asked for, and what it doesn't allow is told before anything is started."""

import math
import sys
from types import SimpleNamespace

import psutil
import pytest

from lab.config import BackendSpec, LabConfig
from lab.errors import NotReadyError
from lab.machine.limits import (
    ROOMY_CONNECTIONS,
    ROOMY_FILES,
    files_allowed,
    most_connections,
    require_room,
    worker_connections,
)
from lab.traffic.plan import TrafficSpec

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")


class Limit:
    """A process's limit of open files, as the module `resource` shows it."""

    RLIMIT_NOFILE = 7
    RLIM_INFINITY = -1

    def __init__(self, soft: int, hard: int) -> None:
        self.soft, self.hard = soft, hard

    def getrlimit(self, _: int) -> tuple[int, int]:
        return self.soft, self.hard

    def setrlimit(self, _: int, limits: tuple[int, int]) -> None:
        assert limits[1] == self.hard
        assert self.hard == self.RLIM_INFINITY or limits[0] <= self.hard
        self.soft, _ = limits


def limited(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> Limit:
    limit = Limit(soft, hard)
    monkeypatch.setitem(sys.modules, "resource", limit)
    return limit


def lab_of(*, backends: int = 5, connections: int | None = None, workers: int = 1) -> LabConfig:
    return LabConfig(
        backends=(BackendSpec(),) * backends,
        nginx_workers=workers,
        traffic=TrafficSpec(connections=connections),
    )


@pytest.mark.parametrize(("hard", "after"), [(1 << 20, ROOMY_FILES), (4096, 4096), (Limit.RLIM_INFINITY, ROOMY_FILES)])
def test_the_soft_limit_is_raised_as_far_as_a_user_may(monkeypatch: pytest.MonkeyPatch, hard: int, after: int) -> None:
    """Systems give 256 or 1,024 for a start, and allow more to whoever asks."""
    limit = limited(monkeypatch, 256, hard)
    require_room(lab_of())
    assert (limit.soft, limit.hard) == (after, hard)


def test_a_limit_that_is_high_enough_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's limit is lowered."""
    for soft in (100_000, Limit.RLIM_INFINITY):
        limit = limited(monkeypatch, soft, Limit.RLIM_INFINITY)
        require_room(lab_of(connections=10_000))
        assert limit.soft == soft


def test_more_connections_have_more_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes two of nginx's."""
    limit = limited(monkeypatch, 1024, 1 << 20)
    require_room(lab_of(connections=10_000))
    assert limit.soft > 20_000


@pytest.mark.parametrize("connections", [1, 92, 95])
@pytest.mark.parametrize("workers", [1, 4])
def test_what_is_said_to_be_the_most_is_allowed_and_one_more_isnt(
    monkeypatch: pytest.MonkeyPatch, connections: int, workers: int
) -> None:
    """The sentence names the option, a value that works, and what would allow the one that was given."""
    limited(monkeypatch, 256, 256)
    most = most_connections(workers)
    require_room(lab_of(connections=most, workers=workers))
    with pytest.raises(NotReadyError) as refusal:
        require_room(lab_of(connections=most + 1, workers=workers))
    assert f"{most + 1:,} connections nginx needs 25" in str(refusal.value)
    assert f"allows a process 256: give -c {most} or fewer, or have root allow more with: ulimit -n 25" in str(
        refusal.value
    )


def test_backends_that_the_lab_couldnt_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are offered instead are allowed."""
    limited(monkeypatch, 64, 200)
    require_room(lab_of(backends=40))
    with pytest.raises(
        NotReadyError, match=r"^A lab of 50 backends needs 240 open files.* 200: give --backends 40 or "
    ):
        require_room(lab_of(backends=50))


def test_a_system_that_allows_no_lab_at_all_offers_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one of a single backend."""
    limited(monkeypatch, 24, 24)
    with pytest.raises(NotReadyError) as refusal:
        require_room(lab_of(backends=1))
    assert "--backends" not in str(refusal.value)
    assert str(refusal.value).endswith(" 24: have root allow more with: ulimit -n 44")


def test_a_limit_that_cant_be_raised_all_the_same_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS has no hard limit, and refuses what is beyond the kernel's own."""
    limit = limited(monkeypatch, 256, Limit.RLIM_INFINITY)

    def refuse(_: int, limits: tuple[int, int]) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(limit, "setrlimit", refuse)
    require_room(lab_of())
    with pytest.raises(NotReadyError, match="allows a process 256"):
        require_room(lab_of(connections=2000))


def test_more_backends_than_there_is_memory_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that swaps shows nothing of load balancing."""
    limited(monkeypatch, 1 << 20, 1 << 20)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1 << 30))
    require_room(lab_of(backends=56))
    with pytest.raises(
        NotReadyError, match=r"^3,000 backends need about 52\.7 GB .* 1\.0 GB are free: give --backends 56 "
    ):
        require_room(lab_of(backends=3000))


def test_nginx_has_a_sixteenth_of_its_connections_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    """With less it would close idle connections (ngx_drain_connections), and reset a client that uses one."""
    limited(monkeypatch, 1 << 20, 1 << 20)
    assert worker_connections(lab_of()) == ROOMY_CONNECTIONS
    for connections in (2000, 10_000):
        total = worker_connections(lab_of(connections=connections))
        assert total - 2 * connections - 34 >= math.floor(total / 16)


def test_nginx_takes_no_more_connections_than_it_may_have_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """It could accept none and would say so again and again."""
    limited(monkeypatch, 1024, 1024)
    assert worker_connections(lab_of()) == 1024 - 16
    assert files_allowed() == 1024
