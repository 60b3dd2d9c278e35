"""Service times that are drawn by the requests' numbers."""

import statistics

import pytest

from lab.backends.workload import Workload


@pytest.mark.parametrize("is_heavy_tailed", [False, True])
def test_the_same_request_is_as_heavy_each_time(is_heavy_tailed: bool) -> None:
    """Another seed is another traffic."""
    first, again, other = (
        [Workload(seed, is_heavy_tailed).share(number) for number in range(50)] for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(("is_heavy_tailed", "spread"), [(False, 1.0), (True, 2.9)])
def test_the_mean_is_one_and_the_spread_is_the_kinds(is_heavy_tailed: bool, spread: float) -> None:
    """Exponential service times spread as widely as they are long, heavy-tailed ones much wider."""
    shares = [Workload(1, is_heavy_tailed).share(number) for number in range(100_000)]
    assert statistics.fmean(shares) == pytest.approx(1.0, rel=0.05)
    assert statistics.pstdev(shares) == pytest.approx(spread, rel=0.15)
    assert min(shares) > 0
