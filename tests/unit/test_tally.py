"""Counters and windows over time that stands still."""

from dataclasses import replace

import pytest

from lab.counts.latency import LatencySummary
from lab.counts.tally import CHART_SECONDS, LATENCY_SECONDS, Tally
from lab.logs.batch import Batch
from tests.unit.clock import FakeClock
from tests.unit.made_up import answered_by, log_line, outcome, refused_by


def count_hits(tally: Tally, clock: FakeClock, per_second: int, seconds: int, port: int = 71) -> None:
    """So many hits in each of the coming seconds."""
    for _ in range(seconds):
        for _ in range(per_second):
            tally.count_lines(Batch([log_line(answered_by(port))]))
        clock.advance(1)


def test_hits_belong_to_who_answered_and_failures_to_who_did_not() -> None:
    """A retried request is one hit and one failure."""
    tally = Tally(FakeClock())
    tally.count_lines(Batch([log_line(refused_by(71), answered_by(72))]))
    assert dict(tally.totals().hits) == {72: 1}
    assert dict(tally.totals().failures) == {71: 1}


def test_a_server_error_and_a_cut_body_are_failures_of_the_backend_that_gave_them() -> None:
    """They are hits all the same: nginx passed them on."""
    tally = Tally(FakeClock())
    error = replace(answered_by(71), status=503)
    cut = log_line(answered_by(73))._replace(is_cut=True)
    tally.count_lines(Batch([log_line(error), log_line(answered_by(72)), cut]))
    assert dict(tally.totals().hits) == {71: 1, 72: 1, 73: 1}
    assert dict(tally.totals().failures) == {71: 1, 73: 1}


def test_a_request_that_no_backend_was_tried_for_is_nobodys_hit() -> None:
    """It counts as another client's all the same."""
    tally = Tally(FakeClock())
    stranger = log_line(status=400)._replace(attempts=())
    tally.count_lines(Batch([stranger], [stranger]))
    assert tally.totals().hits.total() == tally.totals().failures.total() == 0
    assert tally.totals().other_clients == 1


def test_other_clients_are_counted_apart() -> None:
    """Their hits count like the lab's own."""
    tally = Tally(FakeClock())
    tally.count_lines(Batch([log_line()]))
    tally.count_lines(Batch([log_line()], [log_line()]))
    assert tally.totals().other_clients == 1
    assert tally.totals().hits[71] == 2


def test_what_fails_for_other_clients_is_counted_apart() -> None:
    """As nginx logged it: wrk's errors, half a body, and what a second backend had to answer."""
    clock = FakeClock()
    tally = Tally(clock)
    tried_in_vain = log_line(refused_by(71), refused_by(72), status=502)
    others = [tried_in_vain, log_line()._replace(is_cut=True), log_line(refused_by(71), answered_by(72)), log_line()]
    tally.count_lines(Batch(others, others))
    now = tally.seconds()[-1]
    assert (now.others_failed, now.others_retried, now.failed, now.retried) == (2, 2, 0, 0)
    assert (tally.totals().failed, tally.totals().retried) == (0, 0)


def test_outcomes_are_answered_failed_retried_and_late() -> None:
    """A server error is a failure, a not-found an answer, retried is either; late begins above 10 ms."""
    tally = Tally(FakeClock())
    tally.count_outcomes([outcome()])
    tally.count_outcomes([outcome(upstream="127.0.0.1:71, 127.0.0.1:72")])
    tally.count_outcomes([outcome(status=404)])
    tally.count_outcomes([outcome(status=502, upstream="127.0.0.1:71, 127.0.0.1:72")])
    tally.count_outcomes([outcome(status=None, error="timeout")])
    tally.count_outcomes([outcome(late_us=10_000)])
    tally.count_outcomes([outcome(late_us=10_001)])
    totals = tally.totals()
    assert (totals.answered, totals.failed, totals.retried, totals.late) == (5, 2, 2, 1)
    assert dict(totals.errors) == {"http_502": 1, "timeout": 1}
    assert sum(totals.statuses.values()) == totals.answered + totals.errors["http_502"]


