"""The report of a run as text, for people."""

from lab.commandline.report import Report
from lab.counts.latency import LatencySummary
from lab.durations import milliseconds
from lab.inert import inert_line
from lab.states import BackendState, LoopKind
from lab.traffic.plan import Arrivals, TrafficSpec

BAR_CELLS = 20
OK = 200


def lines(report: Report) -> list[str]:
    """Its lines, inert: nginx's complaints, which are among the notices, may have parts of requests in them."""
    written = [*_head(report), *_faults(report), *_revivals(report), "", *_table(report), "", *_foot(report)]
    return list(map(inert_line, written))


def _head(report: Report) -> list[str]:
    traffic, nginx = report.traffic, report.nginx
    workers = "1 worker" if report.workers == 1 else f"{report.workers} workers"
    connections = "1 connection" if traffic.connections == 1 else f"{traffic.connections} connections"
    loop = connections if traffic.loop is LoopKind.CLOSED else _rate(report.plan)
    statuses = "  ".join(f"{status}: {count:,}" for status, count in traffic.statuses)
    errors = "  ".join(f"{kind} {count:,}" for kind, count in traffic.errors)
    return [
        f"{report.algorithm} on nginx {nginx.version} ({nginx.source}, {workers}) at {nginx.url}",
        f"{traffic.loop.value} loop, {loop}: {traffic.sent:,} requests in {report.duration_seconds:.2f} s,"
        f" {report.rate_rps:,.0f} answers/s" + (", interrupted" if report.is_interrupted else ""),
        f"answered {traffic.answered:,}   failed {traffic.failed:,}   retried {traffic.retried:,}"
        + (f"   late {traffic.late:,}" if traffic.loop is LoopKind.OPEN else "")
        + (f"   resent {traffic.resent:,}" if traffic.resent else "")
        + (f"   ({errors})" if errors else ""),
        *([f"statuses {statuses}"] if any(status != OK for status, _ in traffic.statuses) else []),
    ]


def _faults(report: Report) -> list[str]:
    lines = []
    for fault in report.faults:
        if fault.at_seconds is None:
            when = f"not injected: the run was over before {fault.planned}"
        else:
            until = "" if fault.until_seconds is None else f" to {fault.until_seconds:.2f} s"
            when = f"{fault.at_seconds:.2f} s{until}"
        refusal = "" if fault.refusal is None else f"   ✗ {fault.refusal}"
        lines.append(f"fault   {fault.port} {fault.fault}   {when}{refusal}")
    return lines


def _revivals(report: Report) -> list[str]:
    lines = []
    for backend in report.backends:
        facts = [f"brought back {_times(backend.revivals)}"] * (backend.revivals > 0)
        why, *last_words = backend.left_alone or ("",)
        facts += [f"left alone: {why}"] * (backend.left_alone is not None)
        if facts:
            lines += [
                f"restart {backend.port} {', '.join(facts)}",
                *(f"        │ {each}" for each in last_words),
            ]
    return lines


def _table(report: Report) -> list[str]:
    most = max((backend.share or 0.0 for backend in report.backends), default=0.0)
    head = f"{'backend':>7} {'pid':>8}  {'state':<8} {'weight':>6} {'hits':>10}  {'share':<{BAR_CELLS + 8}}"
    lines = [f"{head}{'p50':>9} {'p95':>9} {'p99':>9} {'max':>9}"]
    for backend in report.backends:
        share = backend.share or 0.0
        bar = "█" * round(BAR_CELLS * share / most) if most else ""
        is_spare = backend.is_backup and backend.state is BackendState.UP
        state = "down" if backend.is_down else "backup" if is_spare else backend.state.value
        lines.append(
            f"{backend.port:>7} {backend.pid or '–':>8}  {state:<8} {backend.weight:>6} {backend.hits:>10,}"
            f"  {bar:<{BAR_CELLS}} {share:>6.1%} {_latencies(backend.latency)}"
        )
    hits = sum(backend.hits for backend in report.backends)
    lines.append(
        f"{'all':>7} {'':>8}  {'':<8} {'':>6} {hits:>10,}  {'':<{BAR_CELLS + 7}} {_latencies(report.traffic.latency)}"
    )
    return lines


def _foot(report: Report) -> list[str]:
    ledger = report.ledger
    others = f", and {ledger.other_clients:,} to other clients" if ledger.other_clients else ""
    direct = f", and {ledger.direct:,} past nginx" if ledger.direct else ""
    counts = (
        f"answers in full: client {ledger.client_answered:,} = nginx {ledger.nginx_logged:,}{others}"
        f"   by backends: nginx {ledger.nginx_forwarded:,} = backends {ledger.backends_served:,}{direct}"
    )
    notes = [f"note    {notice}" for notice in report.notices]
    if ledger.is_balanced:
        return [f"ledger  ✓ all agree   {counts}", *notes]
    return [f"ledger  ✗ {'; '.join(ledger.differences)}   {counts.replace(' = ', ', ')}", *notes]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _rate(plan: TrafficSpec) -> str:
    ramp = plan.ramp
    rate = f"{plan.rate_rps:g}" if ramp is None else f"{ramp.from_rps:g} to {ramp.to_rps:g}"
    return f"{rate} req/s" + (" (Poisson)" if plan.arrivals is Arrivals.POISSON else "")


def _latencies(latency: LatencySummary) -> str:
    values = (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms)
    return " ".join(f"{milliseconds(value):>9}" for value in values)
