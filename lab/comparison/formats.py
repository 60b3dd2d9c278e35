"""A comparison as text for people, as JSON and as CSV."""

import csv
import io
import json
from collections.abc import Callable
from textwrap import wrap
from typing import Any

from lab.commandline.report import latency_fields
from lab.comparison.inside import Inside
from lab.comparison.result import Comparison, Run, Share
from lab.durations import brief_seconds, milliseconds

BAR_CELLS = 24
FIGURE_CELLS = 9
VERDICT_CELLS = 110
HEIGHTS = "▁▂▃▄▅▆▇█"
CSV_COLUMNS = (
    "scenario", "simulated", "algorithm", "again", "sent", "answered", "failed", "retried", "min_ms", "mean_ms",
    "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms", "max_ms", "count", "fairness", "wait_ms", "max_in_flight",
    "overloaded", "bunching", "start_p99_ms", "start_bunching", "theory", "theory_mean_ms", "theory_wait_ms",
    "noise", "errors",
)  # fmt: skip
"""Each version appends its own: a value without a column here is refused."""


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
    if over_time := _over_time(comparison):
        lines += ["", *over_time]
    if comparison.has_few_backends:
        lines += ["", *_shares(comparison)]
    if comparison.verdict is None and (noise := comparison.noise_in_words) is not None:
        lines += ["", f"noise   {noise}"]
    if comparison.verdict is not None:
        lines += ["", *wrap(comparison.verdict, VERDICT_CELLS)]
    if comparison.is_simulated:
        lines.append("")
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
        "verdict": comparison.verdict,
        "notes": list(comparison.notes),
        "settings": dict(comparison.settings),
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
                    "errors": dict(run.errors),
                },
                "latency_ms": latency_fields(run.latency),
                "fairness": _rounded(run.fairness),
                "inside": None if run.inside is None else _inside(run.inside),
                "backends": [_backend(share) for share in run.shares],
            }
            for run in comparison.runs
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def _backend(share: Share) -> dict[str, Any]:
    p95_ms = None if share.p95_ms is None else round(share.p95_ms, 3)
    return {"name": share.name, "weight": share.weight, "hits": share.hits, "p95_ms": p95_ms}


def _inside(inside: Inside) -> dict[str, Any]:
    """What only a simulation sees."""
    start, theory = inside.start, inside.theory
    return {
        "wait_ms": round(inside.wait_ms, 3),
        "max_in_flight": inside.max_in_flight,
        "overloaded": inside.overloaded,
        "bunching": _rounded(inside.bunching),
        "start": start
        and {
            "seconds": round(start.seconds, 3),
            "p99_ms": round(start.p99_ms, 3),
            "bunching": _rounded(start.bunching),
        },
        "theory": theory
        and {"name": theory.name, "mean_ms": round(theory.mean_ms, 3), "wait_ms": round(theory.wait_ms, 3)},
        "p99_over_time_ms": [[round(second, 3), round(p99_ms, 3)] for second, p99_ms in inside.p99_over_time_ms],
    }


