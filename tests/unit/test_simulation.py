"""The simulation: its fast picks are the models', its means are the theory's, and it says that it is one."""

import csv
import io
import json
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from lab.balancing.methods import upstream_named
from lab.balancing.upstream import Request
from lab.cli import main
from lab.errors import UsageError
from lab.simulation.fewest import SPARE_ENTRIES, Fewest
from lab.simulation.picking import picker_for
from lab.simulation.plan import Plan, Service
from lab.simulation.queues import Result, simulated
from lab.simulation.report import SimulationReport
from lab.simulation.theory import erlang_c, single_wait_ms, theory_of
from lab.simulation.traffic import drawn
from tests.unit.upstreams import NOW, peers

FAST = ("round_robin", "least_conn", "random", "random_two")
MILLION = 1_000_000


def result_of(plan: Plan, algorithm: str) -> Result:
    return simulated(plan, algorithm, drawn(plan))


@pytest.mark.parametrize("algorithm", FAST)
@pytest.mark.parametrize("seed", range(12))
def test_the_fast_picks_are_those_of_the_readable_model(algorithm: str, seed: int) -> None:
    """Request by request, with weights and without, while requests come and go in any order."""
    rng = Random(seed)
    count = rng.randint(1, 12)
    weights = [1] * count if seed % 3 == 0 else [rng.choice((1, 2, 3, 50)) for _ in range(count)]
    draws = Random("the same")
    upstream = upstream_named(algorithm, peers(*weights), clock=lambda: NOW, chance=lambda: draws.getrandbits(31))
    places = {peer: place for place, peer in enumerate(upstream.primaries)}
    picker = picker_for(algorithm, weights, "the same", keys=1)
    under_way: list[tuple[int, Request]] = []
    busy = rng.choice((0.3, 0.5, 0.55))
    for _ in range(800):
        if under_way and rng.random() > busy:
            place, request = under_way.pop(rng.randrange(len(under_way)))
            request.succeeded()
            if picker.release is not None:
                picker.release(place, 0.0)
        else:
            request = upstream.begin()
            request.pick()
            assert request.peer is not None
            place = picker.pick()
            assert place == places[request.peer]
            under_way.append((place, request))


@pytest.mark.parametrize("algorithm", FAST)
def test_a_thousand_times_the_backends_cost_a_little_more_a_request(algorithm: str) -> None:
    """Far from a thousand times: at most logarithmically more, and what the processor's caches add."""
    seconds = []
    for backends in (10, 10_000):
        weights = [1] * backends
        picker = picker_for(algorithm, weights, "cost", keys=1)
        under_way = [picker.pick() for _ in range(backends // 2)]
        start = time.process_time()
        for number in range(20_000):
            place = number % len(under_way)
            if picker.release is not None:
                picker.release(under_way[place], 0.0)
            under_way[place] = picker.pick()
        seconds.append(time.process_time() - start)
    assert seconds[1] < 12 * seconds[0] + 0.02


def test_the_book_of_least_conn_stays_small() -> None:
    """Levels that are never the lowest are tidied too."""
    fewest = Fewest([1] * 20)
    rng = Random(3)
    under_way = [fewest.pick() for _ in range(10)]
    for _ in range(20_000):
        fewest.release(under_way.pop(rng.randrange(len(under_way))), 0.0)
        under_way.append(fewest.pick())
    entries = sum(len(rank.heap) for level in fewest._levels.values() for rank in level.ranks.values())
    assert entries < len(fewest._levels) * (2 * 20 + SPARE_ENTRIES + 1)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(backends=1, load=0.7, requests=MILLION),
        Plan(backends=1, load=0.8, capacity=8, requests=MILLION),
        Plan(backends=10, load=0.7, requests=MILLION),
    ],
    ids=["M/M/1", "M/M/c", "ten M/M/1"],
)
def test_means_are_the_theorys_within_two_percent(plan: Plan) -> None:
    """At a million requests, under random, which splits chance arrivals into chance arrivals."""
    theory = theory_of(plan, "random")
    assert theory is not None
    result = result_of(plan, "random")
    assert result.mean_ms == pytest.approx(theory.mean_ms, rel=0.02)
    if plan.capacity == 1:  # the response time of M/M/1 is exponential, too
        assert result.p50_ms == pytest.approx(theory.mean_ms * 0.693147, rel=0.03)
        assert result.p99_ms == pytest.approx(theory.mean_ms * 4.60517, rel=0.05)


def test_a_fixed_service_time_halves_the_wait() -> None:
    """M/D/1 waits half as long as M/M/1."""
    plan = Plan(backends=1, load=0.7, service=Service.FIXED, requests=300_000)
    theory = theory_of(plan, "random")
    assert theory is not None
    assert theory.name == "M/D/1"
    assert theory.wait_ms == pytest.approx(0.7 / 0.3 / 2 * 20)
    assert result_of(plan, "random").wait_ms == pytest.approx(theory.wait_ms, rel=0.03)


