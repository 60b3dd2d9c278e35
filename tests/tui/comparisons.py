"""Comparisons as another lab would find them."""

from lab.comparison.conclusion import conclusion
from lab.comparison.result import Comparison, Run, Share
from lab.comparison.standing import Standing
from lab.counts.latency import LatencySummary

SLOW = 862.0
RUNS = (
    ("round_robin", "round robin", SLOW, (160, 160, 160, 160, 160)),
    ("least_conn", "least conn", 90.0, (190, 190, 190, 190, 40)),
    ("random", "random", 409.0, (165, 155, 150, 170, 160)),
    ("random_two", "random two", 90.4, (185, 190, 190, 195, 40)),
    ("round_robin", "round robin, again", 853.4, (160, 160, 160, 160, 160)),
)


def run(
    algorithm: str, title: str, p95_ms: float | None, hits: tuple[int, ...], *, failed: int = 0, weight: int = 1
) -> Run:
    """One run of backends from 8071 on, the first of which has that weight."""
    latency = (
        LatencySummary() if p95_ms is None else LatencySummary(800, 1.0, 20.0, 11.0, 40.0, p95_ms, 1322, 1400, 1447)
    )
    shares = tuple(Share(str(8071 + place), 1 if place else weight, each) for place, each in enumerate(hits))
    is_again = title.endswith("again")
    return Run(algorithm, title, 800, 800 - failed, failed, 7, latency, shares, 0.96, is_again=is_again)


def comparison(done: int = len(RUNS)) -> Comparison:
    """One of five backends is slow; so many runs are over."""
    runs = tuple(run(*each) for each in RUNS[:done])
    plan = "Poisson arrivals, 40 req/s for 20 s, 5 backends of capacity 1, exponential service times of 10 ms"
    verdict = conclusion(runs) if done == len(RUNS) else None
    description = "one of five backends is ten times slower than the others"
    return Comparison("one-slow", description, plan, runs, seed=1, verdict=verdict)


def standing(done: int = 0, *, is_over: bool = False) -> Standing:
    """So many runs are over, and the next is under way."""
    number = min(done + 1, len(RUNS))
    seconds_left = 0.0 if is_over else 20.5 * (len(RUNS) - done)
    return Standing(number, len(RUNS), RUNS[number - 1][1], seconds_left, comparison(done), is_over)
