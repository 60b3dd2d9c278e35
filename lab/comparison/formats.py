"""A comparison as text for people, as JSON and as CSV."""

import csv
import io
import json
from typing import Any

from lab.comparison.result import Comparison, Run
from lab.report import latency_fields

BAR_CELLS = 24
_LONGEST_SHARES = 8
"""With more backends than that, a line for each would say nothing."""


def as_text(comparison: Comparison) -> str:
    """A table of all runs, a bar for each one's p95, and who got how much."""
    lines = [
        f"{comparison.scenario}: {comparison.description}",
        f"{comparison.plan}; seed {comparison.seed}; {comparison.kind}",
        "",
        *_table(comparison),
        "",
        *_bars(comparison),
    ]
    if all(len(run.shares) <= _LONGEST_SHARES for run in comparison.runs):
        lines += ["", *_shares(comparison)]
    if (noise := comparison.noise) is not None:
        lines += [
            "",
            f"noise   the same algorithm twice differs by {noise:.0%} at p95: smaller differences say nothing",
        ]
    lines += [f"note    {note}" for note in comparison.notes]
    return "\n".join(lines) + "\n"


def as_json(comparison: Comparison) -> str:
    """One object; fields are added in later versions, never renamed or removed."""
    content = {
        "scenario": comparison.scenario,
        "description": comparison.description,
        "plan": comparison.plan,
        "seed": comparison.seed,
        "simulated": comparison.is_simulated,
        "noise": _rounded(comparison.noise),
        "notes": list(comparison.notes),
        "runs": [
            {
                "algorithm": run.algorithm,
                "title": run.title,
                "again": run.is_again,
                "requests": {
                    "sent": run.sent,
                    "answered": run.answered,
                    "failed": run.failed,
                    "retried": run.retried,
                },
                "latency_ms": latency_fields(run.latency),
                "fairness": _rounded(run.fairness),
                "backends": [
                    {"name": share.name, "weight": share.weight, "hits": share.hits, "p95_ms": share.p95_ms}
                    for share in run.shares
                ],
            }
            for run in comparison.runs
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def as_csv(comparison: Comparison) -> str:
    """One row a run; columns are appended in later versions, never inserted."""
    rows = [_row(comparison, run) for run in comparison.runs]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(comparison: Comparison, run: Run) -> dict[str, Any]:
    latency = {
        "count" if name == "count" else f"{name}_ms": value for name, value in latency_fields(run.latency).items()
    }
    return {
        "scenario": comparison.scenario,
        "simulated": comparison.is_simulated,
        "algorithm": run.algorithm,
        "again": run.is_again,
        "sent": run.sent,
        "answered": run.answered,
        "failed": run.failed,
        "retried": run.retried,
        **latency,
        "fairness": _rounded(run.fairness),
    }


def _table(comparison: Comparison) -> list[str]:
    width = max(len(run.title) for run in comparison.runs)
    names = ("p50", "p95", "p99", "max", "failed", "retried", "fairness")
    lines = [f"{'algorithm':<{width}} " + " ".join(f"{name:>9}" for name in names)]
    for run in comparison.runs:
        latency = run.latency
        times = " ".join(
            f"{milliseconds(value):>9}" for value in (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms)
        )
        lines.append(f"{run.title:<{width}} {times} {run.failed:>9,} {run.retried:>9,} {plain(run.fairness):>9}")
    return lines


def _bars(comparison: Comparison) -> list[str]:
    width = max(len(run.title) for run in comparison.runs)
    longest = max((run.latency.p95_ms or 0 for run in comparison.runs), default=0) or 1
    return [
        f"{run.title:<{width}} {'█' * round(BAR_CELLS * (run.latency.p95_ms or 0) / longest):<{BAR_CELLS}}"
        f" p95 {milliseconds(run.latency.p95_ms)}"
        for run in comparison.runs
    ]


def _shares(comparison: Comparison) -> list[str]:
    width = max(len(run.title) for run in comparison.runs)
    names = "".join(f"{share.name:>9}" for share in comparison.runs[0].shares)
    lines = [f"{'share of':<{width}}{names}"]
    for run in comparison.runs:
        total = sum(share.hits for share in run.shares) or 1
        lines.append(f"{run.title:<{width}}" + "".join(f"{share.hits / total:>9.1%}" for share in run.shares))
    return lines


def plain(value: float | None) -> str:
    """An index for people."""
    return "–" if value is None else f"{value:.3f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def milliseconds(value: float | None) -> str:
    """A latency for people; a dash for what isn't known."""
    if value is None:
        return "–"
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms"
