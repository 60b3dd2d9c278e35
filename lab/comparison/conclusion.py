"""What a comparison says, in a few sentences: who failed more, who was slower, and how much of that is chance."""

from collections.abc import Sequence

from lab.algorithms import BY_CHANCE
from lab.comparison.result import Run, noise_of
from lab.durations import milliseconds
from lab.listing import listed

NOTICEABLE = 0.01
"""Parts of the requests that failed and differ by no more aren't worth leading with."""


def conclusion(runs: Sequence[Run]) -> str | None:
    """Of all runs of a comparison; None where there is nothing to compare.

    Percentiles are of answered requests: whoever fails more may look faster, and so failures come first.
    """
    firsts = [run for run in runs if not run.is_again]
    sentences = [*_failures(runs, firsts), *_latencies(runs, firsts)]
    return " ".join(sentences) or None


def _failures(runs: Sequence[Run], firsts: Sequence[Run]) -> list[str]:
    if len(firsts) < 2:
        return []
    ascending = sorted(firsts, key=_failed_part)
    least, most = _failed_part(ascending[0]), _failed_part(ascending[-1])
    if most <= NOTICEABLE:
        return []
    only = "p95 counts answered requests only"
    if most - least <= NOTICEABLE:
        return [f"About as many failed under each, up to {_failed(ascending[-1])}; {only}."]
    again = next((run for run in runs if run.is_again), None)
    if again is not None and most - least <= abs(_failed_part(again) - _failed_part(runs[0])):
        twice = f"under {runs[0].title} twice ({runs[0].failed:,} and {again.failed:,} of {again.sent:,})"
        return [f"Failures differ by no more than {twice}: that may be chance. {only}."]
    fewest = [run.title for run in ascending if run.failed == ascending[0].failed]
    said = f"{listed(fewest)} failed fewest ({_failed(ascending[0])}), {ascending[-1].title} most"
    return [f"{said} ({ascending[-1].failed:,}).", f"{only}: who fails more may look faster."]


def _latencies(runs: Sequence[Run], firsts: Sequence[Run]) -> list[str]:
    """Under which algorithm the slowest requests were fastest, and whether that is more than noise."""
    noise = noise_of(runs)
    known = [(p95_ms, run) for run in firsts if (p95_ms := run.latency.p95_ms)]
    known.sort(key=lambda each: each[0])
    if noise is None:
        return []
    twice = f"The same algorithm twice differs by {noise * 100:.0f} %"
    if len(known) < 2:
        return [f"{twice} at p95, and there is no other p95 to compare."]
    (least, best), (most, worst) = known[0], known[-1]
    if most <= least * (1 + noise):
        return [f"{twice} at p95, and no two differ by more: this is noise."]
    alike = [run for p95_ms, run in known[1:] if p95_ms <= least * (1 + noise)]
    also = f", and alike under {listed([run.title for run in alike])}" if alike else ""
    drawn = [run.title for run in (best, *alike, worst) if run.algorithm in BY_CHANCE]
    draws = [f"nginx draws under {listed(drawn)}: another run may differ by more."] if drawn else []
    ranks = f"p95 is lowest under {best.title} ({milliseconds(least)}){also}, and highest under {worst.title}"
    times = f"({milliseconds(most)}): {most / least:.1f} times as long."
    return [f"{ranks} {times}", f"{twice}: chance makes that much at least.", *draws]


def _failed_part(run: Run) -> float:
    return run.failed / run.sent if run.sent else 0.0


def _failed(run: Run) -> str:
    return f"{run.failed:,} of {run.sent:,}"
