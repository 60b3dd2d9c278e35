"""Whom each model of nginx's methods picks, and why: the figures were seen on real binaries (shared/nginx-facts.md)."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from random import Random
from zlib import crc32

import pytest

from lab.balancing.decision import ByDraw, ByHash, ByLoad, ByRing, ByTime, ByTurn, ByTwoDraws, OnlyOne
from lab.balancing.hash import key_hash
from lab.balancing.hash_consistent import HashConsistent, Ring, points_of
from lab.balancing.ip_hash import address_bytes, ip_hash
from lab.balancing.methods import upstream_named
from lab.balancing.peer import Refusal
from lab.balancing.upstream import Visit, averaged_ms
from tests.unit.upstreams import NOW, Seconds, ask, ask_times, opened, peers, upstream_of


def test_round_robin_interleaves_weights_smoothly() -> None:
    """5:1:1 gives a a b a c a a, and then the same again."""
    assert ask_times(14, upstream_of("round_robin", peers(5, 1, 1))) == [71, 71, 72, 71, 73, 71, 71] * 2


def test_a_round_of_round_robin_can_be_followed() -> None:
    """Each is given its weight, the highest wins and pays for all."""
    upstream = upstream_of("round_robin", peers(5, 1, 1))
    ask_times(2, upstream)
    decision = upstream.begin().pick()
    assert isinstance(decision, ByTurn)
    assert [(turn.before, turn.effective_weight, turn.raised, turn.after) for turn in decision.turns] == [
        (-4, 5, 1, 1),
        (2, 1, 3, -4),
        (2, 1, 3, 3),
    ]
    assert decision.server == "127.0.0.1:72"
    assert decision.why == "its current weight 3 is the highest of 1, 3, 3, and it is the first with that"


def test_least_conn_on_an_idle_system_is_round_robin() -> None:
    """All are equals then."""
    assert ask_times(7, upstream_of("least_conn", peers(5, 1, 1))) == [71, 71, 72, 71, 73, 71, 71]


def test_least_conn_counts_requests_per_weight() -> None:
    """Of 3:1, the heavy one has three before the light one's one is as many."""
    upstream = upstream_of("least_conn", peers(3, 1))
    assert [opened(upstream)[0] for _ in range(8)] == [71, 72, 71, 71, 71, 72, 71, 71]


def test_least_conn_moves_no_weight_when_one_alone_has_the_fewest() -> None:
    """So the turn among equals goes on where it was."""
    upstream = upstream_of("least_conn", peers(1, 1, 1))
    opened(upstream)
    opened(upstream)
    weights = [peer.current_weight for peer in upstream.primaries]
    decision = upstream.begin().pick()
    assert isinstance(decision, ByLoad)
    assert (decision.server, decision.turns) == ("127.0.0.1:73", ())
    assert [load.conns for load in decision.loads] == [1, 1, 0]
    assert decision.why == "it has the fewest active requests per weight (0)"
    assert [peer.current_weight for peer in upstream.primaries] == weights


def test_random_goes_by_ranges_as_wide_as_the_weights() -> None:
    """Of 2:3 the numbers 0 and 1 are the first one's; larger draws are taken modulo 5."""
    upstream = upstream_of("random", peers(2, 3), draws=[0, 1, 2, 4, 5, 7])
    assert ask_times(6, upstream) == [71, 71, 72, 72, 71, 72]


def test_random_draws_again_for_a_peer_that_is_down() -> None:
    """A down peer keeps its range, and after 21 draws in vain round robin decides."""
    down, up = peers(1, 1)
    servers = [replace(down, is_down=True), up]
    decision = upstream_of("random", servers, draws=[0, 0, 1]).begin().pick()
    assert isinstance(decision, ByDraw)
    assert [draw.is_taken for draw in decision.draws] == [False, False, True]
    assert decision.why == "1 of 0 to 1 was drawn"
    assert [(each.server, each.refusal) for each in decision.refused] == [("127.0.0.1:71", Refusal.DOWN)]
    decision = upstream_of("random", servers, draws=[0] * 21).begin().pick()
    assert isinstance(decision, ByDraw)
    assert (len(decision.draws), len(decision.turns)) == (21, 1)


def test_random_two_takes_the_second_unless_it_is_busier() -> None:
    """A tie goes to the second; the same one drawn again doesn't count."""
    upstream = upstream_of("random_two", peers(1, 1, 1), draws=[0, 0, 1, 0, 1, 2, 1])
    decisions = [upstream.begin().pick() for _ in range(3)]
    assert [decision and decision.server for decision in decisions] == [f"127.0.0.1:{port}" for port in (72, 71, 73)]
    assert isinstance(decisions[0], ByTwoDraws)
    assert [draw.is_taken for draw in decisions[0].draws] == [True, False, True]
    assert isinstance(decisions[1], ByTwoDraws)
    assert decisions[1].why == "71 and 72 were drawn, and the first has fewer active requests per weight"


