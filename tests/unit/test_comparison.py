"""A comparison as text, JSON, CSV and a page."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from lab.comparison.formats import CSV_COLUMNS, as_csv, as_json, as_text
from lab.comparison.page import as_html
from lab.comparison.race import Race
from lab.comparison.result import Comparison, Run, Share
from lab.comparison.scenarios import SCENARIOS, scenario_named
from lab.counts.latency import NOTHING_MEASURED, LatencySummary
from lab.errors import UsageError


def a_run(algorithm: str, p95_ms: float | None, title: str | None = None, **changes: Any) -> Run:
    """A run of two backends whose p95 was this."""
    latency = LatencySummary(600, 1.0, 20.0, 15.0, 40.0, p95_ms, 90.0, 120.0, 130.0)
    curve = ((0.0, 1.0), (50.0, 15.0), (95.0, p95_ms or 1.0), (100.0, 130.0))
    shares = (Share("71", 1, 400, 30.0004321), Share("72", 1, 200, None))
    return Run(algorithm, title or algorithm, 610, 600, 10, 3, latency, shares, 0.9, curve, **changes)


ERRORS = (("timeout", 8), ("http_502", 2))
COMPARISON = Comparison(
    "one-slow",
    "one of two is <slow>",
    "80 req/s for 10 s",
    (a_run("round_robin", 50.0, "round robin"), a_run("round_robin", 55.0, "round robin, again", is_again=True)),
    seed=7,
    notes=("theory says 12 ms",),
)


def test_the_noise_is_how_far_the_same_algorithm_is_from_itself() -> None:
    """At p95, as a part of the first; unknown without a second run, or without an answer."""
    assert COMPARISON.noise == pytest.approx(0.1)
    alone = Comparison("even", "", "", (a_run("random", 50.0),), 1)
    assert alone.noise is None
    unanswered = Comparison("even", "", "", (a_run("random", 50.0), a_run("random", None)), 1)
    assert unanswered.noise is None


@pytest.mark.parametrize(
    ("algorithms", "seconds", "part"),
    [
        (("random", "random"), 1.0, "random is named twice"),
        (("fastest",), 1.0, "no algorithm 'fastest'"),
        (("random",), 0.0, "In no time"),
    ],
)
def test_a_race_that_would_say_nothing_is_refused(algorithms: tuple[str, ...], seconds: float, part: str) -> None:
    """In a sentence, before anything starts."""
    with pytest.raises(UsageError, match=part):
        Race(SCENARIOS[0], algorithms, seconds=seconds, seed=1)


def test_the_text_names_plan_figures_shares_and_noise() -> None:
    """And says whether it was measured."""
    text = as_text(COMPARISON)
    assert "80 req/s for 10 s; seed 7; measured on a real nginx" in text
    assert "round robin, again" in text
    assert "66.7%" in text
    assert "differs by 10% at p95" in text
    assert text.endswith("note    theory says 12 ms\n")


def test_a_table_lines_up() -> None:
    """Each of its lines is as long as the others."""
    lines = as_text(COMPARISON).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("algorithm"))
    assert len({len(line) for line in lines[start : start + 3]}) == 1


def test_json_and_csv_hold_the_same_figures() -> None:
    """A row a run, in their order."""
    content = json.loads(as_json(COMPARISON))
    rows = list(csv.DictReader(io.StringIO(as_csv(COMPARISON))))
    assert [run["latency_ms"]["p95"] for run in content["runs"]] == [float(row["p95_ms"]) for row in rows] == [50, 55]
    assert [run["again"] for run in content["runs"]] == [False, True]
    assert content["simulated"] is False
    assert content["runs"][0]["backends"][0] == {"name": "71", "weight": 1, "hits": 400, "p95_ms": 30.0}


def test_json_and_csv_tell_why_requests_failed_and_how_noisy_it_was() -> None:
    """By kind, as a run's report does; CSV has both in columns behind all that were there before."""
    failing = replace(COMPARISON, runs=tuple(replace(run, errors=ERRORS) for run in COMPARISON.runs))
    assert json.loads(as_json(failing))["runs"][0]["requests"]["errors"] == {"timeout": 8, "http_502": 2}
    first = next(csv.DictReader(io.StringIO(as_csv(failing))))
    assert (first["noise"], first["errors"]) == ("0.1", "timeout=8 http_502=2")
    assert list(first)[-2:] == ["noise", "errors"]
    assert json.loads(as_json(COMPARISON))["runs"][0]["requests"]["errors"] == {}


def test_a_csv_column_has_its_place_in_one_list_whatever_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a new one is appended there: what isn't listed isn't written somewhere in between."""
    monkeypatch.setattr("lab.comparison.formats.CSV_COLUMNS", CSV_COLUMNS[:-1])
    with pytest.raises(ValueError, match="errors"):
        as_csv(COMPARISON)


class Page(HTMLParser):
    """What a page refers to, and whether its tags match."""

    VOID = frozenset(("meta",))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_keeps_text_as_text() -> None:
    """No file, no network, no script; light and dark; foreign characters escaped."""
    text = as_html(COMPARISON)
    page = Page(text)
    assert page.open == []
    assert page.references == []
    assert "<script" not in text
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text
    assert "one of two is &lt;slow&gt;" in text


def test_a_run_in_which_nothing_was_sent_has_its_line() -> None:
    """Nothing failed in it, and what part of nothing that is isn't asked."""
    nothing_sent = replace(COMPARISON.runs[0], sent=0, answered=0, failed=0, latency=NOTHING_MEASURED)
    assert "p95 –" in as_text(replace(COMPARISON, runs=(nothing_sent,)))


def test_what_failed_is_a_chart_of_its_own_and_stands_beside_the_latency_bars() -> None:
    """Who fails more may look faster; where nothing failed and nothing was tried again there is no such chart."""
    text, page = as_text(COMPARISON), as_html(COMPARISON)
    assert "p95 50.0 ms, 1.6% failed" in text
    assert 'style="width:1.64%;background:var(--c1)"></span></div><div class="muted">10 failed of 610<' in page
    assert 'style="width:0.49%;background:var(--c0)"></span></div><div class="muted">3 tried again<' in page
    calm = replace(COMPARISON, runs=tuple(replace(run, failed=0, retried=0) for run in COMPARISON.runs))
    assert "failed" not in as_text(calm).partition("█")[2]
    assert "tried again" not in as_html(calm)


def test_a_simulation_is_marked_as_one_everywhere() -> None:
    """Nobody takes a model's figures for measurements."""
    simulated = Comparison("even", "", "", COMPARISON.runs, 1, is_simulated=True)
    assert "; simulated" in as_text(simulated)
    assert json.loads(as_json(simulated))["simulated"] is True
    assert next(csv.DictReader(io.StringIO(as_csv(simulated))))["simulated"] == "True"
    assert '<span class="simulated">simulated</span>' in as_html(simulated)


def test_every_scenario_can_be_named_and_fits_together() -> None:
    """Five backends, each with its weight; all but the overload can be answered."""
    for scenario in SCENARIOS:
        assert scenario_named(scenario.name) is scenario
        assert len(scenario.slowness) == len(scenario.weights)
        assert (scenario.rate_rps < scenario.capacity_rps) is (scenario.name != "overload")
    with pytest.raises(UsageError, match="one-slow"):
        scenario_named("none")
