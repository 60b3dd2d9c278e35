"""The report of a run: measured once, written as text, JSON or CSV."""

import csv
import io
import json
from dataclasses import asdict, dataclass
from typing import Any

from lab.counts.latency import LatencySummary
from lab.counts.ledger import Ledger
from lab.faults.clock import Injection
from lab.models import BackendView, NginxView, TrafficView
from lab.traffic.plan import TrafficSpec

BAR_CELLS = 20
CSV_COLUMNS = (
    "algorithm", "port", "pid", "state", "weight", "hits", "share", "min_ms", "mean_ms", "p50_ms", "p90_ms",
    "p95_ms", "p99_ms", "p99_9_ms", "max_ms", "count", "sent", "answered", "failed", "retried", "duration_s",
    "rate_rps", "loop", "late", "revivals", "resent", "backup",
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
                "resent": traffic.resent,
                "errors": dict(traffic.errors),
                "statuses": {str(status): count for status, count in traffic.statuses},
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
                    "backup": backend.is_backup,
                    "down": backend.is_down,
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
                "backup": backend.is_backup,
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
                "resent": traffic.resent,
            }
        )
        text = io.StringIO()
        writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def as_text(self) -> str:
        """For people."""
        from lab.commandline.report_text import lines  # noqa: PLC0415 - it needs this one's type

        return "\n".join(lines(self)) + "\n"


def latency_fields(latency: LatencySummary) -> dict[str, float | int | None]:
    """As the contract's `latency_ms`: milliseconds, to the microsecond."""
    fields = {name.removesuffix("_ms"): value for name, value in asdict(latency).items() if name != "count"}
    return {name: None if value is None else round(value, 3) for name, value in fields.items()} | {
        "count": latency.count
    }


def _left_alone(lines: tuple[str, ...] | None) -> dict[str, Any] | None:
    return None if lines is None else {"why": lines[0], "last_words": list(lines[1:])}


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _latency_columns(latency: LatencySummary) -> dict[str, float | int | None]:
    return {"count" if name == "count" else f"{name}_ms": value for name, value in latency_fields(latency).items()}
