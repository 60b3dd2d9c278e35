"""The simulation: its fast picks are the models', its means are the theory's, and it says that it is one."""

import csv
import io
import json
import time
from dataclasses import replace
from heapq import heappop, heappush
from pathlib import Path
from random import Random

import pytest

from lab.balancing.methods import upstream_named
from lab.balancing.upstream import Request
from lab.cli import main
from lab.comparison.formats import as_csv, as_json, as_text
from lab.comparison.inside import Inside, Theory
from lab.comparison.page import as_html
from lab.comparison.result import Comparison, Run
from lab.errors import UsageError
from lab.simulation.fewest import SPARE_ENTRIES, Fewest
from lab.simulation.fleet import fleet_run
from lab.simulation.herding import bunching
from lab.simulation.picking import picker_for
from lab.simulation.plan import Plan, Service
from lab.simulation.report import Progress, fleet
from lab.simulation.theory import erlang_c, single_wait_ms, theory_of
from lab.simulation.traffic import drawn
from tests.unit.upstreams import NOW, peers

FAST = ("round_robin", "least_conn", "random", "random_two")
MILLION = 1_000_000


def result_of(plan: Plan, algorithm: str) -> Run:
    return fleet_run(plan, algorithm, drawn(plan))


def inside(run: Run) -> Inside:
    assert run.inside is not None
    return run.inside


def mean_ms(run: Run) -> float:
    assert run.latency.mean_ms is not None
    return run.latency.mean_ms


def p99_ms(run: Run) -> float:
    assert run.latency.p99_ms is not None
    return run.latency.p99_ms


def report_of(plan: Plan) -> Comparison:
    return fleet(plan, lambda _: None)


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
    under_way: list[tuple[float, int, Request]] = []
    longest_ms = rng.choice((1.0, count, 4.0 * count))
    for now in range(1200):
        while under_way and under_way[0][0] <= now:
            heappop(under_way)[2].succeeded()
        request = upstream.begin()
        request.pick()
        assert request.peer is not None
        place = picker.pick(now)
        assert place == places[request.peer]
        done = now + rng.uniform(0, longest_ms)
        heappush(under_way, (done, now, request))
        if picker.note is not None:
            picker.note(place, now, done)


@pytest.mark.parametrize("algorithm", FAST)
def test_a_thousand_times_the_backends_cost_a_little_more_a_request(algorithm: str) -> None:
    """Far from a thousand times: at most logarithmically more, and what the processor's caches add."""
    seconds = []
    for backends in (10, 10_000):
        picker = picker_for(algorithm, [1] * backends, "cost", keys=1)
        start = time.process_time()
        for number in range(40_000):
            now = number / backends
            place = picker.pick(now)
            if picker.note is not None:
                picker.note(place, now, now + 0.5)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 6 * seconds[0] + 0.02


def test_the_book_of_least_conn_stays_small() -> None:
    """Levels that are never the lowest are tidied too."""
    fewest = Fewest([1] * 20)
    rng = Random(3)
    under_way = [fewest.pick() for _ in range(10)]
    for _ in range(20_000):
        fewest.release(under_way.pop(rng.randrange(len(under_way))))
        under_way.append(fewest.pick())
    ranks = [rank for level in fewest._levels.values() for rank in level.ranks.values()]
    entries = sum(len(rank.heap) + len(rank.newcomers) for rank in ranks)
    assert entries < len(ranks) * 2 * (2 * 20 + SPARE_ENTRIES + 1)


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
    assert mean_ms(result) == pytest.approx(theory.mean_ms, rel=0.02)
    if plan.capacity == 1:  # the response time of M/M/1 is exponential, too
        assert result.latency.p50_ms == pytest.approx(theory.mean_ms * 0.693147, rel=0.03)
        assert result.latency.p99_ms == pytest.approx(theory.mean_ms * 4.60517, rel=0.05)


def test_a_fixed_service_time_halves_the_wait() -> None:
    """M/D/1 waits half as long as M/M/1."""
    plan = Plan(backends=1, load=0.7, service=Service.FIXED, requests=300_000)
    theory = theory_of(plan, "random")
    assert theory is not None
    assert theory.name == "M/D/1"
    assert theory.wait_ms == pytest.approx(0.7 / 0.3 / 2 * 20)
    assert inside(result_of(plan, "random")).wait_ms == pytest.approx(theory.wait_ms, rel=0.03)


