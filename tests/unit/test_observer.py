"""What is remembered of nginx's workers."""

from types import SimpleNamespace
from typing import Any

from lab.config import BackendSpec
from lab.logs.access_log import LogLine
from lab.nginx.render import Upstream
from lab.observer import Observer
from tests.unit.made_up import answered_by, log_line

UPSTREAM = Upstream("round_robin", ((71, BackendSpec()), (72, BackendSpec())))


class Log:
    """Tells each line once."""

    def __init__(self, *lines: LogLine) -> None:
        self._lines = list(lines)

    def read(self) -> list[LogLine]:
        lines, self._lines = self._lines, []
        return lines


def watching(*lines: LogLine) -> Observer:
    """An observer, with a model, that has read these lines."""
    log: Any = Log(*lines)
    fleet: Any = SimpleNamespace(pid_of=lambda port, at: None, served=0)
    reloads = SimpleNamespace(note_lines=lambda batch: None)
    balancer: Any = SimpleNamespace(
        upstreams={1: UPSTREAM}, frame=SimpleNamespace(workers=1), server=None, reloads=reloads
    )
    observer = Observer(log, fleet, balancer, "shot")
    observer.begin_watching(balancer)
    observer.read_log()
    return observer


def picks(observer: Observer) -> int:
    """How many the model remembers."""
    xray = observer.xray()
    assert xray is not None
    return len(xray.picks)


def test_a_worker_that_only_the_model_still_follows_is_forgotten_as_well() -> None:
    """Its successor has answered by itself so far (400), which is no pick, so that the model still follows the old."""
    rejected = log_line(status=400)._replace(worker_pid=11, attempts=())
    observer = watching(log_line(answered_by(71))._replace(worker_pid=10), rejected)
    assert (observer.worker_pids, picks(observer)) == (frozenset((10, 11)), 1)
    observer.forget_workers(observer.worker_pids - {11})
    assert (observer.worker_pids, picks(observer)) == (frozenset((11,)), 0)


def test_with_nginx_all_of_its_workers_are_forgotten() -> None:
    """That one as well."""
    rejected = log_line(status=400)._replace(worker_pid=11, attempts=())
    observer = watching(log_line(answered_by(71))._replace(worker_pid=10), rejected)
    observer.forget_nginx()
    assert (observer.worker_pids, picks(observer)) == (frozenset(), 0)
