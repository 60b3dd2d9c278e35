"""What a comparison says of itself: failures first, then latencies, and how much of it is chance."""

import json
from collections.abc import Sequence

import pytest

from lab.comparison.conclusion import conclusion
from lab.comparison.formats import as_json, as_text
from lab.comparison.page import as_html
from lab.comparison.race import Race
from lab.comparison.result import Run, Share
from lab.comparison.scenarios import scenario_named
from lab.counts.latency import LatencySummary

SENT = 2973
SHARES = (Share("71", 1, 400), Share("72", 1, 200))


def a_run(algorithm: str, p95_ms: float | None, failed: int = 0, *, is_again: bool = False) -> Run:
    title = algorithm.replace("_", " ") + (", again" if is_again else "")
    latency = LatencySummary(count=SENT - failed, p95_ms=p95_ms)
    return Run(algorithm, title, SENT, SENT - failed, failed, 0, latency, SHARES, 1.0, is_again=is_again)


def said(*runs: Run) -> str:
    return conclusion(runs) or ""


def one_slow() -> Sequence[Run]:
    return (
        a_run("round_robin", 862.0),
        a_run("least_conn", 90.0),
        a_run("least_time", 90.4),
        a_run("round_robin", 853.4, is_again=True),
    )


def test_the_best_and_the_worst_are_named_with_the_noise() -> None:
    """Drawn from p95, and from how far the same algorithm is from itself."""
    assert said(*one_slow()) == (
        "p95 is lowest under least conn (90.0 ms), and alike under least time, and highest under round robin (862 ms):"
        " 9.6 times as long. The same algorithm twice differs by 1 %: chance makes that much at least."
    )


def test_a_latency_reads_alike_in_the_conclusion_and_in_the_table() -> None:
    """Whoever looks for it finds it."""
    runs = (a_run("round_robin", 1834.2), a_run("least_conn", 99.96), a_run("round_robin", 1800.0, is_again=True))
    text = as_text(Race(scenario_named("one-slow"), ("round_robin", "least_conn"), seconds=1, seed=1).result(runs))
    assert text.count("1,834 ms") == 3, "table, bar and conclusion"
    assert text.count("100 ms") == 3


def test_noise_is_said_to_be_noise() -> None:
    """No two differ by more than the same algorithm twice does."""
    alike = (a_run("round_robin", 44.0), a_run("random", 43.0), a_run("round_robin", 40.0, is_again=True))
    assert said(*alike) == "The same algorithm twice differs by 9 % at p95, and no two differ by more: this is noise."


def test_failures_lead_where_they_differ() -> None:
    """Whoever fails a third of the requests doesn't win by the p95 of the others."""
    found = said(
        a_run("round_robin", 1990.0, 460),
        a_run("least_conn", 1950.0, 315),
        a_run("random", 1800.0, 896),
        a_run("round_robin", 1985.0, 470, is_again=True),
    )
    assert found.startswith(
        "least conn failed fewest (315 of 2,973), random most (896)."
        " p95 counts answered requests only: who fails more may look faster. p95 is lowest under random (1,800 ms)"
    )


def test_failures_that_are_alike_are_told_as_alike() -> None:
    """Within a percentage point; so few aren't told at all."""
    assert said(a_run("round_robin", 44.0, 300), a_run("least_conn", 43.0, 320)) == (
        "About as many failed under each, up to 320 of 2,973; p95 counts answered requests only."
    )
    assert said(a_run("round_robin", 44.0, 3), a_run("least_conn", 43.0)) == ""


def test_failures_are_not_ranked_within_what_the_same_algorithm_twice_differs_by() -> None:
    """A machine that was busy with something else makes as many."""
    runs = (a_run("round_robin", None), a_run("least_conn", 43.0, 100))
    assert said(*runs, a_run("round_robin", None, 150, is_again=True)) == (
        "Failures differ by no more than under round robin twice (0 and 150 of 2,973): that may be chance."
        " p95 counts answered requests only."
    )
    assert said(*runs, a_run("round_robin", None, 10, is_again=True)).startswith("round robin failed fewest (0 of")


def test_noise_is_told_where_nobody_else_has_answered() -> None:
    """Who answered nothing has no p95: how far the same algorithm is from itself is known all the same."""
    runs = (a_run("round_robin", 100.0), a_run("random", None, SENT), a_run("round_robin", 102.0, is_again=True))
    assert said(*runs) == (
        "round robin failed fewest (0 of 2,973), random most (2,973)."
        " p95 counts answered requests only: who fails more may look faster."
        " The same algorithm twice differs by 2 % at p95, and there is no other p95 to compare."
    )


def test_what_nginx_draws_may_differ_by_more() -> None:
    """The same algorithm twice is one that takes turns, and says nothing of dice."""
    again = a_run("round_robin", 101.0, is_again=True)
    by_chance = said(a_run("round_robin", 100.0), a_run("least_conn", 60.0), a_run("random", 400.0), again)
    assert by_chance.endswith(" nginx draws under random: another run may differ by more.")
    among_others = said(a_run("round_robin", 100.0), a_run("least_conn", 60.0), a_run("random", 80.0), again)
    assert "nginx draws" not in among_others, "it is neither best nor worst"


def test_a_race_has_a_verdict_once_it_is_over_and_each_format_has_it() -> None:
    """Not before: who is best of some says nothing of all."""
    race = Race(scenario_named("one-slow"), ("round_robin", "least_conn", "least_time"), seconds=1, seed=1)
    runs = one_slow()
    assert [race.result(runs[:done]).verdict for done in range(4)] == [None] * 4
    result = race.result(runs)
    assert result.verdict is not None
    assert json.loads(as_json(result))["verdict"] == result.verdict
    assert result.verdict in " ".join(as_text(result).split("\n"))
    assert result.verdict in as_html(result)
    for text in (as_text(result), as_html(result)):
        assert text.count("twice differs by") == 1


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_is_said_of_a_single_algorithm(count: int) -> None:
    """There is nothing to compare it with."""
    assert conclusion(one_slow()[:count]) is None
