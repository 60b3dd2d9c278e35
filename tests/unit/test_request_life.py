"""A request's way through the upstream: failures, retries, backups, limits, and the single peer."""

from dataclasses import replace

import pytest

from lab.balancing.peer import PeerSpec, Refusal
from lab.errors import UsageError
from tests.unit.upstreams import Seconds, ask, ask_times, opened, peers, upstream_of


def test_a_failure_is_retried_elsewhere_and_puts_the_peer_aside() -> None:
    """nginx asks the next one, and leaves the failed one alone for fail_timeout and up to a second more."""
    clock = Seconds()
    upstream = upstream_of("round_robin", peers(1, 1, 1), clock=clock)
    assert ask(upstream, refusing=[71]) == [71, 72]
    assert ask_times(4, upstream) == [73, 72, 73, 72]
    clock.now += 10
    assert ask_times(4, upstream) == [73, 72, 73, 72]
    clock.now += 1
    assert ask_times(6, upstream) == [73, 72, 73, 71, 72, 73]  # at first it has no weight, then one more each round


def test_exactly_one_request_probes_a_peer_whose_time_is_over() -> None:
    """All others pass it over until that one has ended."""
    clock = Seconds()
    upstream = upstream_of("round_robin", peers(1, 1), clock=clock)
    ask(upstream, refusing=[71])
    clock.now += 11
    ports = [opened(upstream) for _ in range(4)]
    assert sorted(port for port, _ in ports) == [71, 72, 72, 72]
    probe = next(request for port, request in ports if port == 71)
    probe.succeeded()
    assert upstream.primaries[0].fails == 0
    assert 71 in ask_times(3, upstream)


def test_failures_add_up_unless_a_fail_timeout_passed_between_them() -> None:
    """With max_fails=2 one failure a request apart is enough, since a success at once forgets nothing."""
    clock = Seconds()
    upstream = upstream_of("round_robin", peers(1, 1, max_fails=2), clock=clock)
    ask(upstream, refusing=[71])
    ask_times(4, upstream)
    assert upstream.primaries[0].fails == 1
    clock.now += 11
    ask_times(4, upstream)
    assert upstream.primaries[0].fails == 0


def test_a_failure_costs_weight_that_comes_back_one_a_round() -> None:
    """weight // max_fails less, and never under 0."""
    upstream = upstream_of("round_robin", peers(8, 1, max_fails=2))
    ask(upstream, refusing=[71])
    heavy = upstream.primaries[0]
    assert heavy.effective_weight == 4
    ask(upstream)
    assert heavy.effective_weight == 5
    for _ in range(2):
        heavy.conns += 1
        heavy.fail(0)
    assert heavy.effective_weight == 0


def test_max_fails_of_0_never_puts_aside() -> None:
    """It is asked again and again, and keeps its weight."""
    upstream = upstream_of("round_robin", peers(1, 1, max_fails=0))
    tried = [ask(upstream, refusing=[71]) for _ in range(4)]
    assert sum(71 in ports for ports in tried) >= 2
    assert upstream.primaries[0].effective_weight == 1


def test_nobody_is_asked_twice_in_a_request() -> None:
    """And all that failed leave the next request without a live peer."""
    for algorithm in ("round_robin", "least_conn", "ip_hash", "hash", "hash_consistent", "least_time"):
        upstream = upstream_of(algorithm, peers(1, 1, 1))
        assert sorted(ask(upstream, refusing=[71, 72, 73])) == [71, 72, 73]
        assert ask(upstream) == []


def test_tries_are_limited() -> None:
    """By proxy_next_upstream_tries, and by the peers that aren't down."""
    down, *rest = peers(1, 1, 1, 1)
    servers = [replace(down, is_down=True), *rest]
    everybody = [71, 72, 73, 74]
    assert len(ask(upstream_of("round_robin", servers), refusing=everybody)) == 3
    assert len(ask(upstream_of("round_robin", servers, tries_limit=2), refusing=everybody)) == 2
    assert len(ask(upstream_of("round_robin", servers, tries_limit=9), refusing=everybody)) == 3


