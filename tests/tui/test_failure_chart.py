"""What went wrong in the last minute, a row of bars each."""

import pytest

from lab.counts.latency import SecondView
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import running
from tests.tui.showing import dashboard_of, show, text_of
from tui.ink import Ink, plain_text
from tui.widgets.failure_chart import FailureChart, failure_lines

QUIET = tuple(SecondView(second, answered=20) for second in range(60))


def test_rows_have_bars_the_last_second_and_the_sum() -> None:
    """One cell a second where there is room for it: where it was, how much against the highest, now and in all."""
    seconds = (
        *QUIET[:10],
        SecondView(10, failed=8),
        SecondView(11, failed=4),
        *QUIET[12:59],
        SecondView(59, retried=3, late=1200),
    )
    failed, retried, late = (plain_text(line) for line in failure_lines(seconds, 88))
    assert failed == "✗ failed   " + "─" * 10 + "█▄" + "─" * 48 + "     0/s" + "     Σ 12"
    assert retried == "→ retried  " + "─" * 59 + "█" + "     3/s" + "      Σ 3"
    assert late == "! late     " + "─" * 59 + "█" + " 1,200/s" + "  Σ 1,200"


def test_quiet_minute_is_calm() -> None:
    """Nothing but muted lines, whether there was a minute yet or not."""
    for seconds in ((), QUIET[:1], QUIET):
        shown = failure_lines(seconds, 56)
        assert {ink for line in shown for _, ink in line} == {Ink.MUTED}
        assert [plain_text(line).split()[-2:] for line in shown] == [["Σ", "0"]] * 3


@pytest.mark.parametrize("width", [34, 56, 76, 88, 96, 150])
@pytest.mark.parametrize("second", [0, 17, 59])
def test_single_failure_shows_at_any_width(width: int, second: int) -> None:
    """Where several seconds share a cell the highest counts, so nothing falls through."""
    seconds = (*QUIET[:second], SecondView(second, failed=1), *QUIET[second + 1 :])
    line = plain_text(failure_lines(seconds, width)[0])
    assert "█" in line
    assert len(line) == width
    assert line.endswith("Σ 1")


async def test_panel_follows_the_seconds_that_are_complete() -> None:
    """The one that is still filling doesn't count yet."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await show(pilot, lab, running(2, seconds=(*QUIET, SecondView(60, failed=7))))
        assert "Σ 7" not in text_of(pilot, FailureChart)
        await show(pilot, lab, running(3, seconds=(*QUIET[1:], SecondView(60, failed=7), SecondView(61))))
        assert "Σ 7" in text_of(pilot, FailureChart)
        assert "7/s" in text_of(pilot, FailureChart)
