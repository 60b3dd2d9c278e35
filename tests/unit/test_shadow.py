"""The model that follows nginx's log: how it orders what it is told, and what it does when nginx does otherwise."""

import gc
import time
from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest

from lab.balancing import hash_consistent
from lab.balancing.decision import Decision
from lab.balancing.hash_consistent import Point
from lab.config import BackendSpec
from lab.logs.access_log import LogLine
from lab.logs.moments import LATE_SECONDS
from lab.nginx.render import Upstream
from lab.witnesses import Attempt
from lab.xray.shadow import BUSY_RPS, MOST_POINTS, PICKS_KEPT, Shadow
from lab.xray.view import Deviation, RuleCheck, XRay
from tests.unit.made_up import answered_by, log_line, refused_by

START = 1_721_000_000.0
LATER = START + 1_000_000
NOBODY = Attempt("lablb", None, 502)
GONE = Attempt("127.0.0.1:71", 71, None)
ATTEMPTS = (*(answered_by(port) for port in (71, 72, 73, 99)), refused_by(71), refused_by(73), NOBODY, GONE)


def upstream_of(*weights: int, algorithm: str = "round_robin") -> Upstream:
    return Upstream(algorithm, tuple((71 + place, BackendSpec(weight=weight)) for place, weight in enumerate(weights)))


def line(ms: int, *attempts: Attempt, took_ms: int = 0, shot: str = "", uri: str = "/", generation: int = 1) -> LogLine:
    """A request that was over so many milliseconds after the start."""
    made_up = log_line(*attempts, shot=shot, uri=uri)
    return made_up._replace(time=START + ms / 1000, seconds=took_ms / 1000, generation=generation)


def follow(shadow: Shadow, lines: Iterable[LogLine]) -> XRay:
    """The X-ray once all of this is settled, a moment after the start."""
    for each in lines:
        shadow.note_line(each)
    shadow.settle(LATER)
    xray = shadow.view(START)
    assert xray is not None
    return xray


def in_turn(ports: Iterable[int], from_ms: int = 0, step_ms: int = 5) -> list[LogLine]:
    return [line(from_ms + number * step_ms, answered_by(port)) for number, port in enumerate(ports)]


def test_a_sequence_is_foretold_and_the_next_one_is_named() -> None:
    """5:1:1 is a a b a c a a; the state is that after the last pick."""
    xray = follow(Shadow({1: upstream_of(5, 1, 1)}, 1), in_turn((71, 71, 72, 71)))
    assert (xray.right, xray.foretold) == (4, 4)
    assert [peer.current_weight for peer in xray.peers] == [-1, -3, 4]
    assert xray.next_port == 73
    assert xray.last is not None
    assert xray.last.sentence == "it went to 71: its current weight 6 is the highest of 6, -3, 4"


def test_nothing_is_said_of_a_moment_before_all_of_it_is_told() -> None:
    """A line may be late by 0.3 s, and a slow request is told of only when it is over."""
    shadow = Shadow({1: upstream_of(1, 1, 1)}, 1)
    shadow.note_line(line(900, answered_by(71), took_ms=400))
    shadow.settle(START + 1.1)
    assert shadow.score.foretold == 0
    shadow.settle(START + 1.3)
    assert shadow.score.foretold == 1


def test_what_was_foretold_before_a_slow_request_was_told_of_is_taken_back() -> None:
    """One hangs until nginx gives up on it: what the model foretold meanwhile says nothing about nginx."""
    shadow = Shadow({1: upstream_of(1, 1)}, 1)
    told = in_turn([71, 72, 71, 71, 72, 71, 72], step_ms=100)
    for each in told:
        shadow.note_line(each)
        shadow.settle(each.time + LATE_SECONDS)
    shadow.settle(told[-1].time + LATE_SECONDS + 0.001)
    assert shadow.score.foretold == 7
    assert shadow.score.right < 7
    too_soon = shadow.view(LATER)
    assert too_soon is not None
    assert any(pick.is_wrong for pick in too_soon.picks)
    xray = follow(shadow, [line(2250, answered_by(72), took_ms=2000)])
    assert (xray.right, xray.foretold) == (3, 3)
    assert [pick.is_compared for pick in xray.picks] == [True] * 3 + [False] * 5
    assert xray.rule is not None
    assert xray.rule.picks == 3


