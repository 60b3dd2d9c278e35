"""The models of `lab.balancing` against a real nginx, attempt by attempt; those left to chance by their odds.

`make differential SECONDS=600` plays new seeds for as long as that.
"""

from collections import Counter
from collections.abc import Sequence

import pytest

from lab.balancing.methods import upstream_named
from lab.balancing.odds import expected_shares
from lab.balancing.peer import PeerSpec
from lab.balancing.upstream import Clock, Upstream
from lab.counts.fairness import compare
from lab.nginx.binary import NginxBinary, find_nginx
from tests.differential.foretelling import model_of
from tests.differential.reality import HOST, Backends, Client, Requests, nginx_running
from tests.differential.referee import ports_needed
from tests.differential.scenario import Scenario
from tests.differential.trial import hold_to_nginx
from tests.integration.facts import free_ports

HARDLY_EVER = 1e-5
"""A p-value that chance gives once in a hundred thousand runs."""
FEWEST_REQUESTS = 3000
"""Of the bundled nginx alone, since a machine may have no other; another one plays four ninths of the seeds."""


@pytest.fixture
async def binary(nginx: str) -> NginxBinary:
    return await find_nginx(nginx)


@pytest.mark.timeout(120)
async def test_the_models_agree_with_nginx_attempt_by_attempt(binary: NginxBinary) -> None:
    """Made-up upstreams and events: requests held and released, failures, retries, backups, limits, time passing."""
    is_bundled = binary.source == "bundled"
    seeds = range(1, 91) if is_bundled else range(1001, 1041)
    tally = await hold_to_nginx(binary, seeds, free_ports(ports_needed()))
    assert tally.unsure < len(seeds) / 4
    assert tally.requests >= (FEWEST_REQUESTS if is_bundled else FEWEST_REQUESTS * 4 / 9)
    assert tally.attempts > tally.requests * 0.9


@pytest.mark.timeout(120)
async def test_a_model_that_is_a_little_wrong_is_found_out_and_shrunk(nginx: str) -> None:
    """With the order of equals turned round, some seed differs, and what is left of it is a few events."""
    if nginx != "bundled":
        pytest.skip("it is about the test, not about nginx")

    def wrong(scenario: Scenario, ports: list[int], clock: Clock) -> Upstream:
        upstream = model_of(scenario, ports, clock)
        upstream.primaries = upstream.primaries[::-1]
        return upstream

    with pytest.raises(AssertionError) as found:
        await hold_to_nginx(await find_nginx(nginx), range(12), free_ports(ports_needed()), maker=wrong)
    text = str(found.value)
    assert "the model says" in text
    events = int(text.partition("tries limit")[2].partition(" events")[0].split()[-1])
    assert events <= 4, text


def upstream_to_try(algorithm: str, peers: Sequence[PeerSpec]) -> Scenario:
    return Scenario(0, algorithm, tuple(peers), tries_limit=0, events=())


@pytest.mark.parametrize(
    ("algorithm", "weights"),
    [("random", (5, 2, 1)), ("random", (1, 1, 1, 1)), ("random_two", (5, 2, 1)), ("random_two", (100, 1))],
)
async def test_what_is_left_to_chance_has_the_odds_of_the_model(
    binary: NginxBinary, algorithm: str, weights: tuple[int, ...]
) -> None:
    """A chi-square test of 600 requests finds nothing, and would find the weights alone wrong for random two."""
    peers = [PeerSpec(str(place), weight) for place, weight in enumerate(weights)]
    port = free_ports(1 + len(peers))
    backends = Backends(range(port + 1, port + 1 + len(peers)))
    await backends.open()
    try:
        async with nginx_running(binary, port, [(upstream_to_try(algorithm, peers), backends.ports)]):
            client = Client(port, 0)
            hits = Counter([(await client.ask("/", HOST, None)).attempts[-1] for _ in range(600)])
            await client.close()
    finally:
        await backends.close()
    found = [hits[each] for each in backends.ports]
    shares = expected_shares(algorithm, peers)
    assert shares is not None
    odds = compare(found, shares)
    assert odds.p is not None
    assert odds.p > HARDLY_EVER, f"{found} of {odds.expected}"
    if algorithm == "random_two":
        by_weight = compare(found, [weight / sum(weights) for weight in weights])
        assert (by_weight.p or 0) < HARDLY_EVER


async def test_random_two_spares_the_busier_of_the_two(binary: NginxBinary) -> None:
    """While one of three holds a request it gets none of the next 200, as in the model."""
    peers = [PeerSpec(str(place)) for place in range(3)]
    port = free_ports(4)
    backends = Backends(range(port + 1, port + 4))
    await backends.open()
    try:
        async with nginx_running(binary, port, [(upstream_to_try("random_two", peers), backends.ports)]):
            client = Client(port, 0)
            requests = Requests(client, backends)
            holding, _ = await requests.send("/", HOST, is_held=True).settled()
            hits = Counter([(await client.ask("/", HOST, None)).attempts[-1] for _ in range(200)])
            await requests.finish()
            await client.close()
    finally:
        await backends.close()
    (busy,) = holding.attempts
    assert hits[busy] == 0
    assert len(hits) == 2


def test_the_model_of_random_two_spares_the_busier_too() -> None:
    """Whatever is drawn: all pairs."""
    for first in range(3):
        for second in {0, 1, 2} - {first}:
            draws = iter([0, 1, first, second])
            upstream = upstream_named(
                "random_two", [PeerSpec(str(place)) for place in range(3)], clock=lambda: 0, chance=draws.__next__
            )
            busy = upstream.begin().pick()
            then = upstream.begin().pick()
            assert busy is not None
            assert then is not None
            assert then.server != busy.server