def test_a_peer_that_is_down_gets_nothing() -> None:
    """The decision says so."""
    first, second = peers(1, 1)
    upstream = upstream_of("round_robin", [first, replace(second, is_down=True)])
    assert ask_times(3, upstream) == [71, 71, 71]
    decision = upstream.begin().pick()
    assert decision is not None
    assert [(each.server, each.refusal) for each in decision.refused] == [("127.0.0.1:72", Refusal.DOWN)]


@pytest.mark.parametrize("algorithm", ["round_robin", "least_conn", "ip_hash", "hash", "hash_consistent", "least_time"])
def test_max_conns_is_a_peers_limit(algorithm: str) -> None:
    """Full ones are passed over until a request ends; when all are full there is no live peer."""
    upstream = upstream_of(algorithm, peers(1, 1, max_conns=1))
    (first_port, first), (second_port, _) = opened(upstream), opened(upstream)
    assert {first_port, second_port} == {71, 72}
    assert upstream.begin().pick() is None
    first.succeeded()
    assert opened(upstream)[0] == first_port


@pytest.mark.parametrize("algorithm", ["round_robin", "least_conn", "least_time"])
def test_backups_are_asked_only_when_no_primary_is_eligible(algorithm: str) -> None:
    """Then by the same algorithm."""
    servers = [*peers(1, 1), *(PeerSpec(f"127.0.0.1:{port}", is_backup=True) for port in (81, 82))]
    upstream = upstream_of(algorithm, servers)
    assert set(ask_times(4, upstream)) == {71, 72}
    assert sorted(ask(upstream, refusing=[71, 72])) in ([71, 72, 81], [71, 72, 82])
    assert set(ask_times(4, upstream)) == {81, 82}
    decision = upstream.begin().pick()
    assert decision is not None
    assert decision.is_backup


@pytest.mark.parametrize("algorithm", ["random", "random_two", "ip_hash", "hash", "hash_consistent"])
def test_backups_are_refused_where_nginx_refuses_them(algorithm: str) -> None:
    """The sentence names those that take them."""
    with pytest.raises(UsageError, match="choose round_robin, least_conn or least_time"):
        upstream_of(algorithm, [*peers(1, 1), PeerSpec("127.0.0.1:81", is_backup=True)])


def test_an_upstream_of_backups_only_is_refused() -> None:
    """nginx wants a primary."""
    with pytest.raises(UsageError, match="no backup"):
        upstream_of("round_robin", peers(1, 1, is_backup=True))


def test_a_single_peers_failures_are_ignored() -> None:
    """It is asked once a request, and again by the next; only `down` and `max_conns` count."""
    upstream = upstream_of("round_robin", peers(1))
    assert [ask(upstream, refusing=[71]) for _ in range(3)] == [[71]] * 3
    assert upstream.primaries[0].conns == 0
    assert ask(upstream_of("round_robin", peers(1, is_down=True))) == []
    limited = upstream_of("round_robin", peers(1, max_conns=1))
    _, request = opened(limited)
    assert ask(limited) == []
    request.succeeded()
    assert ask(limited) == [71]


def test_a_sibling_that_is_down_ends_the_single_peers_privilege() -> None:
    """One failure then means ten seconds without a live peer."""
    first, second = peers(1, 1)
    upstream = upstream_of("round_robin", [first, replace(second, is_down=True)])
    assert ask(upstream, refusing=[71]) == [71]
    assert ask(upstream) == []


def test_a_hash_goes_on_from_try_to_try() -> None:
    """A second try begins where the first one's walk ended, and never asks the same peer."""
    for algorithm in ("ip_hash", "hash", "hash_consistent"):
        upstream = upstream_of(algorithm, peers(1, 1, 1, 1, 1))
        tried = ask(upstream, refusing=range(71, 76))
        assert sorted(tried) == [71, 72, 73, 74, 75]
