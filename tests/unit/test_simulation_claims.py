"""What a simulation says in words is true of small and short runs, too."""

from dataclasses import replace

import pytest

from lab.comparison.inside import Inside, Start
from lab.comparison.result import Comparison, Run
from lab.durations import brief_seconds
from lab.simulation.fleet import fleet_run
from lab.simulation.herding import verdict
from lab.simulation.plan import Plan, Service
from lab.simulation.report import fleet
from lab.simulation.theory import steady_requests, theory_of
from lab.simulation.traffic import drawn

FAST = ("round_robin", "least_conn", "random", "random_two")


def result_of(plan: Plan, algorithm: str) -> Run:
    return fleet_run(plan, algorithm, drawn(plan))


def report_of(plan: Plan) -> Comparison:
    return fleet(plan, lambda _: None)


def inside(run: Run) -> Inside:
    assert run.inside is not None
    return run.inside


def overloaded(report: Comparison) -> list[int]:
    return [inside(run).overloaded for run in report.runs]


@pytest.mark.parametrize("seed", [11, *range(100, 108)])
def test_what_is_drawn_is_never_called_a_herd(seed: int) -> None:
    """However bunched a few requests are by chance; in step walks only who takes turns."""
    report = report_of(Plan(FAST, backends=2, balancers=6, requests=2000, seed=seed))
    assert "in step" not in (report.verdict or "")


def test_too_few_requests_tell_no_herd_from_chance() -> None:
    """A bunching that may be chance is no herd, nor is it none; the same bunching of many requests is one."""
    plan = Plan(("round_robin",), backends=2, balancers=6, requests=2000)
    run = result_of(plan, "round_robin")
    few, many = (
        replace(run, inside=replace(inside(run), start=Start(seconds, 90.0, bunching=1.8), bunching=1.6))
        for seconds in (0.3, 30.0)
    )
    assert verdict([few], plan) == "Whether round robin herds, so few requests at the start can't tell: 1.8 times."
    herding = verdict([many], plan)
    assert herding is not None
    assert herding.startswith("round robin herds: for the first 30 s all 6 balancers")


@pytest.mark.parametrize(("balancers", "backends"), [(1, 1000), (100, 1000), (1, 100)])
def test_equal_backends_that_can_serve_all_are_not_called_overloaded(balancers: int, backends: int) -> None:
    """Of twenty requests each, some get many more than others: by chance, or in an unfinished round."""
    report = report_of(Plan(FAST, backends=backends, balancers=balancers, requests=20 * backends))
    assert overloaded(report) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "plan",
    [
        Plan(FAST, requests=20_000, load=1.1),
        Plan(FAST, requests=2000, load=1.02),
        Plan(FAST, backends=1000, requests=20_000, load=1.2),
        Plan(FAST, balancers=20, requests=2000, load=1.2),
    ],
    ids=["clearly", "by a fiftieth", "many backends", "many balancers"],
)
def test_more_than_all_can_serve_overloads_them(plan: Plan) -> None:
    """The plan says so, however few requests, and it is said once for all algorithms."""
    report = report_of(plan)
    assert overloaded(report) == [plan.backends] * 4
    (note,) = [note for note in report.notes if "the longer it takes" in note]
    assert note.startswith(f"a load of {plan.load:.0%} is more than all backends together can serve: whatever the alg")


def test_who_has_more_than_it_can_serve_is_counted_beside_an_overload_of_all() -> None:
    """By turns the quick ones have enough to do, and no more; by load each gets its part of what is too much."""
    report = report_of(Plan(("round_robin", "least_conn", "random"), requests=20_000, load=1.1, slow=1))
    assert overloaded(report) == [1, 5, 1]
    assert [note.partition(" more than")[0] for note in report.notes if "the longer it takes" in note] == [
        "a load of 110% is",
        "round robin gives 1 backend",
        "random gives 1 backend",
    ]


@pytest.mark.parametrize("seed", range(5))
def test_counting_active_requests_spares_slow_backends_whatever_chance_does(seed: int) -> None:
    """Close to what all can serve, a slow one is always busy, and its queue is no longer than the others'."""
    plan = Plan(("least_conn", "least_time"), requests=5000, load=0.95, slow=2, seed=seed)
    assert overloaded(report_of(plan)) == [0, 0]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00002, "0.02 ms"), (0.0251, "25.1 ms"), (0.85, "0.85 s"), (9.96, "10 s"), (172.4, "172 s"), (5000, "5000 s")],
)
def test_times_are_told_without_powers_of_ten(seconds: float, text: str) -> None:
    """Whatever their size."""
    assert brief_seconds(seconds) == text


@pytest.mark.parametrize(
    ("plan", "remedy"),
    [
        (Plan(("random",), backends=100, load=0.95, requests=50_000), "give -n 1500000 or more"),
        (Plan(("round_robin",), backends=1, requests=1), "give -n 33000 or more"),
        (Plan(("random",), backends=10_000, load=0.95, requests=20_000), "more than can be simulated"),
    ],
)
def test_a_run_too_short_for_theory_says_so_and_what_would_do(plan: Plan, remedy: str) -> None:
    """The exact means stand beside it all the same."""
    report = report_of(plan)
    assert report.runs[0].theory is not None
    (note,) = [note for note in report.notes if "too short" in note]
    assert note.startswith('too short for the steady state that "exact" speaks of: ')
    assert note.endswith(remedy)


@pytest.mark.parametrize("algorithms", [("random",), ("least_conn",)])
def test_a_run_that_is_long_enough_or_has_no_theory_has_no_such_note(algorithms: tuple[str, ...]) -> None:
    """By default there is no need for one."""
    requests = Plan().requests if algorithms == ("random",) else 100
    assert not any("too short" in note for note in report_of(Plan(algorithms, requests=requests)).notes)


@pytest.mark.parametrize(
    "plan",
    [Plan(backends=45, load=0.5), Plan(backends=45, load=0.8), Plan(backends=1, load=0.8, service=Service.FIXED)],
    ids=["half loaded", "loaded", "one, fixed"],
)
def test_so_many_requests_do_bring_the_means_to_the_theorys(plan: Plan) -> None:
    """On average within 2 % and what chance leaves of twelve runs, and hardly ever farther than a tenth."""
    requests = steady_requests(plan, "random")
    theory = theory_of(plan, "random")
    assert requests is not None
    assert theory is not None
    parts = []
    for seed in range(12):
        found = result_of(replace(plan, requests=requests, seed=seed), "random").latency.mean_ms
        assert found is not None
        parts.append(found / theory.mean_ms)
    assert sum(parts) / len(parts) == pytest.approx(1, abs=0.02 + 0.03)
    assert sum(abs(part - 1) > 0.1 for part in parts) <= 2