def test_a_new_backend_inherits_nothing_of_the_one_that_had_its_port() -> None:
    """Hits, failures and latencies of that port begin anew; those of all together stay."""
    clock = FakeClock()
    tally = Tally(clock)
    for _ in range(2):
        tally.count_lines(Batch([log_line(refused_by(71), answered_by(72)), log_line(answered_by(71))], []))
        tally.count_outcomes([outcome(latency_us=5_000)])
        clock.advance(1)
    before = tally.recent_latencies()[0], tally.seconds(), tally.totals().answered
    tally.disown(71)
    totals = tally.totals()
    assert (totals.hits[71], totals.failures[71], totals.hits[72]) == (0, 0, 2)
    assert 71 not in tally.hit_rates_rps()
    assert (tally.recent_latencies()[0], tally.seconds(), tally.totals().answered) == before
    assert not any(second.answered for second in tally.seconds(71))
    assert tally.series([71])[1].summary.count == 0


def test_what_was_never_sent_isnt_late() -> None:
    """It has failed."""
    tally = Tally(FakeClock())
    tally.count_outcomes([outcome(late_us=5_000_000, status=None, error="unsent")])
    assert (tally.totals().failed, tally.totals().late) == (1, 0)


def test_latencies_are_of_answers_only_and_by_the_backend_that_answered_at_once() -> None:
    """What was tried on several counts for all of them together: most of its time may be another one's fault."""
    tally = Tally(FakeClock())
    tally.count_outcomes([outcome(latency_us=1000)])
    tally.count_outcomes([outcome(latency_us=3000, upstream="127.0.0.1:71, 127.0.0.1:72")])
    tally.count_outcomes([outcome(latency_us=9_000_000, status=None, error="timeout")])
    whole, by_port = tally.total_latencies()
    assert (whole.count, whole.min_ms, whole.max_ms) == (2, 1.0, 3.0)
    assert {port: latency.max_ms for port, latency in by_port.items()} == {71: 1.0, None: 3.0}


def test_a_rate_is_taken_over_the_last_three_full_seconds() -> None:
    """What happened in the second that is still running doesn't count yet, nor what is older."""
    clock = FakeClock(1000.0)
    tally = Tally(clock)
    count_hits(tally, clock, per_second=100, seconds=5)
    count_hits(tally, clock, per_second=10, seconds=3)
    assert tally.hit_rates_rps() == {71: 10.0}
    tally.count_lines(Batch([log_line()]))
    assert tally.hit_rates_rps() == {71: 10.0}


def test_a_rate_just_after_the_start_is_taken_over_the_seconds_there_were() -> None:
    """Two seconds at 10/s are 10/s, not 20 hits in three seconds."""
    clock = FakeClock(1000.0)
    tally = Tally(clock)
    count_hits(tally, clock, per_second=10, seconds=2)
    assert tally.hit_rates_rps() == {71: 10.0}


def test_a_rate_falls_to_nothing_when_nothing_comes() -> None:
    """A backend without hits in the window has no rate at all."""
    clock = FakeClock()
    tally = Tally(clock)
    count_hits(tally, clock, per_second=10, seconds=3)
    clock.advance(3)
    assert tally.hit_rates_rps() == {}
    assert tally.answer_rate_rps() == 0.0


def test_the_answer_rate_counts_answers_and_no_failures() -> None:
    """Four answers and four failures a second are 4/s."""
    clock = FakeClock(1000.0)
    tally = Tally(clock)
    for _ in range(3):
        for _ in range(4):
            tally.count_outcomes([outcome()])
            tally.count_outcomes([outcome(status=None, error="reset")])
        clock.advance(1)
    assert tally.answer_rate_rps() == 4.0


