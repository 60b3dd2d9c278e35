"""A comparison in lines: its figures, how long requests took as a chart, who got how much, and what that says."""

from collections.abc import Sequence

from lab.comparison.result import Comparison, Run
from tui.formatting import UNKNOWN, count, fit, milliseconds, paragraph, percent, round_duration, shorten
from tui.ink import BLANK, Ink, Line, Span
from tui.scales import Scale, log_scale, round_values

_NAME = len("round robin, again") + 1
_FIGURES = ("p50 ms", "p95 ms", "p99 ms", "max ms", "failed", "retried", "fairness")
_LEAST_CELL, _WIDEST_CELL = 8, 18
_WIDEST_CHART = len(_FIGURES) * _WIDEST_CELL + 1
_WIDEST_TEXT = 110
_LEGEND: tuple[Span, ...] = (
    ("┃", Ink.ACCENT),
    (" p50  ", Ink.MUTED),
    ("━", Ink.LINE),
    (" to p95  ", Ink.MUTED),
    ("─ to p99  ┄ to max", Ink.MUTED),
)
_ENOUGH_LABELS = 3


def result_lines(comparison: Comparison, width: int, running: str | None = None) -> list[Line]:
    """What is known by now.

    Args:
        comparison: With the runs that are over.
        width: The most cells that a line may take.
        running: The title of the run that is under way, if one is.
    """
    runs = comparison.runs
    lines = _table(runs, width, running)
    if runs:
        lines += [BLANK, *_chart(runs, width)]
    if comparison.verdict is not None:
        lines += [BLANK, *_paragraph(comparison.verdict, width, Ink.STRONG)]
    if runs and comparison.has_few_backends:
        lines += [BLANK, *_shares(runs, width)]
    plan = f"{comparison.plan}; seed {comparison.seed}; {comparison.kind}"
    return [*lines, BLANK, *_paragraph(plan, width, Ink.MUTED)]


def _table(runs: Sequence[Run], width: int, running: str | None) -> list[Line]:
    cells = _cells(width)
    names = (fit(name, cell, to_right=True) for name, cell in zip(_FIGURES, cells, strict=True))
    lines: list[Line] = [((fit("algorithm", _NAME) + "".join(names), Ink.HEADING),)]
    lines += [_row(run, cells) for run in runs]
    if running is not None:
        lines.append(((fit(running, _NAME), Ink.PLAIN), ("…", Ink.ACCENT)))
    return lines


def _cells(width: int) -> list[int]:
    """The last name is the longest, and gets a cell more."""
    cell = min(max((width - _NAME - 1) // len(_FIGURES), _LEAST_CELL), _WIDEST_CELL)
    return [cell] * (len(_FIGURES) - 1) + [cell + 1]


def _row(run: Run, cells: Sequence[int]) -> Line:
    latency, ink = run.latency, _ink_of(run)
    times = (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms)
    fairness = UNKNOWN if run.fairness is None else f"{run.fairness:.3f}"
    figures: list[Span] = [
        *((milliseconds(value), ink) for value in times),
        (count(run.failed), Ink.BAD if run.failed else Ink.MUTED),
        (count(run.retried), Ink.WARNING if run.retried else Ink.MUTED),
        (fairness, ink),
    ]
    shown = ((fit(text, cell, to_right=True), each) for (text, each), cell in zip(figures, cells, strict=True))
    return ((fit(run.title, _NAME), ink), *shown)


def _ink_of(run: Run) -> Ink:
    return Ink.MUTED if run.is_again else Ink.PLAIN


def _chart(runs: Sequence[Run], width: int) -> list[Line]:
    """A line a run, from its p50 to its slowest request."""
    columns = min(width - _NAME, _WIDEST_CHART)
    lowest = [run.latency.p50_ms for run in runs if run.latency.p50_ms]
    highest = [run.latency.max_ms for run in runs if run.latency.max_ms]
    if not lowest or not highest:
        return [(("Nothing was answered.", Ink.WARNING),)]
    axis = log_scale(min(lowest), max(highest))
    rows = [((fit(run.title, _NAME), _ink_of(run)), *_spread(run, axis, columns)) for run in runs]
    return [((fit("how long they took", _NAME), Ink.HEADING), *_LEGEND), *rows, _axis(axis, columns)]


def _spread(run: Run, axis: Scale, columns: int) -> list[Span]:
    latency = run.latency
    values = (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms)
    known = [value for value in values if value]
    if len(known) < len(values):
        return []
    p50, p95, p99, most = (min(int(axis.part(value) * columns), columns - 1) for value in known)
    return [
        (" " * p50, Ink.PLAIN),
        ("┃", Ink.ACCENT),
        ("━" * (p95 - p50), Ink.LINE),
        ("─" * (p99 - max(p95, p50)), Ink.PLAIN),
        ("┄" * (most - p99), Ink.MUTED),
    ]


def _axis(axis: Scale, columns: int) -> Line:
    """Round values where they stand, as many as there are powers of ten, or some more."""
    labels: dict[int, str] = {}
    for values in round_values(axis.floor, axis.ceiling):
        for value in values:
            column, text = int(axis.part(value) * columns), f"╵{round_duration(value)}"
            is_free = all(column + len(text) < at or column > at + len(other) for at, other in labels.items())
            if is_free and column + len(text) <= columns:
                labels[column] = text
        if len(labels) >= _ENOUGH_LABELS:
            break
    line = ""
    for column, text in sorted(labels.items()):
        line = line.ljust(column) + text
    return ((" " * _NAME + line, Ink.MUTED),)


def _shares(runs: Sequence[Run], width: int) -> list[Line]:
    shares = runs[0].shares
    has_weights = any(share.weight != shares[0].weight for share in shares)
    names = [f"{share.name} ×{share.weight}" if has_weights else share.name for share in shares]
    cell = min((width - _NAME) // len(names), _WIDEST_CELL)
    heading = fit("who got how much", _NAME) + "".join(fit(name, cell, to_right=True) for name in names)
    lines: list[Line] = [((heading, Ink.HEADING),)]
    for run in runs:
        total = sum(share.hits for share in run.shares)
        parts = [percent(share.hits / total if total else None) for share in run.shares]
        cells = "".join(fit(part, cell, to_right=True) for part in parts)
        lines.append(((shorten(fit(run.title, _NAME) + cells, width), _ink_of(run)),))
    return lines


def _paragraph(text: str, width: int, ink: Ink) -> list[Line]:
    return paragraph(text, min(width, _WIDEST_TEXT), ink)
