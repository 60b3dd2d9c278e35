"""Scenarios without nginx: what dies is retried, patience ends, and a wrong simulation would be found out."""

import json
import sys
from dataclasses import replace

import pytest

from lab.cli import main
from lab.comparison.result import Comparison
from lab.comparison.runs import Entry, run_of
from lab.comparison.scenarios import SCENARIOS, Scenario, scenario_named
from lab.counts.histogram import Histogram
from lab.errors import UsageError
from lab.simulation.agenda import Agenda
from lab.simulation.rehearsal import Rehearsal
from lab.simulation.workplace import Job, Workplace
from tests.reality.holding import hold

EVEN = scenario_named("even")
SECONDS = 6.0


def as_if_real(scenario: Scenario, *algorithms: str) -> Comparison:
    """A comparison that nothing but its throws tells from the simulations that it is held to."""
    runs = tuple(
        run_of(Entry(name), Rehearsal(scenario, name, SECONDS, seed=1, throw=1000).run(), scenario.weights, range(1, 6))
        for name in algorithms
    )
    return Comparison(scenario.name, "", "", runs, seed=1)


def test_jobs_wait_their_turn_and_see_the_process_die() -> None:
    """Two at once, the third once one is done; whoever is inside when it dies is told, and nobody is told twice."""
    agenda, told = Agenda(), list[str]()
    place = Workplace(agenda, capacity=2, slowness=10)

    def job(name: str, work_ms: float) -> Job:
        return Job(work_ms, lambda: told.append(f"{name} {agenda.now_ms:g}"), lambda: told.append(f"{name} broke"))

    for name, work_ms in (("a", 1), ("b", 3), ("c", 1), ("d", 9), ("e", 1)):
        place.take(job(name, work_ms))
    agenda.at(25, place.die)
    agenda.at(40, place.revive)
    agenda.at(41, lambda: place.take(job("f", 1)))
    agenda.run()
    assert told[:2] == ["a 10", "c 20"]
    assert sorted(told[2:5]) == ["b broke", "d broke", "e broke"]
    assert told[5:] == ["f 51"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_scenario_ends_with_an_outcome_for_each_request(scenario: Scenario) -> None:
    """As many as arrived, whatever the algorithm; the same again for the same throw."""
    counts = [Rehearsal(scenario, name, 3.0, seed=1).run() for name in ("round_robin", "least_conn", "random_two")]
    assert {each.answered + each.failed for each in counts} == {counts[0].answered + counts[0].failed}
    assert all(sum(each.hits.values()) == each.answered for each in counts)
    again = Rehearsal(scenario, "random_two", 3.0, seed=1).run()
    assert (again.hits, again.errors) == (counts[2].hits, counts[2].errors)
    assert Histogram.of(again.latencies.values()).summary() == Histogram.of(counts[2].latencies.values()).summary()


def test_nobody_notices_a_backend_that_dies() -> None:
    """What it had is asked of another; while it is dead it gets nothing."""
    dies, even = scenario_named("one-dies"), EVEN
    counts, whole = (Rehearsal(each, "round_robin", 9.0, seed=1).run() for each in (dies, even))
    assert (counts.failed, whole.retried) == (0, 0)
    assert counts.retried > 0
    assert counts.hits[3] < 0.75 * whole.hits[3]


def test_patience_ends_under_overload() -> None:
    """Requests that wait for longer than the client does have failed, and none that was answered took longer."""
    counts = Rehearsal(replace(EVEN, rate_rps=500, timeout_seconds=1.0), "round_robin", SECONDS, seed=1).run()
    assert counts.errors["timeout"] > 500
    run = run_of(Entry("round_robin"), counts, EVEN.weights, range(1, 6))
    assert run.errors == (("timeout", counts.failed),)
    slowest_ms = max(histogram.summary().max_ms or 0 for histogram in counts.latencies.values())
    assert 900 < slowest_ms < 1030


def test_another_throw_is_another_run_of_the_same_requests() -> None:
    """It changes nothing for round robin but the way's microseconds."""
    first, second = (Rehearsal(EVEN, "random", SECONDS, seed=1, throw=throw).run() for throw in (0, 1))
    assert first.answered == second.answered
    assert first.hits != second.hits
    first, second = (Rehearsal(EVEN, "round_robin", SECONDS, seed=1, throw=throw).run() for throw in (0, 1))
    assert first.hits == second.hits


def test_a_right_simulation_is_held_and_a_wrong_one_is_not() -> None:
    """A fifth more work, another algorithm, other weights: each is found out."""
    algorithms = ("round_robin", "least_conn")
    assert all(held.is_held for held in hold(as_if_real(EVEN, *algorithms), EVEN, SECONDS))
    slower = replace(EVEN, service_time_ms=1.2 * EVEN.service_time_ms)
    assert not all(held.is_held for held in hold(as_if_real(slower, "round_robin"), EVEN, SECONDS))
    (turns,) = as_if_real(EVEN, "round_robin").runs
    mistaken = replace(as_if_real(EVEN), runs=(replace(turns, algorithm="least_conn"),))
    assert not all(held.is_held for held in hold(mistaken, EVEN, SECONDS))
    weighted = replace(EVEN, weights=(2, 1, 1, 1, 1))
    assert not all(held.is_held for held in hold(as_if_real(weighted, "round_robin"), EVEN, SECONDS))


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), 1e9])
def test_a_scenario_takes_some_time_and_not_for_ever(seconds: float) -> None:
    """In one sentence."""
    with pytest.raises(UsageError, match="A scenario can't take"):
        Rehearsal(EVEN, "random", seconds, seed=1)