@pytest.mark.parametrize(
    ("weights", "shares"), [((5, 2, 1), (0.298, 0.453, 0.250)), ((100, 1), (0.81, 0.19)), ((1, 1), (0.5, 0.5))]
)
def test_random_two_bends_the_weights_when_idle(weights: tuple[int, ...], shares: tuple[float, ...]) -> None:
    """The shares that were measured on real binaries."""
    rng = Random(7)
    upstream = upstream_named("random_two", peers(*weights), clock=lambda: NOW, chance=lambda: rng.getrandbits(31))
    hits = Counter(ask_times(20_000, upstream))
    assert [hits[71 + place] / 20_000 for place in range(len(weights))] == pytest.approx(shares, abs=0.012)


def test_ip_hash_looks_at_the_first_three_bytes() -> None:
    """Every client of 127.0.0.x is one client to it; of IPv6 all sixteen bytes count."""
    assert address_bytes("127.0.0.1") == address_bytes("127.0.0.99") == bytes([127, 0, 0])
    assert len(address_bytes("2001:db8::1")) == 16
    assert ip_hash(bytes([127, 0, 0])) == ((((89 * 113 + 127) % 6271) * 113) % 6271 * 113) % 6271
    upstream = upstream_of("ip_hash", peers(1, 1, 1, 1, 1))
    assert len({ask(upstream, Visit(address=f"127.0.0.{client}"))[0] for client in range(1, 9)}) == 1
    assert len({ask(upstream, Visit(address=f"127.0.{net}.1"))[0] for net in range(40)}) == 5


def test_ip_hash_hashes_on_from_where_it_was() -> None:
    """The second step begins with the first one's hash."""
    servers = [replace(spec, is_down=True) for spec in peers(1, 1, 1, 1)]
    servers[2] = replace(servers[2], is_down=False)
    decision = upstream_of("ip_hash", servers).begin(Visit(address="10.1.2.3")).pick()
    assert isinstance(decision, ByHash)
    hashes = [step.hash for step in decision.steps]
    assert len(hashes) > 1
    assert hashes[0] == ip_hash(bytes([10, 1, 2]))
    assert all(after == ip_hash(bytes([10, 1, 2]), before) for before, after in pairwise(hashes))
    assert [step.refusal for step in decision.steps[:-1]] == [Refusal.DOWN] * (len(hashes) - 1)


def test_hash_takes_fifteen_bits_of_the_crc() -> None:
    """In later rounds the round's number is put before the key, and the hashes add up."""
    assert key_hash("/", 0) == (crc32(b"/") >> 16) & 0x7FFF
    assert key_hash("/", 3) == (crc32(b"3/") >> 16) & 0x7FFF
    upstream = upstream_of("hash", peers(1, 2, 3))
    first = upstream.begin(Visit("/a"))
    decision = first.pick()
    assert isinstance(decision, ByHash)
    assert decision.steps[0].place == key_hash("/a", 0) % 6
    first.failed()
    again = first.pick()
    assert isinstance(again, ByHash)
    assert again.steps[0].hash == key_hash("/a", 0) + key_hash("/a", 1)


def test_a_hash_without_a_key_is_round_robin() -> None:
    """An empty key decides nothing."""
    for algorithm in ("hash", "hash_consistent"):
        upstream = upstream_of(algorithm, peers(1, 1, 1))
        assert [ask(upstream, Visit(key=""))[0] for _ in range(6)] == [71, 72, 73] * 2


def test_the_ring_of_the_labs_five_backends_is_uneven() -> None:
    """160 points each own 21.2, 20.4, 19.7, 21.5 and 17.1 % of it, as was measured."""
    ring = Ring([(spec.server, spec.weight) for spec in peers(1, 1, 1, 1, 1)])
    assert len(ring) == 800
    shares = ring.shares()
    assert [round(100 * shares[f"127.0.0.1:{port}"], 1) for port in range(71, 76)] == [21.2, 20.4, 19.7, 21.5, 17.1]
    assert sum(shares.values()) == pytest.approx(1)


def test_a_points_hash_is_made_of_host_port_and_the_point_before() -> None:
    """Host, NUL, port, and four bytes, the lowest first."""
    first, second = points_of("127.0.0.1:71", 1)[:2]
    assert first.hash == crc32(b"127.0.0.1\x0071\0\0\0\0")
    assert second.hash == crc32(b"127.0.0.1\x0071" + first.hash.to_bytes(4, "little"))


