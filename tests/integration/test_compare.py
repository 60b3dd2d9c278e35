"""`lablb compare` through the real nginx."""

import json
import sys
from pathlib import Path

import psutil
import pytest

from tests.integration.conftest import Place
from tests.integration.facts import lablb, lablb_running, only_one, running, wait_until


@pytest.mark.clock
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
@pytest.mark.parametrize(
    ("scenario", "victim", "sentence"),
    [
        ("even", "nginx", "nginx died in the middle of the run"),
        ("even", "backend", "died in the middle of the run (ended by signal 9)"),
        ("one-dies", "backend", "died in the middle of the run (ended by signal 9)"),
        ("even", "client", "The lab's client ended before its time"),
    ],
)
def test_a_death_that_nobody_planned_ends_it_without_a_report(
    place: Place, scenario: str, victim: str, sentence: str
) -> None:
    """What follows it isn't the algorithm's doing; of a scenario in which a backend dies, only that one may."""
    options = ("--scenario", scenario, "--algorithms", "least_conn", "-z", "20s", *place.port_options)
    with lablb_running("compare", *options) as lab:
        wait_until(place.is_traffic_flowing, what="traffic")
        victims = {
            "nginx": lambda: only_one(running("lab.machine.guardian", place.folder)).children(),
            "backend": lambda: [each for each in running("lab.backend", place.folder) if serves(each, place.base_port)],
            "client": lambda: running("lab.traffic.worker", place.folder)[-1:],
        }
        only_one(victims[victim]()).kill()
        out, err = lab.communicate(timeout=20)
    assert (lab.returncode, out) == (1, ""), err
    assert sentence in err.splitlines()[-1]
    assert "Traceback" not in err
    place.wait_until_empty()


def serves(process: psutil.Process, port: int) -> bool:
    return str(port) in process.cmdline()


def test_an_unknown_algorithm_is_a_usage_error(place: Place) -> None:
    """Before anything is started."""
    done = lablb("compare", "--algorithms", "round_robin,fastest", *place.port_options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lablb: There is no algorithm 'fastest'")