def test_no_more_decisions_are_kept_than_are_shown() -> None:
    """Each has its key, a URI as long as a client likes: what may be taken back of thousands is kept without."""

    def decisions() -> int:
        gc.collect()
        return sum(isinstance(each, Decision) for each in gc.get_objects())

    before = decisions()
    shadow = Shadow({1: upstream_of(1, 1, algorithm="hash")}, 1)
    xray = follow(shadow, [line(ms, answered_by(71), uri=f"/{ms}") for ms in range(200)])
    assert xray.foretold == 200
    assert decisions() - before == PICKS_KEPT


def test_requests_that_overlap_are_taken_in_the_order_of_their_beginnings() -> None:
    """The first one is the slowest, so that it is logged last."""
    lines = [line(20, answered_by(72), took_ms=10), line(30, answered_by(73), took_ms=5)]
    xray = follow(Shadow({1: upstream_of(1, 1, 1)}, 1), [*lines, line(100, answered_by(71), took_ms=99)])
    assert (xray.right, xray.foretold) == (3, 3)
    assert [pick.port for pick in xray.picks] == [71, 72, 73]


@pytest.mark.parametrize("seed", range(3))
def test_current_weights_add_up_to_nothing_however_often_the_model_is_wrong(seed: int) -> None:
    """As they do in nginx, whose winners pay for all: what the model learns from its mistakes doesn't drift."""
    rng = Random(seed)
    shadow = Shadow({1: upstream_of(1, 1, 1, 1, 1, algorithm="least_conn")}, 1)
    xray = follow(shadow, in_turn(rng.choices(range(71, 76), k=300)))
    assert xray.foretold - xray.right > 20
    assert sum(peer.current_weight for peer in xray.peers) == 0
    assert max(abs(peer.current_weight) for peer in xray.peers) < 30


def test_active_requests_are_those_that_have_begun_and_not_ended() -> None:
    """least_conn spares the one that is busy, until it is done."""
    lines = [line(100, answered_by(71), took_ms=100), *in_turn((72, 72, 72), from_ms=50), line(101, answered_by(72))]
    xray = follow(Shadow({1: upstream_of(1, 1, algorithm="least_conn")}, 1), lines)
    assert (xray.right, xray.foretold) == (5, 5)
    assert [peer.active for peer in xray.peers] == [0, 0]
    assert [peer.is_tied for peer in xray.peers] == [True, True]


def test_of_requests_that_began_together_the_pick_is_given_to_whom_it_fits() -> None:
    """The log has whole milliseconds and doesn't say who was first."""
    lines = [line(3, answered_by(72), took_ms=3), line(4, answered_by(71), took_ms=4)]
    xray = follow(Shadow({1: upstream_of(1, 1)}, 1), lines)
    assert (xray.right, xray.foretold) == (2, 2)


def test_what_nginx_did_is_taken_over() -> None:
    """Two swapped picks are two mistakes, told as such, and no third follows."""
    xray = follow(Shadow({1: upstream_of(1, 1, 1)}, 1), in_turn((72, 71, 73, 71, 72, 73, 71)))
    assert xray.foretold - xray.right == 1
    first = xray.picks[0]
    assert first.is_wrong
    assert first.sentence.startswith("it went to 72, and the model had said 71: ")
    assert not xray.picks[-1].is_wrong


@pytest.mark.parametrize("weights", [(1, 1, 1, 1, 1), (5, 1, 1), (3, 2, 4, 1)])
@pytest.mark.parametrize("ahead", [1, 2, 3, 4])
def test_a_model_that_lost_its_place_finds_it_again(weights: tuple[int, ...], ahead: int) -> None:
    """nginx is some picks ahead of what its log says; after a few rounds the model is right again."""
    cycle = follow_cycle(weights, 60)
    shadow = Shadow({1: upstream_of(*weights)}, 1)
    follow(shadow, in_turn(cycle[ahead : ahead + 40]))
    foretold, right = shadow.score.foretold, shadow.score.right
    follow(shadow, in_turn(cycle[ahead + 40 : 60], from_ms=1000))
    assert shadow.score.right - right == shadow.score.foretold - foretold > 10


