"""`lablb compare` through the real nginx."""

import json
from pathlib import Path

import pytest

from tests.integration.conftest import Place
from tests.integration.facts import lablb


@pytest.mark.timeout(90)
def test_the_same_traffic_meets_each_algorithm(place: Place, tmp_path: Path) -> None:
    """As many requests each time; the slow backend hurts round robin most, and the first algorithm comes out alike."""
    path = tmp_path / "slow.json"
    options = ("--scenario", "one-slow", "--algorithms", "round_robin,least_conn", "-z", "6s", "--seed", 3)
    done = lablb("compare", *options, "--format", "json", "-o", path, *place.port_options, seconds=80)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "run 3 of 3, round robin, again" in done.stderr
    first, least_conn, again = json.loads(path.read_text())["runs"]
    assert [run["algorithm"] for run in (first, least_conn, again)] == ["round_robin", "least_conn", "round_robin"]
    assert first["requests"] == again["requests"]
    assert first["requests"]["sent"] == first["requests"]["answered"] == least_conn["requests"]["sent"] > 150
    assert least_conn["latency_ms"]["p95"] < 0.7 * first["latency_ms"]["p95"]
    assert again["latency_ms"]["p95"] == pytest.approx(first["latency_ms"]["p95"], rel=0.25)
    assert [share["hits"] for share in first["backends"]] == [share["hits"] for share in again["backends"]]
    assert least_conn["backends"][4]["hits"] < first["backends"][4]["hits"]


def test_an_unknown_algorithm_is_a_usage_error(place: Place) -> None:
    """Before anything is started."""
    done = lablb("compare", "--algorithms", "round_robin,fastest", *place.port_options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lablb: There is no algorithm 'fastest'")