def test_recent_latencies_forget_what_is_older_than_the_window() -> None:
    """A slow answer is in the figures for ten seconds and then isn't."""
    clock = FakeClock(1000.0)
    tally = Tally(clock)
    tally.count_outcomes([outcome(latency_us=500_000)])
    clock.advance(LATENCY_SECONDS - 1)
    tally.count_outcomes([outcome(latency_us=1000)])
    whole, by_port = tally.recent_latencies()
    assert (whole.count, whole.max_ms) == (2, 500.0)
    assert by_port[71].count == 2
    clock.advance(1)
    whole, _ = tally.recent_latencies()
    assert (whole.count, whole.max_ms) == (1, 1.0)
    clock.advance(LATENCY_SECONDS)
    assert tally.recent_latencies() == (LatencySummary(), {})


def test_the_first_answer_is_in_the_recent_latencies_at_once_and_others_within_a_second() -> None:
    """Figures that changed five times a second could not be read."""
    clock = FakeClock(1000.0)
    tally = Tally(clock)
    counts = [tally.recent_latencies()[0].count]
    for _ in range(2):
        tally.count_outcomes([outcome()])
        counts.append(tally.recent_latencies()[0].count)
    clock.advance(1)
    counts.append(tally.recent_latencies()[0].count)
    assert counts == [0, 1, 1, 2]


def test_the_last_minute_has_sixty_seconds_without_gaps() -> None:
    """Seconds in which nothing happened are there too, with no latency rather than 0."""
    clock = FakeClock(1000.0)
    tally = Tally(clock)
    tally.count_outcomes([outcome(latency_us=2000)])
    clock.advance(30)
    tally.count_outcomes([outcome(status=502)])
    tally.count_outcomes([outcome(late_us=20_000, upstream="127.0.0.1:71, 127.0.0.1:72")])
    seconds = tally.seconds()
    assert [view.second for view in seconds] == list(range(1030 - CHART_SECONDS + 1, 1031))
    by_second = {view.second: view for view in seconds}
    assert by_second[1000].answered == 1
    assert by_second[1000].p50_ms == by_second[1000].max_ms == pytest.approx(2.0)
    assert by_second[1015].answered == 0
    assert by_second[1015].p50_ms is None
    last = seconds[-1]
    assert (last.answered, last.failed, last.retried, last.late) == (1, 1, 1, 1)


def test_seconds_move_on_whether_or_not_anybody_looked() -> None:
    """Looking often, late or never gives the same minute."""
    clock = FakeClock(1000.0)
    looked, left_alone = Tally(clock), Tally(clock)
    for second in range(150):
        for tally in (looked, left_alone):
            if second % 7:
                tally.count_outcomes([outcome(latency_us=1000 * (second + 1))])
        looked.seconds()
        clock.advance(1)
    assert looked.seconds() == left_alone.seconds()
    assert [view.second for view in looked.seconds()] == list(range(1150 - CHART_SECONDS + 1, 1151))


def test_the_second_that_still_fills_is_shown_as_it_fills() -> None:
    """Having been looked at doesn't freeze it."""
    clock = FakeClock(1000.0)
    tally = Tally(clock)
    tally.count_outcomes([outcome()])
    assert tally.seconds()[-1].answered == 1
    clock.advance(0.9)
    tally.count_outcomes([outcome()])
    assert tally.seconds()[-1].answered == 2
    clock.advance(0.1)
    assert [view.answered for view in tally.seconds()[-2:]] == [2, 0]


def test_zeroing_begins_anew() -> None:
    """Totals, rates, latencies and the chart are as on the first day."""
    clock = FakeClock(1000.0)
    tally = Tally(clock)
    count_hits(tally, clock, per_second=10, seconds=3)
    tally.count_outcomes([outcome()])
    tally.zero()
    assert tally.totals().hits.total() == tally.totals().answered == 0
    assert tally.hit_rates_rps() == {}
    assert tally.recent_latencies() == tally.total_latencies() == (LatencySummary(), {})
    assert all(view.answered == 0 and view.max_ms is None for view in tally.seconds())
    count_hits(tally, clock, per_second=7, seconds=1)
    assert tally.hit_rates_rps() == {71: 7.0}