def test_theory_has_its_known_values() -> None:
    """Of two servers 2r²/(1+r) have to wait; no truth is claimed where there is none."""
    assert erlang_c(1, 0.6) == pytest.approx(0.6)
    assert erlang_c(2, 1.2) == pytest.approx(2 * 0.36 / 1.6)
    assert single_wait_ms(0.5, 10, 1) == pytest.approx(10)
    assert theory_of(Plan(), "round_robin") is None
    assert theory_of(Plan(load=1.0), "random") is None
    assert theory_of(Plan(slow=1, load=0.4), "random") is None
    assert theory_of(Plan(capacity=2, service=Service.FIXED), "random") is None
    assert theory_of(Plan(backends=1, load=0.5), "round_robin") == Theory("M/M/1", 40.0, 20.0)


def test_one_balancer_sees_all_and_least_conn_is_best() -> None:
    """It beats two draws, which beat one; a turn for each lies between."""
    plan = Plan(backends=50, requests=60_000)
    means = {name: mean_ms(result_of(plan, name)) for name in FAST}
    assert means["least_conn"] < means["random_two"] < means["round_robin"] < means["random"]


def test_many_balancers_herd_under_least_conn_and_not_under_random_two() -> None:
    """Each knows its own requests only: all walk the same way in step, and meet at the same backends."""
    alone, many = Plan(backends=500, requests=100_000), Plan(backends=500, balancers=100, requests=100_000)
    herd, spread = result_of(many, "least_conn"), result_of(many, "random_two")
    assert inside(herd).max_in_flight > 2 * inside(spread).max_in_flight
    assert p99_ms(herd) > 2 * p99_ms(spread)
    assert mean_ms(herd) > 10 * mean_ms(result_of(alone, "least_conn"))
    assert mean_ms(spread) < 1.2 * mean_ms(result_of(many, "random"))


def test_the_default_load_shows_the_herd_in_figures_and_in_words() -> None:
    """A thousand backends, twenty balancers: at the start least_conn is a herd; random two never is."""
    report = report_of(Plan(("least_conn", "random_two"), backends=1000, balancers=20, requests=200_000))
    herd, spread = map(inside, report.runs)
    assert herd.start is not None
    assert spread.start is not None
    assert herd.start.bunching == pytest.approx(8, abs=3)
    assert spread.start.bunching == pytest.approx(1, abs=0.1)
    assert herd.bunching is not None
    assert herd.bunching < 1.5
    assert herd.start.p99_ms > 1.5 * spread.start.p99_ms
    assert report.verdict is not None
    assert report.verdict.startswith("least conn herds: for the first")
    assert "random two does not" in report.verdict
    assert f"p99 is {herd.start.p99_ms:,.0f} ms" in report.verdict


def test_a_single_balancer_has_nobody_to_be_in_step_with() -> None:
    """No herd is spoken of."""
    report = report_of(Plan(("least_conn",), backends=100, requests=20_000))
    assert inside(report.runs[0]).start is None
    assert report.verdict is None
    assert "bunching" not in as_text(report)