def told_by(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *options: str
) -> tuple[object, str, str]:
    """Exit code, stdout and stderr of `lablb simulate`."""
    monkeypatch.setattr(sys, "argv", ["lablb", "simulate", *options])
    with pytest.raises(SystemExit) as end:
        main()
    done = capsys.readouterr()
    return end.value.code, done.out, done.err


def test_the_command_simulates_a_scenario(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In the formats of compare, marked as simulated, with progress on stderr."""
    options = ("--scenario", "one-dies", "-z", "3s", "--algorithms", "round_robin,random", "--format", "json")
    code, out, err = told_by(capsys, monkeypatch, *options)
    assert not code
    content = json.loads(out)
    assert (content["scenario"], content["simulated"]) == ("one-dies", True)
    assert [run["algorithm"] for run in content["runs"]] == ["round_robin", "random"]
    assert all(run["inside"] is None for run in content["runs"])
    assert "lablb: run 2 of 2, random" in err


def test_a_simulated_overload_says_who_failed_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a low p95 would seem to be good; nothing runs twice here, so that no p95 is ranked."""
    options = ("--scenario", "overload", "-z", "10s", "--algorithms", "least_conn,random", "--format", "json")
    _, out, _ = told_by(capsys, monkeypatch, *options)
    verdict = json.loads(out)["verdict"]
    assert verdict.startswith("least conn failed fewest (")
    assert verdict.endswith("p95 counts answered requests only: who fails more may look faster.")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--scenario", "even", "--backends", "3"), "The scenario even says that itself: leave --backends out."),
        (("--scenario", "even", "-n", "3"), "The scenario even says that itself: leave -n out."),
        (("--overhead", "1ms"), "--overhead is for a scenario: give one with --scenario, or leave it out."),
        (("--weights", "1,2", "--backends", "3"), "2 weights don't fit 3 backends"),
        (("--weights", "0,1"), "A weight of 0 can't be: give each backend 1 or more."),
        (("--algorithms", "random,random"), "random is named twice: it would come out the same again."),
        (("--scenario", "even", "--algorithms", "random,random"), "random is named twice"),
        (("--algorithms", "round_robin,fastest"), "There is no algorithm 'fastest'"),
    ],
)
def test_what_contradicts_itself_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], sentence: str
) -> None:
    """One line, before anything is simulated."""
    code, out, err = told_by(capsys, monkeypatch, *options)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
