"""The article's own ports, where this machine allows them."""

import json

import pytest

from lab.machine.ports import is_allowed
from tests.integration.conftest import Place
from tests.integration.facts import is_free, lablb

ARTICLE = (70, 71, 72, 73, 74, 75)


@pytest.mark.skipif(not all(map(is_allowed, ARTICLE)), reason="ports 70 to 75 aren't allowed for this user")
def test_without_a_port_given_it_is_70_and_the_backends_71_to_75() -> None:
    """As in the article."""
    if busy := [port for port in ARTICLE if not is_free(port)]:
        pytest.skip(f"port {busy[0]} is busy")
    done = lablb("run", "-n", 50, "--format", "json")
    if done.returncode == 3:
        pytest.skip(f"somebody took a port meanwhile: {done.stderr}")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["url"] == "http://127.0.0.1:70/"
    assert [backend["port"] for backend in report["backends"]] == [71, 72, 73, 74, 75]
    assert [backend["hits"] for backend in report["backends"]] == [10] * 5


@pytest.mark.skipif(is_allowed(70), reason="port 70 is allowed for this user")
def test_where_70_isnt_allowed_the_lab_moves_and_a_port_asked_for_is_an_error(place: Place) -> None:
    """To 8070 and 8071 to 8075 by itself; but nobody who says --port 70 gets another."""
    if not all(map(is_free, range(8070, 8076))):
        pytest.skip("a port from 8070 to 8075 is busy")
    done = lablb("run", "-n", 50, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["url"] == "http://127.0.0.1:8070/"
    done = lablb("run", "-n", 50, "--port", 70)
    assert done.returncode == 3
    assert "Port 70 isn't allowed for this user" in done.stderr