def test_bunching_is_one_by_chance_and_more_in_herds() -> None:
    """Turns have less than chance; ten that come together have about ten times as much."""
    rng, count = Random(5), 40_000
    by_chance = [float(number) for number in range(count)]
    places = [rng.randrange(100) for _ in range(count)]
    assert bunching(by_chance, places, 100) == pytest.approx(1, abs=0.05)
    assert bunching(by_chance, [number % 100 for number in range(count)], 100) == pytest.approx(0, abs=0.01)
    assert bunching(by_chance, [places[number // 10] for number in range(count)], 100) == pytest.approx(10, abs=1)
    assert bunching(by_chance[:500], places[:500], 100) is None
    assert bunching([], [], 100) is None


def test_a_slow_backend_drowns_under_turns_and_is_spared_by_least_conn() -> None:
    """The report says who is given more than they can serve."""
    report = report_of(Plan(("round_robin", "least_conn"), slow=1, load=0.4, requests=20_000))
    by_turn, by_load = report.runs
    assert [share.hits for share in by_turn.shares] == [4000] * 5
    assert by_load.shares[4].hits < 0.3 * by_load.shares[0].hits
    assert p99_ms(by_load) < p99_ms(by_turn) / 100
    assert (inside(by_turn).overloaded, inside(by_load).overloaded) == (1, 0)
    assert "round robin gives 1 backend more than it can serve" in as_text(report)


def test_all_algorithms_are_given_the_same_requests() -> None:
    """With one backend they can't differ, and the same seed says the same again."""
    plan = Plan(FAST, backends=1, requests=2000)
    first, *others = report_of(plan).runs
    assert all(replace(each, algorithm=first.algorithm, title=first.title) == first for each in others)
    assert report_of(plan) == report_of(plan)
    assert result_of(replace(plan, seed=2), "random") != result_of(plan, "random")


def test_progress_tells_how_long_the_rest_takes() -> None:
    """As long as the runs before have taken, each; nothing is known before the first."""
    now = iter((100.0, 102.0, 106.0))
    told: list[Progress] = []
    fleet(Plan(("random", "round_robin", "least_conn"), requests=100), told.append, lambda: next(now))
    assert [(each.number, each.title, each.seconds_left) for each in told] == [
        (1, "random", None),
        (2, "round robin", 4.0),
        (3, "least conn", 3.0),
    ]


def test_what_has_no_fast_variant_is_picked_by_its_model() -> None:
    """Hashes get keys, least_time gets times."""
    plan = Plan(requests=3000)
    for algorithm in ("ip_hash", "hash", "hash_consistent", "least_time"):
        hits = [share.hits for share in result_of(plan, algorithm).shares]
        assert sum(hits) == 3000
        assert min(hits) > 300


def test_the_report_is_marked_as_simulated_in_each_format() -> None:
    """And has the theory beside it where there is one."""
    report = report_of(Plan(("random", "least_conn"), backends=2, balancers=3, requests=20_000))
    text = as_text(report)
    assert "2 backends, behind 3 balancers that don't know of each other" in text
    assert "; simulated\n" in text
    assert text.count("exact (M/M/1)") == 1
    content = json.loads(as_json(report))
    assert content["simulated"] is True
    assert content["settings"]["balancers"] == 3
    assert content["verdict"] == report.verdict
    first, second = content["runs"]
    assert first["inside"]["theory"] == {"name": "M/M/1", "mean_ms": 100.0, "wait_ms": 80.0}
    assert second["inside"]["theory"] is None
    assert sum(backend["hits"] for backend in first["backends"]) == 20_000
    rows = list(csv.DictReader(io.StringIO(as_csv(report))))
    assert [(row["simulated"], row["algorithm"], row["theory"]) for row in rows] == [
        ("True", "random", "M/M/1"),
        ("True", "least_conn", ""),
    ]
    page = as_html(report)
    assert '<span class="simulated">simulated</span>' in page
    assert page.count("<figure>") == 2
    assert "exact (M/M/1)" in page


def test_the_table_of_a_fleet_lines_up() -> None:
    """Each of its lines is as long as the others, but for the theory, which knows no more than means."""
    lines = as_text(report_of(Plan(FAST, backends=40, balancers=2, requests=20_000))).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("algorithm"))
    table = [line for line in lines[start : start + 6] if "exact" not in line]
    assert len(table) == 5
    assert len({len(line) for line in table}) == 1


def test_a_page_of_many_backends_tells_their_spread() -> None:
    """A bar of a thousand parts would say nothing."""
    page = as_html(report_of(Plan(backends=30, requests=3000)))
    assert "100 to 100 requests a backend" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"backends": 0}, "0 as the number of backends"),
        ({"requests": 0}, "0 as the number of requests"),
        ({"load": 0.0}, "A load of 0 can't be"),
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
    monkeypatch.setattr("lab.commandline.options.platformdirs.user_config_path", lambda name: tmp_path)
    config = tmp_path / "config.toml"
    config.write_text('algorithm = "hash"\nweights = "1,1"\nbackends = 2\nservice-time = "1s"\n')
    monkeypatch.setattr("sys.argv", ["lablb", "simulate", "-n", "500", "--format", "json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    content = json.loads(capsys.readouterr().out)
    assert [each["algorithm"] for each in content["runs"]] == list(FAST)
    assert (content["settings"]["backends"], content["settings"]["service_time_ms"]) == (5, 20)
