"""Snapshots as a lab would publish them."""

from dataclasses import replace

from lab.algorithms import ALGORITHMS
from lab.models import (
    AlgorithmChoice,
    Attempt,
    BackendState,
    BackendView,
    ConfigView,
    DiffLine,
    LatencySummary,
    Ledger,
    NginxView,
    Phase,
    RequestView,
    Snapshot,
    TrafficView,
)

CHOICES = tuple(AlgorithmChoice(it.name, it.title, it.summary) for it in ALGORITHMS)

FIRST_CONFIG = ConfigView(
    generation=1,
    change="round_robin",
    main="worker_processes 1;",
    site="upstream lablb {\n    server 127.0.0.1:71;\n}",
)
SECOND_CONFIG = ConfigView(
    generation=2,
    change="weight of 71: 1 → 2",
    main="worker_processes 1;",
    site="upstream lablb {\n    server 127.0.0.1:71 weight=2;\n}",
    site_diff=(
        DiffLine(" ", "upstream lablb {"),
        DiffLine("-", "    server 127.0.0.1:71;"),
        DiffLine("+", "    server 127.0.0.1:71 weight=2;"),
        DiffLine(" ", "}"),
    ),
)


def backend(port: int, **changes: object) -> BackendView:
    """A backend that is up and answered a fifth of 6,020 requests."""
    view = BackendView(
        port=port,
        state=BackendState.UP,
        pid=2752,
        hits=1204,
        share=0.2,
        rate_rps=20.0,
        in_flight=0,
        latency=LatencySummary(count=200, p50_ms=1.2, p95_ms=2.0, p99_ms=3.1),
        cpu_percent=3.0,
        rss_bytes=28 * 2**20,
    )
    return replace(view, **changes)  # type: ignore[arg-type]  # Keyword by keyword it is what BackendView takes.


def request(number: int, **changes: object) -> RequestView:
    """A request of the lab's own client that 72 answered."""
    view = RequestView(
        number=number,
        time=1_700_000_000 + number,
        method="GET",
        uri=f"/{number}",
        status=200,
        attempts=(Attempt("127.0.0.1:72", 72, 200, 0.001),),
        pid=2753,
        latency_ms=1.3,
    )
    return replace(view, **changes)  # type: ignore[arg-type]  # Keyword by keyword it is what RequestView takes.


def starting(activity: str, sequence: int = 1) -> Snapshot:
    """A lab on its way up."""
    return Snapshot(sequence=sequence, activity=activity, algorithms=CHOICES)


def running(sequence: int = 1, backends: int = 5, **changes: object) -> Snapshot:
    """A lab of that many backends from port 71 on, at work."""
    snapshot = Snapshot(
        sequence=sequence,
        phase=Phase.RUNNING,
        algorithm="round_robin",
        algorithms=CHOICES,
        nginx=NginxView("1.31.3", "bundled", 70, master_pid=1, worker_pids=(2,), cpu_percent=1.0, rss_bytes=9 * 2**20),
        backends=tuple(backend(71 + place) for place in range(backends)),
        traffic=TrafficView(target_rps=100.0, sent=6020, answered=6020, rate_rps=100.0),
        ledger=Ledger(6020, 6020, 6020, 6020),
        config=FIRST_CONFIG,
    )
    return replace(snapshot, **changes)  # type: ignore[arg-type]  # Keyword by keyword it is what Snapshot takes.
