"""Percentiles from buckets, against percentiles from all values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.counts.histogram import Histogram
from lab.counts.latency import LatencySummary

latencies_us = st.lists(st.floats(1.0, 6e8), min_size=1, max_size=200)
percents = st.lists(st.floats(0, 100), min_size=1, max_size=8).map(sorted)


def recorded(values: list[float]) -> Histogram:
    histogram = Histogram()
    histogram.record(values)
    return histogram


def nearest_rank(values: list[float], percent: float) -> float:
    """The smallest value that `percent` of all values don't exceed."""
    rank = max(1, math.ceil(len(values) * percent / 100 - 1e-9))
    return sorted(values)[rank - 1]


@given(values=latencies_us, percents=percents)
def test_percentiles_are_within_one_percent_of_the_exact_ones(values: list[float], percents: list[float]) -> None:
    """From a microsecond to ten minutes, no percentile is off by more than 1 %."""
    found = recorded(values).percentiles_us(*percents)
    for percent, value in zip(percents, found, strict=True):
        assert value == pytest.approx(nearest_rank(values, percent), rel=0.01)


@given(values=latencies_us)
def test_count_mean_least_and_most_are_exact(values: list[float]) -> None:
    """Only percentiles come from buckets."""
    summary = recorded(values).summary()
    assert summary.count == len(values)
    assert summary.min_ms == min(values) / 1000
    assert summary.max_ms == max(values) / 1000
    assert summary.mean_ms == pytest.approx(sum(values) / len(values) / 1000)


@given(values=latencies_us)
def test_percentiles_ascend_and_stay_within_what_was_measured(values: list[float]) -> None:
    """min <= p50 <= p90 <= p95 <= p99 <= p99.9 <= max."""
    summary = recorded(values).summary()
    ascending = [
        summary.min_ms,
        summary.p50_ms,
        summary.p90_ms,
        summary.p95_ms,
        summary.p99_ms,
        summary.p99_9_ms,
        summary.max_ms,
    ]
    known = [value for value in ascending if value is not None]
    assert known == sorted(known)
    assert len(known) == 7


@given(parts=st.lists(st.lists(st.floats(1.0, 1e7), max_size=50), max_size=5))
def test_merged_parts_equal_one_that_recorded_all(parts: list[list[float]]) -> None:
    """Merging loses nothing, whatever is in the parts, empty ones included."""
    merged = Histogram.of(recorded(part) for part in parts)
    whole = recorded([value for part in parts for value in part])
    assert merged.percentiles_us(0, 50, 99, 100) == whole.percentiles_us(0, 50, 99, 100)
    assert merged.count == whole.count
    assert merged.summary().mean_ms == pytest.approx(whole.summary().mean_ms)
    assert (merged.summary().min_ms, merged.summary().max_ms) == (whole.summary().min_ms, whole.summary().max_ms)


def test_merging_leaves_the_parts_as_they_were() -> None:
    """A part that went into a whole doesn't grow with it."""
    part = recorded([10.0])
    whole = Histogram.of([part])
    whole.record([20.0])
    assert part.count == 1
    assert part.percentiles_us(100) == [10.0]


def test_nothing_measured_is_unknown_rather_than_zero() -> None:
    """An empty histogram has a count of 0, and every other figure is None."""
    assert Histogram().summary() == LatencySummary()
    assert Histogram().percentiles_us(50, 99) == [None, None]


@given(value=st.floats(-1e6, 1.0))
def test_what_takes_no_time_at_all_counts_as_a_microsecond(value: float) -> None:
    """A clock's jitter can't break the logarithm."""
    assert recorded([value]).percentiles_us(50) == [1.0]