def as_csv(comparison: Comparison) -> str:
    """One row a run; columns are appended in later versions, never inserted."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(comparison, run) for run in comparison.runs)
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
        **_inside_columns(run.inside),
        "noise": _rounded(comparison.noise),
        "errors": " ".join(f"{kind}={number}" for kind, number in run.errors),
    }


def _inside_columns(inside: Inside | None) -> dict[str, Any]:
    """Empty for a real run."""
    start = None if inside is None else inside.start
    theory = None if inside is None else inside.theory
    return {
        "wait_ms": None if inside is None else round(inside.wait_ms, 3),
        "max_in_flight": None if inside is None else inside.max_in_flight,
        "overloaded": None if inside is None else inside.overloaded,
        "bunching": None if inside is None else _rounded(inside.bunching),
        "start_p99_ms": None if start is None else round(start.p99_ms, 3),
        "start_bunching": None if start is None else _rounded(start.bunching),
        "theory": None if theory is None else theory.name,
        "theory_mean_ms": None if theory is None else round(theory.mean_ms, 3),
        "theory_wait_ms": None if theory is None else round(theory.wait_ms, 3),
    }


def table(comparison: Comparison) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """The names of the figures, and for each run its title and its figures; below it what theory knows of it."""
    columns = _columns(comparison)
    rows = []
    for run in comparison.runs:
        rows.append((run.title, [cell(run) for _, cell in columns]))
        if (theory := run.theory) is not None:
            known = {"mean": theory.mean_ms, "wait": theory.wait_ms}
            rows.append(
                (
                    f"  exact ({theory.name})",
                    [milliseconds(known[name]) if name in known else "" for name, _ in columns],
                )
            )
    return [name for name, _ in columns], rows


Column = tuple[str, Callable[[Run], str]]


def _columns(comparison: Comparison) -> list[Column]:
    """What is worth showing of these runs."""
    columns: list[Column] = [
        ("p50", lambda run: milliseconds(run.latency.p50_ms)),
        ("p95", lambda run: milliseconds(run.latency.p95_ms)),
        ("p99", lambda run: milliseconds(run.latency.p99_ms)),
        ("max", lambda run: milliseconds(run.latency.max_ms)),
    ]
    if any(run.inside is not None for run in comparison.runs):
        columns.insert(0, ("mean", lambda run: milliseconds(run.latency.mean_ms)))
        columns += [
            ("wait", lambda run: "" if run.inside is None else milliseconds(run.inside.wait_ms)),
            ("in flight", lambda run: "" if run.inside is None else f"{run.inside.max_in_flight:,}"),
        ]
    else:
        columns += [
            ("failed", lambda run: f"{run.failed:,}"),
            ("retried", lambda run: f"{run.retried:,}"),
        ]
    columns.append(("fairness", lambda run: plain(run.fairness)))
    if any(run.start is not None for run in comparison.runs):
        columns += [("start p99", _start_p99), ("bunching", _bunching)]
    return columns


def _start_p99(run: Run) -> str:
    return milliseconds(None if run.start is None else run.start.p99_ms)


def _bunching(run: Run) -> str:
    if run.inside is None or run.start is None:
        return "–"
    before, after = run.start.bunching, run.inside.bunching
    return " → ".join("–" if value is None else f"{value:.1f}" for value in (before, after))


def _table(comparison: Comparison) -> list[str]:
    names, rows = table(comparison)
    width = max(len(title) for title, _ in rows)
    cells = [max(FIGURE_CELLS, *(len(cells[number]) for _, cells in rows)) for number in range(len(names))]
    lines = [("algorithm", names), *rows]
    return [
        f"{title:<{width}} {' '.join(f'{figure:>{cells[number]}}' for number, figure in enumerate(figures))}".rstrip()
        for title, figures in lines
    ]


def _bars(comparison: Comparison) -> list[str]:
    width = max(len(run.title) for run in comparison.runs)
    longest = max((run.latency.p95_ms or 0 for run in comparison.runs), default=0) or 1
    return [
        f"{run.title:<{width}} {'█' * round(BAR_CELLS * (run.latency.p95_ms or 0) / longest):<{BAR_CELLS}}"
        f" p95 {milliseconds(run.latency.p95_ms)}{f', {run.failed / run.sent:.1%} failed' if run.failed else ''}"
        for run in comparison.runs
    ]


def _over_time(comparison: Comparison) -> list[str]:
    """How the p99 goes, from left to right; nothing for real runs, whose samples are too few."""
    curves = {run.title: run.inside.p99_over_time_ms for run in comparison.runs if run.inside is not None}
    if not any(len(curve) > 1 for curve in curves.values()):
        return []
    highest = max(p99_ms for curve in curves.values() for _, p99_ms in curve)
    seconds = max(second for curve in curves.values() for second, _ in curve)
    width = max(map(len, curves))
    lines = [
        f"{title:<{width}} {''.join(HEIGHTS[round(p99_ms / highest * (len(HEIGHTS) - 1))] for _, p99_ms in curve)}"
        for title, curve in curves.items()
    ]
    return [f"p99 from the start on, for {brief_seconds(seconds)}; {HEIGHTS[-1]} is {milliseconds(highest)}", *lines]


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
