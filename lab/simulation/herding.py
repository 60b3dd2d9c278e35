"""Whether balancers that don't know of each other walk the same way in step."""

import math
from collections import Counter
from collections.abc import Sequence

from lab.algorithms import BY_CHANCE, BY_KEY
from lab.comparison.result import Run
from lab.durations import brief_seconds
from lab.listing import listed
from lab.simulation.plan import Plan

FEWEST_WINDOWS = 10
MOST_COUNTED = 200_000
"""So many requests say enough."""
CLEARLY = 1.5
"""A bunching from which on one may speak of a herd; chance alone is 1."""
STANDARD_ERRORS = 4.0
"""That a bunching has to be above 1 besides: few requests are bunched by chance."""


def bunching(arrivals_ms: Sequence[float], places: Sequence[int], window_ms: float) -> float | None:
    """The index of dispersion of the requests that come to a backend within a window; None for too few windows.

    It is the variance of their number, over all windows and within each backend, to the mean. Arrivals by chance
    (Poisson) have 1; turns make it smaller; whoever comes in herds makes it larger, up to the size of the herd.
    """
    arrivals_ms, places = arrivals_ms[:MOST_COUNTED], places[:MOST_COUNTED]
    if not places:
        return None
    first_ms, backends = arrivals_ms[0], max(places) + 1
    windows = int((arrivals_ms[-1] - first_ms) / window_ms)
    if windows < FEWEST_WINDOWS:
        return None
    cells = [
        int((arrival - first_ms) / window_ms) * backends + place
        for arrival, place in zip(arrivals_ms, places, strict=True)
    ]
    squares = sum(number * number for number in Counter(cells).values())
    squared_means = sum(hits * hits for hits in Counter(places).values()) / windows
    return (squares - squared_means) / len(places) * windows / (windows - 1)


def verdict(runs: Sequence[Run], plan: Plan) -> str | None:
    """Who herds, in words; None if there is nobody to be in step with."""
    started = [run for run in runs if _at_start(run) is not None]
    herds = [run for run in started if _herds(run, _at_start(run), plan, _start_ms(run))]
    unsure = [run for run in started if run not in herds and _can_herd(run) and (_at_start(run) or 0) >= CLEARLY]
    calm = [run for run in started if run not in herds and run not in unsure]
    sentences = []
    if herds:
        who = f"{listed([run.title for run in herds])} herd{'s' if len(herds) == 1 else ''}"
        seconds = max(run.start.seconds for run in herds if run.start is not None)
        sentences.append(
            f"{who}: for the first {brief_seconds(seconds)} all {plan.balancers} balancers walk the backends"
            " in the same order, in step. Requests then come"
            f" {_bunched(herds)} as bunched as by chance, and p99 is {_start_p99(herds)}"
        )
    if calm:
        who = f"{listed([run.title for run in calm])} {'does not' if len(calm) == 1 else 'do not'}"
        sentences.append(f"{who}{'' if herds else ' herd'}: {_bunched(calm)}, p99 {_start_p99(calm)}")
    if unsure:
        verb = "herds" if len(unsure) == 1 else "herd"
        who = listed([run.title for run in unsure])
        sentences.append(f"Whether {who} {verb}, so few requests at the start can't tell: {_bunched(unsure)}")
    sentences += [f"{run.title} {_later(run, plan)}" for run in herds]
    return ". ".join(sentences) + "." if sentences else None


def _can_herd(run: Run) -> bool:
    """Dice and keys take nobody along: only who goes by turns, or by what it knows, can be in step with others."""
    return run.algorithm not in BY_CHANCE | BY_KEY


def _herds(run: Run, bunched: float | None, plan: Plan, span_ms: float) -> bool:
    """Whether that bunching, over such a span, is a herd's.

    Over w windows of b backends the index of dispersion of arrivals by chance has a standard error of about
    sqrt(2 / (w b)): it is to be far outside of that, too.
    """
    cells = span_ms / plan.service_time_ms * plan.backends
    limit = max(CLEARLY, 1 + STANDARD_ERRORS * math.sqrt(2 / cells))
    return _can_herd(run) and bunched is not None and bunched >= limit


def _at_start(run: Run) -> float | None:
    """The bunching just after the start."""
    return None if run.start is None else run.start.bunching


def _start_ms(run: Run) -> float:
    return 0.0 if run.start is None else run.start.seconds * 1000


def _bunched(runs: Sequence[Run]) -> str:
    return f"{listed([f'{_at_start(run) or 0:.1f}' for run in runs])} times"


def _start_p99(runs: Sequence[Run]) -> str:
    return f"{listed([f'{run.start.p99_ms:,.0f}' for run in runs if run.start is not None])} ms"


def _later(run: Run, plan: Plan) -> str:
    assert run.inside is not None
    later, p99_ms = run.inside.bunching, run.latency.p99_ms
    if later is None or p99_ms is None:
        return "has no time to settle"
    span_ms = min(run.latency.count, MOST_COUNTED) / plan.rate_per_ms
    settles = "still herds later" if _herds(run, later, plan, span_ms) else "settles"
    return f"{settles} ({later:.1f} times, p99 {p99_ms:,.0f} ms)"