def follow_cycle(weights: tuple[int, ...], picks: int) -> list[int]:
    """Whom smooth weighted round robin picks, in a few lines of its own."""
    currents = [0] * len(weights)
    found = []
    for _ in range(picks):
        currents = [current + weight for current, weight in zip(currents, weights, strict=True)]
        best = currents.index(max(currents))
        currents[best] -= sum(weights)
        found.append(71 + best)
    return found


def test_the_clients_own_address_is_hashed() -> None:
    """Of 127.7.8.9 the first three bytes count, too."""
    shadow = Shadow({1: upstream_of(1, 1, 1, algorithm="ip_hash")}, 1)
    home, elsewhere = line(0, answered_by(73)), line(1, answered_by(71))._replace(address="127.7.8.9")
    xray = follow(shadow, [home, elsewhere])
    assert [pick.key for pick in xray.picks] == ["127.0.0.1", "127.7.8.9"]
    assert [pick.foretold for pick in xray.picks] == [73, 71]


def test_a_failure_puts_a_backend_aside_and_the_retry_is_followed() -> None:
    """71 refuses; the others take turns as in nginx."""
    lines = [line(0, refused_by(71), answered_by(72)), *in_turn((73, 72, 73), from_ms=5)]
    xray = follow(Shadow({1: upstream_of(1, 1, 1)}, 1), lines)
    assert (xray.right, xray.foretold) == (4, 4)
    assert [peer.refusal for peer in xray.peers] == ["it failed, and its fail_timeout isn't over", None, None]


def test_time_passes_while_nothing_is_fired() -> None:
    """A backend that was put aside may be picked again, though no request tells of it; the model stays as it was."""
    shadow = Shadow({1: upstream_of(1, 1)}, 1)
    follow(shadow, [line(0, refused_by(71), answered_by(72))])
    refusals = []
    for seconds in (10, 11, 10):
        xray = shadow.view(START + seconds)
        assert xray is not None
        refusals.append(xray.peers[0].refusal)
    aside = "it failed, and its fail_timeout isn't over"
    assert refusals == [aside, None, aside]


def test_a_backend_that_rests_counts_half_under_least_time() -> None:
    """After each fail_timeout, also while nothing is fired."""
    shadow = Shadow({1: upstream_of(1, 1, algorithm="least_time")}, 1)
    slow = replace(answered_by(71), header_seconds=0.1)
    follow(shadow, [line(100, slow, took_ms=100)])
    etas = []
    for seconds in (1, 12, 24):
        xray = shadow.view(START + seconds)
        assert xray is not None
        etas.append(xray.peers[0].eta_ms)
    assert etas == [120, 60, 40]


def test_a_new_configuration_begins_anew_and_old_workers_are_left_alone() -> None:
    """The record and the hits are those of the new one."""
    shadow = Shadow({1: upstream_of(1, 1), 2: upstream_of(1, 1)}, 1)
    follow(shadow, in_turn((71, 72, 71)))
    new = [line(100, answered_by(71), generation=2), line(101, answered_by(71)), line(102, answered_by(72))]
    xray = follow(shadow, [*new, line(103, answered_by(72), generation=2)])
    assert (xray.right, xray.foretold) == (2, 2)
    assert [peer.hits for peer in xray.peers] == [1, 1]


def test_a_worker_that_has_ended_takes_what_it_knew_with_it() -> None:
    """Until the next one logs: its picks, whom it put aside and whom it would pick next; the record stays."""
    shadow = Shadow({1: upstream_of(1, 1)}, 1)
    told = [line(0, refused_by(71), answered_by(72)), line(5, answered_by(72))]
    for each in told:
        shadow.note_line(each)
    shadow.forget({told[-1].worker_pid + 1})
    assert follow(shadow, []).peers[0].refusal is not None, "that was another one"
    shadow.note_line(line(10, answered_by(72)))
    shadow.forget({told[-1].worker_pid})
    xray = shadow.view(START)
    assert xray is not None
    assert (xray.picks, [peer.refusal for peer in xray.peers], xray.next_port) == ((), [None, None], 71)
    assert (xray.right, xray.foretold, xray.peers[1].hits) == (3, 3, 3), "with what was held back"
    xray = follow(shadow, [answer._replace(worker_pid=7) for answer in in_turn((71, 72), from_ms=20)])
    assert (xray.right, xray.foretold, len(xray.picks)) == (5, 5, 2)


