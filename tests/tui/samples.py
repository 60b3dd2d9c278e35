"""Snapshots as a lab would publish them."""

from dataclasses import replace

from lab.algorithms import ALGORITHMS
from lab.counts.latency import Bucket, LatencySeries, LatencySummary, SecondView
from lab.counts.ledger import Ledger
from lab.models import (
    AlgorithmChoice,
    BackendView,
    ConfigView,
    DiffLine,
    NginxView,
    OldWorker,
    Reload,
    Snapshot,
    TrafficView,
)
from lab.nginx.retry_rules import DEFAULT_RETRY_RULES
from lab.states import BackendState, Phase
from lab.witnesses import Attempt, BackendWitness, ClientWitness, NginxWitness, RequestDetail, RequestView

NOW = 1_700_000_000.0
"""What time it is where a test stops the clock."""
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
RELOAD = Reload(
    generation=4,
    change="round_robin → least_conn",
    time=NOW - 2,
    seconds=0.035,
    old_pids=(4711,),
    new_pids=(4713,),
    finishing=(OldWorker(4711, 2),),
    finished_by_old=3,
    answered=1204,
    hits=((71, 804), (72, 400)),
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
        worker_pid=4711,
        generation=3,
        seconds=0.001,
        shot=number,
        pid=2753,
        latency_ms=1.3,
    )
    return replace(view, **changes)  # type: ignore[arg-type]  # Keyword by keyword it is what RequestView takes.


FAILED_OVER = (Attempt("127.0.0.1:74", 74, 502), Attempt("127.0.0.1:75", 75, 200, 0.003))


def detail(number: int = 5, **changes: object) -> RequestDetail:
    """What is known of a request that 74 gave no answer to, and 75 did: 120 µs of waiting, 3.2 ms in all."""
    view = request(number, attempts=FAILED_OVER)
    due = view.time
    known = RequestDetail(
        view=view,
        nginx=NginxWitness(due + 0.003, 4711, generation=3, status=200, seconds=0.003, attempts=FAILED_OVER),
        client=ClientWitness(
            due,
            sent=due + 0.00012,
            first_byte=due + 0.0031,
            done=due + 0.0032,
            status=200,
            error=None,
            headers=(("Server", "nginx/1.31.3"), ("X-Upstream", "127.0.0.1:74, 127.0.0.1:75")),
            body="Hello from Process Id = 2753",
        ),
        backends=(BackendWitness(75, 2753, due + 0.001, in_flight=2, done=due + 0.0025),),
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # Keyword by keyword it is what RequestDetail takes.


def series(port: int | None, middle_ms: float = 1.0, number: int = 1000) -> LatencySeries:
    """Latencies half of which took `middle_ms`, nearly all others twice as long, and a hundredth ten times as long."""
    seconds = tuple(
        SecondView(
            second, answered=20, p50_ms=middle_ms, p95_ms=middle_ms * 2, p99_ms=middle_ms * 2, max_ms=middle_ms * 10
        )
        for second in range(60)
    )
    parts = ((1, number // 2), (2, number // 2 - number // 100), (10, number // 100))
    return LatencySeries(
        port,
        seconds,
        tuple(Bucket(middle_ms * times, middle_ms * times * 1.01, count) for times, count in parts),
        LatencySummary(
            count=number,
            min_ms=middle_ms,
            mean_ms=middle_ms * 1.6,
            p50_ms=middle_ms,
            p90_ms=middle_ms * 2,
            p95_ms=middle_ms * 2,
            p99_ms=middle_ms * 2,
            p99_9_ms=middle_ms * 10,
            max_ms=middle_ms * 10,
        ),
    )


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
        retry_rules=DEFAULT_RETRY_RULES,
    )
    return replace(snapshot, **changes)  # type: ignore[arg-type]  # Keyword by keyword it is what Snapshot takes.