def test_when_a_backend_leaves_the_ring_only_its_keys_move() -> None:
    """All others stay where they were, which `hash` can't do."""
    keys = [Visit(f"/{number}") for number in range(400)]
    moved = {}
    for algorithm in ("hash_consistent", "hash"):
        before = upstream_of(algorithm, peers(1, 1, 1, 1, 1))
        after = upstream_of(algorithm, peers(1, 1, 1, 1))
        pairs = [(ask(before, key)[0], ask(after, key)[0]) for key in keys]
        moved[algorithm] = sum(old != new for old, new in pairs if old != 75)
    assert moved["hash_consistent"] == 0
    assert moved["hash"] > 200


def test_a_walk_on_the_ring_passes_over_who_is_down() -> None:
    """Point by point, each with its reason."""
    servers = peers(1, 1, 1)
    key = Visit("/key")
    decision = upstream_of("hash_consistent", servers).begin(key).pick()
    assert isinstance(decision, ByRing)
    assert len(decision.steps) == 1
    place = [server.server for server in servers].index(decision.server)
    servers[place] = replace(servers[place], is_down=True)
    walk = upstream_of("hash_consistent", servers).begin(key).pick()
    assert isinstance(walk, ByRing)
    assert walk.server != decision.server
    assert [step.refusal for step in walk.steps] == [Refusal.DOWN] * (len(walk.steps) - 1) + [None]
    assert walk.steps[0].hash == decision.steps[0].hash
    assert "before it were in vain" in walk.why


def test_peers_of_the_same_address_share_its_points_by_turn() -> None:
    """Two lines with one text are one place on the ring."""
    one, two = peers(1, 1)
    upstream = upstream_of("hash_consistent", [one, replace(two, server=one.server)])
    assert isinstance(upstream.method, HashConsistent)
    assert len(upstream.method.ring) == 160
    for _ in range(4):
        ask(upstream)
    assert [peer.current_weight for peer in upstream.primaries] == [0, 0]
    _, request = opened(upstream)
    assert request.peer is upstream.primaries[0]


def test_least_time_prefers_who_answers_fast() -> None:
    """After one answer each, 100 ms lose against 5 ms, until the fast one's queue makes up for it."""
    upstream = upstream_of("least_time", peers(1, 1))
    for header_ms in (100, 5):
        request = upstream.begin()
        request.pick()
        request.succeeded(header_ms)
    assert [peer.average_ms for peer in upstream.primaries] == [100, 5]
    assert [opened(upstream)[0] for _ in range(7)] == [72] * 6 + [71]
    decision = upstream.begin().pick()
    assert isinstance(decision, ByTime)
    assert [(each.average_ms, each.conns, each.eta_ms) for each in decision.estimates] == [(100, 1, 240), (5, 6, 140)]


def test_least_time_calls_all_within_twenty_milliseconds_equals() -> None:
    """21 and 39 ms are one; they take turns."""
    upstream = upstream_of("least_time", peers(1, 1))
    for header_ms in (21, 39):
        request = upstream.begin()
        request.pick()
        request.succeeded(header_ms)
    assert ask_times(4, upstream) == [72, 71, 72, 71]


def test_least_time_gives_who_was_long_unasked_another_chance() -> None:
    """A second of 1,280 ms counts half after a fail_timeout without being asked, and half again after the next."""
    clock = Seconds()
    upstream = upstream_of("least_time", peers(1, 1), clock=clock)
    slow, fast = upstream.primaries
    slow.average_ms, fast.average_ms, slow.checked, fast.checked = 1280, 500, NOW, NOW
    assert ask(upstream) == [72]
    clock.now += 11
    fast.checked = clock.now
    assert ask(upstream) == [72]
    clock.now += 11
    fast.checked = clock.now
    assert ask(upstream) == [71]


def test_the_moving_average_takes_the_first_value_whole() -> None:
    """And then a twentieth of each new one, rounded."""
    assert averaged_ms(0, 300) == 300
    assert averaged_ms(300, 100) == 290
    assert averaged_ms(1, 0) == 1


def test_a_single_peer_leaves_nothing_to_decide() -> None:
    """Whatever the algorithm."""
    for algorithm in ("round_robin", "least_conn", "random", "random_two", "ip_hash", "hash", "least_time"):
        decision = upstream_of(algorithm, peers(3)).begin().pick()
        assert isinstance(decision, OnlyOne)
        assert decision.why == "it is the only one"
