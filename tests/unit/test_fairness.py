"""Noise or real: against known values of the chi-square distribution, and in words."""

import math
from random import Random

import pytest

from lab.balancing.odds import expected_shares, pair_odds, two_draws_shares
from lab.counts.fairness import chi_square_p, compare, jain, upper_gamma
from tests.unit.upstreams import peers


@pytest.mark.parametrize(
    ("chi_square", "degrees", "p"),
    [
        (3.841458820694124, 1, 0.05),
        (6.634896601021213, 1, 0.01),
        (9.487729036781154, 4, 0.05),
        (18.307038053275146, 10, 0.05),
        (124.34211340400407, 100, 0.05),
        (1074.6794484670386, 1000, 0.05),
        (0.0, 3, 1.0),
    ],
)
def test_p_values_are_those_of_the_tables(chi_square: float, degrees: int, p: float) -> None:
    """NIST's critical values, with more digits."""
    assert chi_square_p(chi_square, degrees) == pytest.approx(p, rel=1e-7)


def test_the_incomplete_gamma_function_has_its_closed_forms() -> None:
    """Q(1, x) = exp(-x), Q(1/2, x) = erfc(sqrt x), on both sides of where the method changes."""
    for x in (1e-6, 0.1, 0.9, 1.4, 1.6, 1.99, 2.01, 5.0, 30.0, 200.0):
        assert upper_gamma(1, x) == pytest.approx(math.exp(-x), rel=1e-9)
        assert upper_gamma(0.5, x) == pytest.approx(math.erfc(math.sqrt(x)), rel=1e-9)


def test_even_hits_are_chance_and_a_bent_die_is_not() -> None:
    """By p."""
    assert compare([98, 104, 97, 101, 100], [0.2] * 5).p == pytest.approx(0.99, abs=0.005)
    assert (compare([200, 100, 100, 50, 50], [0.2] * 5).p or 0) < 0.001
    assert compare([130, 100, 90, 90, 90], [0.2] * 5).p == pytest.approx(0.017, abs=0.0005)


def test_a_handful_of_requests_tells_nothing() -> None:
    """With fewer than five expected of anybody the test would be wrong."""
    assert compare([4, 1, 0], [1 / 3] * 3).p is None
    assert compare([0, 0], [0.5, 0.5]).p is None


def test_backends_of_which_little_is_expected_count_as_one() -> None:
    """So that a light one among heavy ones doesn't silence the test, nor give an alarm by itself."""
    shares = [0.49, 0.49, 0.01, 0.01]
    assert compare([147, 145, 4, 4], shares).p == compare([147, 145, 8], [0.49, 0.49, 0.02]).p
    assert compare([97, 97, 3, 3], shares).p == pytest.approx(0.6, abs=0.3)
    assert compare([200, 94, 3, 3], shares).p == pytest.approx(0, abs=0.001)


def test_a_hit_where_none_was_expected_is_no_chance() -> None:
    """Nor does it divide by zero."""
    assert compare([50, 50, 1], [0.5, 0.5, 0.0]).p == 0.0
    assert compare([50, 50, 0], [0.5, 0.5, 0.0]).p == 1.0
    assert compare([100, 0], [1.0, 0.0]).p == 1.0


def test_a_fair_die_is_called_unfair_as_often_as_p_says() -> None:
    """One time in twenty at 0.05."""
    rng = Random(11)
    ps = []
    for _ in range(2000):
        hits = [0] * 5
        for place in rng.choices(range(5), k=200):
            hits[place] += 1
        ps.append(compare(hits, [0.2] * 5).p or 0.0)
    assert sum(p < 0.05 for p in ps) / 2000 == pytest.approx(0.05, abs=0.015)


def test_jains_index_tells_how_many_share() -> None:
    """1 for all alike, 1/n for one alone, nothing for nothing."""
    assert jain([7, 7, 7]) == pytest.approx(1)
    assert jain([9, 0, 0]) == pytest.approx(1 / 3)
    assert jain([5, 1, 1], weights=[5, 1, 1]) == pytest.approx(1)
    assert jain([0, 0]) is None


def test_expected_shares_follow_the_weights_except_where_they_do_not() -> None:
    """random two bends them, a hash goes by its keys, and least_time by what it measures."""
    servers = peers(5, 2, 1)
    for algorithm in ("round_robin", "least_conn", "random"):
        assert expected_shares(algorithm, servers) == pytest.approx((0.625, 0.25, 0.125))
    assert expected_shares("random_two", servers) == pytest.approx((0.298, 0.453, 0.250), abs=0.001)
    assert sorted(expected_shares("ip_hash", servers) or ()) == [0, 0, 1]
    assert sum(expected_shares("hash", servers) or ()) == 1
    assert expected_shares("least_time", servers) is None


def test_the_odds_of_two_draws_know_when_draws_run_out() -> None:
    """Of 100:1 the second draw finds nobody in four requests of five, and round robin decides."""
    assert two_draws_shares([100, 1], [True, True]) == pytest.approx((0.813, 0.187), abs=0.001)
    assert two_draws_shares([21, 1], [True, True]) == pytest.approx((0.405, 0.595), abs=0.001)
    assert two_draws_shares([1, 1, 1], [True, True, False]) == pytest.approx((0.5, 0.5, 0))
    assert two_draws_shares([1, 1], [True, False]) == pytest.approx((1, 0))


def test_the_odds_of_pairs_are_those_of_all_draws() -> None:
    """5:2:1: with the second of the two winning, they give the shares that random two has on an idle system."""
    odds = pair_odds((5, 2, 1))
    assert sum(odds.values()) == pytest.approx(1)
    assert odds[0, 1] == pytest.approx(5 / 8 * 2 / 3 + 2 / 8 * 5 / 6)
