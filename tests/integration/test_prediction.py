"""What `lablb predict` says is what the real lab does."""

import asyncio
import json

import pytest

from lab.config import BackendSpec
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import ask, lablb

PATHS = ("/", "/a", "/b?c=d", "/e/f", "/g")


@pytest.mark.parametrize("algorithm", ["round_robin", "least_conn", "ip_hash", "hash", "hash_consistent"])
async def test_the_real_nginx_does_what_was_foretold(
    start_lab: StartLab, place: Place, nginx: str, algorithm: str
) -> None:
    """The same options, 20 requests one after the other, and the same port each time."""
    paths = [option for path in PATHS for option in ("--path", path)]
    done = await asyncio.to_thread(
        lablb,
        *("predict", "--algorithm", algorithm, "--weights", "5,1,2", "-n", 20, "--format", "json", "--nginx", nginx),
        *(*paths, *place.port_options),
    )
    assert done.returncode == 0, done.stderr
    foretold = [each["port"] for each in json.loads(done.stdout)]
    lab = await start_lab(
        nginx=nginx, algorithm=algorithm, backends=tuple(BackendSpec(weight=weight) for weight in (5, 1, 2))
    )

    def really() -> list[int]:
        replies = [ask(lab.parts.ports.nginx, PATHS[number % len(PATHS)]) for number in range(20)]
        return [int(reply.headers["x-upstream"].rpartition(":")[2]) for reply in replies]

    assert await asyncio.to_thread(really) == foretold