def test_it_rests_when_there_is_too_much_and_finds_its_way_afterwards() -> None:
    """Nothing is counted until it knows its place in the rounds again."""
    shadow = Shadow({1: upstream_of(1, 1, 1)}, 1)
    flood(shadow)
    xray = follow(shadow, in_turn((72, 73, 71, 72, 73, 71, 72), from_ms=3000))
    assert xray.why_not is None
    assert xray.foretold == 4
    assert not any(pick.is_wrong for pick in xray.picks)
    assert xray.picks[0].sentence.startswith("it went to 72; why is not known")
    assert sum(peer.hits for peer in xray.peers) == 7, "the one that woke it, too"


def flood(shadow: Shadow) -> None:
    """More than it follows, within the first second."""
    for number in range(BUSY_RPS + 1):
        shadow.note_line(line(number % 1000, answered_by(71)))
    shadow.settle(START + 1)
    xray = shadow.view(START + 1)
    assert xray is not None
    assert xray.why_not == "the X-ray rests above 1,000 req/s"


def test_it_wakes_when_nothing_comes_any_more() -> None:
    """By the clock; it says that it has lost its place, and names nobody who would be next."""
    shadow = Shadow({1: upstream_of(1, 1, 1)}, 1)
    flood(shadow)
    shadow.settle(START + 2.2)
    assert shadow.is_resting, "a line may be late"
    shadow.settle(START + 2.4)
    xray = shadow.view(START + 2.4)
    assert xray is not None
    assert (xray.why_not, xray.is_lost, xray.next_port) == (None, True, None)
    assert not follow(shadow, in_turn((72, 73, 71, 72, 73), from_ms=3000)).is_lost


def test_keys_have_their_hash_and_their_walk() -> None:
    """The ring is there to be drawn, too."""
    shadow = Shadow({1: upstream_of(1, 1, 1, algorithm="hash_consistent")}, 1)
    xray = follow(shadow, [line(0, answered_by(71), uri="/a")])
    assert xray.last is not None
    assert xray.last.key == "/a"
    assert xray.last.steps[-1].port == xray.last.foretold
    assert len(xray.ring) == 480
    assert sum(peer.odds or 0 for peer in xray.peers) == pytest.approx(1)


