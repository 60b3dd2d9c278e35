"""Histograms out of characters."""

import pytest
from rich.cells import cell_len

from lab.counts.latency import Bucket, LatencySeries, LatencySummary
from tui.drawing import columns_of
from tui.histogram import ZOOMS, histogram_lines, part_shown, spread
from tui.ink import Ink, plain_text
from tui.scales import Scale

HUNDRED = tuple(Bucket(float(value), value * 1.01, 1) for value in range(1, 101))
SERIES = LatencySeries(
    None, (), HUNDRED, LatencySummary(count=100, min_ms=1, p50_ms=50, p95_ms=95, p99_ms=99, max_ms=100)
)


def test_upright_bars_are_exact_to_an_eighth_of_a_cell() -> None:
    """The top row first; what is more than nothing shows, and nothing is higher than the chart."""
    assert columns_of([0, 0.0001, 0.25, 0.5625, 1, 1.5], 2) == ["   ▁██", " ▁▄███"]


@pytest.mark.parametrize(
    ("zoom", "first", "last", "number"),
    [(0, 1, 100, 100), (1, 2, 99, 98), (2, 51, 100, 50), (3, 91, 100, 10), (4, 100, 100, 1)],
)
def test_zoom_shows_the_part_between_two_percentiles(zoom: int, first: int, last: int, number: int) -> None:
    """From the bucket that holds the lower one to the bucket that holds the upper one."""
    shown = part_shown(HUNDRED, ZOOMS[zoom])
    assert (shown[0].from_ms, shown[-1].from_ms, len(shown)) == (first, last, number)


def test_bucket_on_an_edge_is_shared_out() -> None:
    """No request is lost, and none counts twice."""
    counts = spread([Bucket(1, 100, 10), Bucket(100, 10000, 30)], Scale(1, 10000, is_log=True), 8)
    assert counts == pytest.approx([2.5] * 4 + [7.5] * 4)
    assert sum(spread(HUNDRED, Scale(1, 101, is_log=True), 37)) == pytest.approx(100)


def test_histogram_says_what_it_shows() -> None:
    """Range and number in words, an axis in milliseconds, and the percentiles below it."""
    shown = [plain_text(line) for line in histogram_lines(SERIES, ZOOMS[0], 60, 14)]
    assert len(shown) == 14
    assert max(map(cell_len, shown)) <= 60
    assert shown[0] == "1.0 ms to 101 ms  100 requests"
    assert {"1 ms", "10 ms"} <= {tick.strip() for tick in shown[-2].split("  ")}
    assert shown[-2].index("10 ms") == shown[-3].index("┬", shown[-2].index("10 ms"))
    assert shown[-1].split() == ["p50▲", "p99▲"]
    assert plain_text(histogram_lines(SERIES, ZOOMS[3], 60, 14)[0]).endswith("10 of 100")


def test_bars_beyond_a_percentile_have_another_ink() -> None:
    """As the lines of the percentiles over time have."""
    bottom = histogram_lines(SERIES, ZOOMS[0], 60, 14)[-4]
    assert [ink for _, ink in bottom[1:] if ink is Ink.AREA]
    assert [ink for _, ink in bottom[1:] if ink is Ink.ACCENT]


def test_alike_latencies_are_not_torn_apart() -> None:
    """One bucket alone is a bar, not a wall."""
    alone = LatencySeries(None, (), (Bucket(1.0, 1.01, 5),), LatencySummary(count=5, p50_ms=1.005))
    bottom = plain_text(histogram_lines(alone, ZOOMS[0], 60, 14)[-4])
    assert 1 <= bottom.count("█") <= 5


def test_nothing_yet_is_said_in_words() -> None:
    """Instead of an empty chart."""
    assert "No answer yet" in plain_text(histogram_lines(LatencySeries(71, (), ()), ZOOMS[0], 60, 14)[0])


@pytest.mark.parametrize("size", [(0, 0), (9, 4), (11, 5), (12, 2), (200, 60)])
def test_histogram_survives_any_size(size: tuple[int, int]) -> None:
    """Where there is no room there is nothing."""
    for zoom in ZOOMS:
        assert len(histogram_lines(SERIES, zoom, *size)) <= max(size[1], 1)
