"""The report of a run: measured once, written as text, JSON or CSV."""

import csv
import io
import json
from dataclasses import asdict, dataclass
from typing import Any

from lab.counts.latency import LatencySummary
from lab.counts.ledger import Ledger
from lab.durations import milliseconds
from lab.faults.clock import Injection
from lab.inert import inert_line
from lab.models import BackendView, NginxView, TrafficView
from lab.states import LoopKind
from lab.traffic.plan import Arrivals, TrafficSpec

BAR_CELLS = 20
CSV_COLUMNS = (
    "algorithm", "port", "pid", "state", "weight", "hits", "share", "min_ms", "mean_ms", "p50_ms", "p90_ms",
    "p95_ms", "p99_ms", "p99_9_ms", "max_ms", "count", "sent", "answered", "failed", "retried", "duration_s",
    "rate_rps", "loop", "late", "revivals",
)  # fmt: skip
"""Each version appends its own, whichever rows have them: a value without a column here is refused."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run measured. Latencies cover the whole run, from the moment each request was due."""

    algorithm: str
    nginx: NginxView
    nginx_path: str
    workers: int
    plan: TrafficSpec
    traffic: TrafficView
    backends: tuple[BackendView, ...]
    ledger: Ledger
    duration_seconds: float
    is_interrupted: bool = False
    faults: tuple[Injection, ...] = ()
    """Those that were planned."""
    notices: tuple[str, ...] = ()
    """What happened during the run that a person should know beside its figures."""

    @property
    def rate_rps(self) -> float:
        return self.traffic.answered / self.duration_seconds if self.duration_seconds else 0.0

    def as_json(self) -> str:
        """One object; fields are added in later versions, never renamed or removed."""
        traffic, ledger = self.traffic, self.ledger
        content = {
            "algorithm": self.algorithm,
            "url": self.nginx.url,
            "nginx": {"version": self.nginx.version, "path": self.nginx_path, "workers": self.workers},
            "loop": traffic.loop.value,
            "requests": {
                "sent": traffic.sent,
                "answered": traffic.answered,
                "failed": traffic.failed,
                "retried": traffic.retried,
                "late": traffic.late,
                "errors": dict(traffic.errors),
            },
            "duration_s": round(self.duration_seconds, 6),
            "rate_rps": round(self.rate_rps, 3),
            "latency_ms": latency_fields(traffic.latency),
            "backends": [
                {
                    "port": backend.port,
                    "pid": backend.pid,
                    "state": backend.state.value,
                    "weight": backend.weight,
                    "hits": backend.hits,
                    "share": None if backend.share is None else round(backend.share, 6),
                    "latency_ms": latency_fields(backend.latency),
                    "failures": backend.failures,
                    "revivals": backend.revivals,
                    "left_alone": _left_alone(backend.left_alone),
                }
                for backend in self.backends
            ],
            "ledger": {
                "client_answered": ledger.client_answered,
                "nginx_logged": ledger.nginx_logged,
                "backends_served": ledger.backends_served,
                "other_clients": ledger.other_clients,
                "balanced": ledger.is_balanced,
                "nginx_forwarded": ledger.nginx_forwarded,
                "crossed": ledger.crossed,
                "differences": list(ledger.differences),
                "direct": ledger.direct,
            },
            "interrupted": self.is_interrupted,
            "faults": [
                {
                    "planned": fault.planned,
                    "port": fault.port,
                    "fault": fault.fault,
                    "at_s": _seconds(fault.at_seconds),
                    "until_s": _seconds(fault.until_seconds),
                    "error": fault.refusal,
                }
                for fault in self.faults
            ],
            "notices": list(self.notices),
        }
        return json.dumps(content, indent=2) + "\n"

    def as_csv(self) -> str:
        """One row a backend and one for all; columns are appended in later versions, never inserted."""
        traffic = self.traffic
        rows: list[dict[str, Any]] = [
            {
                "algorithm": self.algorithm,
                "port": backend.port,
                "pid": backend.pid,
                "state": backend.state.value,
                "weight": backend.weight,
                "hits": backend.hits,
                "share": backend.share,
                **_latency_columns(backend.latency),
                "revivals": backend.revivals,
            }
            for backend in self.backends
        ]
        rows.append(
            {
                "algorithm": self.algorithm,
                "port": "all",
                "hits": sum(backend.hits for backend in self.backends),
                **_latency_columns(traffic.latency),
                "sent": traffic.sent,
                "answered": traffic.answered,
                "failed": traffic.failed,
                "retried": traffic.retried,
                "duration_s": round(self.duration_seconds, 6),
                "rate_rps": round(self.rate_rps, 3),
                "loop": traffic.loop.value,
                "late": traffic.late,
                "revivals": sum(backend.revivals for backend in self.backends),
            }
        )
        text = io.StringIO()
        writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def as_text(self) -> str:
        """For people: nginx's complaints, which are among the notices, may have parts of requests in them."""
        lines = [*self._head(), *self._faults(), *self._revivals(), "", *self._table(), "", *self._foot()]
        return "\n".join(map(inert_line, lines)) + "\n"

    def _head(self) -> list[str]:
        traffic, nginx = self.traffic, self.nginx
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        connections = "1 connection" if traffic.connections == 1 else f"{traffic.connections} connections"
        loop = connections if traffic.loop is LoopKind.CLOSED else _rate(self.plan)
        errors = "  ".join(f"{kind} {count:,}" for kind, count in traffic.errors)
        return [
            f"{self.algorithm} on nginx {nginx.version} ({nginx.source}, {workers}) at {nginx.url}",
            f"{traffic.loop.value} loop, {loop}: {traffic.sent:,} requests in {self.duration_seconds:.2f} s,"
            f" {self.rate_rps:,.0f} answers/s" + (", interrupted" if self.is_interrupted else ""),
            f"answered {traffic.answered:,}   failed {traffic.failed:,}   retried {traffic.retried:,}"
            + (f"   late {traffic.late:,}" if traffic.loop is LoopKind.OPEN else "")
            + (f"   ({errors})" if errors else ""),
        ]

    def _faults(self) -> list[str]:
        lines = []
        for fault in self.faults:
            if fault.at_seconds is None:
                when = f"not injected: the run was over before {fault.planned}"
            else:
                until = "" if fault.until_seconds is None else f" to {fault.until_seconds:.2f} s"
                when = f"{fault.at_seconds:.2f} s{until}"
            refusal = "" if fault.refusal is None else f"   ✗ {fault.refusal}"
            lines.append(f"fault   {fault.port} {fault.fault}   {when}{refusal}")
        return lines

    def _revivals(self) -> list[str]:
        lines = []
        for backend in self.backends:
            facts = [f"brought back {_times(backend.revivals)}"] * (backend.revivals > 0)
            why, *last_words = backend.left_alone or ("",)
            facts += [f"left alone: {why}"] * (backend.left_alone is not None)
            if facts:
                lines += [
                    f"restart {backend.port} {', '.join(facts)}",
                    *(f"        │ {each}" for each in last_words),
                ]
        return lines

    def _table(self) -> list[str]:
        most = max((backend.share or 0.0 for backend in self.backends), default=0.0)
        head = f"{'backend':>7} {'pid':>8}  {'state':<8} {'weight':>6} {'hits':>10}  {'share':<{BAR_CELLS + 8}}"
        lines = [f"{head}{'p50':>9} {'p95':>9} {'p99':>9} {'max':>9}"]
        for backend in self.backends:
            share = backend.share or 0.0
            bar = "█" * round(BAR_CELLS * share / most) if most else ""
            state = "down" if backend.is_down else backend.state.value
            lines.append(
                f"{backend.port:>7} {backend.pid or '–':>8}  {state:<8} {backend.weight:>6} {backend.hits:>10,}"
                f"  {bar:<{BAR_CELLS}} {share:>6.1%} {_latencies(backend.latency)}"
            )
        hits = sum(backend.hits for backend in self.backends)
        lines.append(
            f"{'all':>7} {'':>8}  {'':<8} {'':>6} {hits:>10,}  {'':<{BAR_CELLS + 7}} {_latencies(self.traffic.latency)}"
        )
        return lines

    def _foot(self) -> list[str]:
        ledger = self.ledger
        others = f", and {ledger.other_clients:,} to other clients" if ledger.other_clients else ""
        direct = f", and {ledger.direct:,} past nginx" if ledger.direct else ""
        counts = (
            f"answers in full: client {ledger.client_answered:,} = nginx {ledger.nginx_logged:,}{others}"
            f"   by backends: nginx {ledger.nginx_forwarded:,} = backends {ledger.backends_served:,}{direct}"
        )
        notes = [f"note    {notice}" for notice in self.notices]
        if ledger.is_balanced:
            return [f"ledger  ✓ all agree   {counts}", *notes]
        return [f"ledger  ✗ {'; '.join(ledger.differences)}   {counts.replace(' = ', ', ')}", *notes]


def latency_fields(latency: LatencySummary) -> dict[str, float | int | None]:
    """As the contract's `latency_ms`: milliseconds, to the microsecond."""
    fields = {name.removesuffix("_ms"): value for name, value in asdict(latency).items() if name != "count"}
    return {name: None if value is None else round(value, 3) for name, value in fields.items()} | {
        "count": latency.count
    }


def _left_alone(lines: tuple[str, ...] | None) -> dict[str, Any] | None:
    return None if lines is None else {"why": lines[0], "last_words": list(lines[1:])}


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _rate(plan: TrafficSpec) -> str:
    ramp = plan.ramp
    rate = f"{plan.rate_rps:g}" if ramp is None else f"{ramp.from_rps:g} to {ramp.to_rps:g}"
    return f"{rate} req/s" + (" (Poisson)" if plan.arrivals is Arrivals.POISSON else "")


def _latency_columns(latency: LatencySummary) -> dict[str, float | int | None]:
    return {"count" if name == "count" else f"{name}_ms": value for name, value in latency_fields(latency).items()}


def _latencies(latency: LatencySummary) -> str:
    values = (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms)
    return " ".join(f"{milliseconds(value):>9}" for value in values)