@pytest.mark.parametrize("weight", [MOST_POINTS // 5 // 160, 1000])
def test_a_ring_never_holds_up_the_lab_for_long(weight: int) -> None:
    """A change, its first requests and what is shown of them: CPU time, since the machine may be busy."""
    began = time.process_time()
    shadow = Shadow({1: upstream_of(*[weight] * 5, algorithm="hash_consistent")}, 1)
    shadow.view(START)
    follow(shadow, [line(0, answered_by(71))])
    assert time.process_time() - began < 0.3


def test_a_ring_is_built_once_for_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its first request, with it, and when a model wakes up."""
    built: list[int] = []

    def points_of(server: str, weight: int) -> list[Point]:
        built.append(weight)
        return [Point(1, server)]

    monkeypatch.setattr(hash_consistent, "points_of", points_of)
    hash_consistent.ring_of.cache_clear()
    shadow = Shadow({1: upstream_of(3, algorithm="hash_consistent")}, 1)
    shadow.view(START)
    follow(shadow, [line(number % 1000, answered_by(71)) for number in range(BUSY_RPS + 1)])
    follow(shadow, [line(3000, answered_by(71))])
    hash_consistent.ring_of.cache_clear()
    assert built == [3]


def test_a_ring_that_is_too_large_is_not_built_and_that_is_said() -> None:
    """With the remedy."""
    shadow = Shadow({1: upstream_of(1000, 1000, algorithm="hash_consistent")}, 1)
    said = "the ring has 320,000 points, and the X-ray takes 20,000 at most: lower the weights"
    assert follow(shadow, [line(0, answered_by(71))]).why_not == said


def test_hits_are_held_against_what_was_expected() -> None:
    """Counted since the counters were zeroed, wherever the requests were then."""
    shadow = Shadow({1: upstream_of(3, 1, algorithm="random")}, 1)
    follow(shadow, in_turn((71,) * 40))
    shadow.note_line(line(850, answered_by(72)))
    shadow.zero()
    xray = follow(shadow, in_turn((71, 71, 72, 71) * 10, from_ms=900))
    assert [(peer.hits, peer.expected, peer.odds) for peer in xray.peers] == [(30, 30.0, 0.75), (10, 10.0, 0.25)]
    assert xray.rule is None
    assert xray.foretold == 0
    assert len(xray.picks) == PICKS_KEPT


def test_a_new_key_is_expected_as_soon_as_it_is_a_hit() -> None:
    """Both are counted when all of its moment is told: until then neither is."""
    shadow = Shadow({1: upstream_of(1, 1, 1, algorithm="hash")}, 1)
    follow(shadow, [line(number, answered_by(71), uri="/2") for number in range(20)])
    shadow.note_line(line(5000, answered_by(73), uri="/"))
    for now in (START + 5.1, START + 5.5):
        shadow.settle(now)
        xray = shadow.view(now)
        assert xray is not None
        assert [peer.hits for peer in xray.peers] == [pytest.approx(peer.expected) for peer in xray.peers]
        assert xray.rule == RuleCheck(20 + (now > START + 5.3))


def test_who_was_put_aside_fell_short_of_its_weight_and_not_of_the_rule() -> None:
    """It failed at once, so that the others had its turns."""
    shadow = Shadow({1: upstream_of(1, 1, 1)}, 1)
    failed = line(0, refused_by(71), answered_by(72))
    xray = follow(shadow, [failed, *in_turn((73, 72) * 10, from_ms=5)])
    assert xray.rule == RuleCheck(21, None, Deviation(71, -6, "it was put aside"))


def test_whom_nginx_prefers_against_the_rule_is_named() -> None:
    """Turns that were only swapped cancel each other out."""
    swapped = follow(Shadow({1: upstream_of(1, 1, 1)}, 1), in_turn((72, 71, 73, 71, 72, 73)))
    assert swapped.rule is not None
    assert swapped.rule.off_rule is None or abs(swapped.rule.off_rule.by) <= 1
    xray = follow(Shadow({1: upstream_of(1, 1, algorithm="hash")}, 1), [line(ms, answered_by(71)) for ms in range(9)])
    assert xray.rule is not None
    assert xray.rule.off_rule is not None
    assert abs(xray.rule.off_rule.by) == 9


def test_several_workers_have_no_xray() -> None:
    """Each picks for itself, and the log of all doesn't tell what each is about to do."""
    xray = follow(Shadow({1: upstream_of(1, 1)}, 3), in_turn((71, 71, 71)))
    assert xray.why_not == "each of nginx's 3 workers picks for itself, so there is no X-ray"


@pytest.mark.parametrize(
    "algorithm", ["round_robin", "least_conn", "random_two", "hash", "hash_consistent", "least_time"]
)
@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_logged_is_followed(algorithm: str, seed: int) -> None:
    """Made-up attempts in any order, ports that nobody knows, times that jump: no request stays active."""
    rng = Random(seed)
    shadow = Shadow({number: upstream_of(1, 2, 3, algorithm=algorithm) for number in (1, 2)}, 1)
    for number in range(300):
        tried = [rng.choice(ATTEMPTS) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        ms = number * 3 + rng.randrange(-500, 5)
        made_up = line(ms, *tried, took_ms=rng.choice((0, 0, 1, 7, 300)), uri=rng.choice(("/", "", "/\ud800")))
        shadow.note_line(made_up._replace(generation=1 + (number > 150)))
        if rng.random() < 0.1:
            shadow.settle(START + ms / 1000)
            shadow.view(START)
    xray = follow(shadow, [])
    assert [peer.active for peer in xray.peers] == [0, 0, 0]
    assert 0 <= xray.right <= xray.foretold


def test_a_few_picks_beside_the_model_are_not_laid_at_nginxs_door() -> None:
    """Nobody knows who was first within a millisecond; many in favour of one backend are another matter."""
    in_order = [71, 72, 73] * 60
    few = in_order.copy()
    few[90:93] = [71, 71, 71]
    rule = follow(Shadow({1: upstream_of(1, 1, 1)}, 1), in_turn(few)).rule
    assert rule is not None
    assert rule.off_rule is None
    many = [71] * 60 + in_order
    rule = follow(Shadow({1: upstream_of(1, 1, 1)}, 1), in_turn(many)).rule
    assert rule is not None
    assert rule.off_rule is not None
    assert rule.off_rule.port == 71
    assert rule.off_rule.by > 0