def test_theory_has_its_known_values() -> None:
    """Of two servers 2r²/(1+r) have to wait; no truth is claimed where there is none."""
    assert erlang_c(1, 0.6) == pytest.approx(0.6)
    assert erlang_c(2, 1.2) == pytest.approx(2 * 0.36 / 1.6)
    assert single_wait_ms(0.5, 10, 1) == pytest.approx(10)
    assert theory_of(Plan(), "round_robin") is None
    assert theory_of(Plan(load=1.0), "random") is None
    assert theory_of(Plan(slow=1, load=0.4), "random") is None
    assert theory_of(Plan(capacity=2, service=Service.FIXED), "random") is None
    assert theory_of(Plan(backends=1), "round_robin") == theory_of(Plan(backends=1), "random")


def test_one_balancer_sees_all_and_least_conn_is_best() -> None:
    """It beats two draws, which beat one; a turn for each lies between."""
    plan = Plan(backends=50, requests=60_000)
    means = {name: result_of(plan, name).mean_ms for name in FAST}
    assert means["least_conn"] < means["random_two"] < means["round_robin"] < means["random"]


def test_many_balancers_herd_under_least_conn_and_not_under_random_two() -> None:
    """Each knows its own requests only: all walk the same way in step, and meet at the same backends."""
    alone, many = Plan(backends=500, requests=100_000), Plan(backends=500, balancers=100, requests=100_000)
    herd, spread = result_of(many, "least_conn"), result_of(many, "random_two")
    assert herd.max_in_flight > 2 * spread.max_in_flight
    assert herd.p99_ms > 2 * spread.p99_ms
    assert herd.mean_ms > 10 * result_of(alone, "least_conn").mean_ms
    assert spread.mean_ms < 1.2 * result_of(many, "random").mean_ms


def test_a_slow_backend_drowns_under_turns_and_is_spared_by_least_conn() -> None:
    """The report says who is given more than they can serve."""
    report = SimulationReport.of(Plan(("round_robin", "least_conn"), slow=1, load=0.4, requests=20_000))
    by_turn, by_load = report.results
    assert by_turn.hits == (4000,) * 5
    assert by_load.hits[4] < 0.3 * by_load.hits[0]
    assert by_load.p95_ms < by_turn.p95_ms / 100
    assert (report.overloaded(by_turn), report.overloaded(by_load)) == (1, 0)
    assert "round_robin gives 1 backend more than it can serve" in report.as_text()


def test_all_algorithms_are_given_the_same_requests() -> None:
    """With one backend they can't differ, and the same seed says the same again."""
    plan = Plan(FAST, backends=1, requests=2000)
    first, *others = SimulationReport.of(plan).results
    assert all(replace(each, algorithm=first.algorithm) == first for each in others)
    assert SimulationReport.of(plan) == SimulationReport.of(plan)
    assert result_of(replace(plan, seed=2), "random") != result_of(plan, "random")


def test_what_has_no_fast_variant_is_picked_by_its_model() -> None:
    """Hashes get keys, least_time gets times."""
    plan = Plan(requests=3000)
    for algorithm in ("ip_hash", "hash", "hash_consistent", "least_time"):
        result = result_of(plan, algorithm)
        assert sum(result.hits) == 3000
        assert min(result.hits) > 300


def test_the_report_is_marked_as_simulated_in_each_format() -> None:
    """And has the theory beside it where there is one."""
    report = SimulationReport.of(Plan(("random", "least_conn"), backends=2, requests=2000))
    text = report.as_text()
    assert text.startswith("simulated: 2,000 requests, 1 balancer, 2 backends\n")
    assert text.count("exact (M/M/1)") == 1
    content = json.loads(report.as_json())
    assert content["simulated"] is True
    assert [each["algorithm"] for each in content["algorithms"]] == ["random", "least_conn"]
    assert content["algorithms"][0]["theory"] == {"name": "M/M/1", "mean_ms": 100.0, "wait_ms": 80.0}
    assert content["algorithms"][1]["theory"] is None
    assert sum(content["algorithms"][0]["shares"]) == pytest.approx(1)
    rows = list(csv.DictReader(io.StringIO(report.as_csv())))
    assert [(row["simulated"], row["algorithm"]) for row in rows] == [
        ("simulated", "random"),
        ("simulated", "least_conn"),
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"backends": 0}, "0 as the number of backends"),
        ({"requests": 0}, "0 as the number of requests"),
        ({"load": float("nan")}, "A load of nan"),
        ({"slow": 6}, "6 of 5 backends can't be slow"),
        ({"weights": (1, 2)}, "2 weights don't fit 5 backends"),
        ({"algorithms": ("fastest",)}, "no algorithm 'fastest'"),
    ],
)
def test_what_can_not_be_simulated_is_refused(changes: dict[str, object], sentence: str) -> None:
    """In one sentence."""
    with pytest.raises(UsageError, match=sentence):
        Plan(**changes)  # type: ignore[arg-type]


def test_the_command_compares_and_ignores_the_labs_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A configuration file describes a real lab; what is simulated is said on the command line."""
    monkeypatch.setattr("lab.options.platformdirs.user_config_path", lambda name: tmp_path)
    config = tmp_path / "config.toml"
    config.write_text('algorithm = "hash"\nweights = "1,1"\nbackends = 2\nservice-time = "1s"\n')
    monkeypatch.setattr("sys.argv", ["lablb", "simulate", "-n", "500", "--format", "json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    content = json.loads(capsys.readouterr().out)
    assert [each["algorithm"] for each in content["algorithms"]] == list(FAST)
    assert (content["backends"], content["service_time_ms"]) == (5, 20)
