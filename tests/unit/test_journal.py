"""Joining two witnesses of the same request."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.counts.journal import FEED_LENGTH, MOST_OVERDUE, SETTLING_SECONDS, Journal
from lab.logs.access_log import CLIENT_GONE
from lab.witnesses import Attempt
from tests.unit.clock import FakeClock
from tests.unit.made_up import answered_by, log_line, outcome, refused_by

PIDS = {71: 7171, 72: 7272}


def journal_at(clock: FakeClock) -> Journal:
    return Journal("us", clock, lambda port, epoch: PIDS.get(port))


@given(count=st.integers(1, 12), order=st.randoms(use_true_random=False))
def test_lines_and_outcomes_join_in_whatever_order_they_come(count: int, order: random.Random) -> None:
    """Each request ends up once in the feed, with nginx's attempts and the client's latency."""
    journal = journal_at(FakeClock())
    events = [(kind, number) for kind in ("line", "outcome") for number in range(count)]
    order.shuffle(events)
    for kind, number in events:
        if kind == "line":
            journal.note_line(log_line(answered_by(71), shot=f"us-{number}", uri=f"/{number}"))
        else:
            journal.note_outcome(outcome(number, latency_us=1000 * (number + 1), pid=9000 + number))
    feed = {view.uri: view for view in journal.feed()}
    assert len(journal.feed()) == len(feed) == count
    for number in range(count):
        view = feed[f"/{number}"]
        assert view.latency_ms == pytest.approx(number + 1)
        assert view.pid == 9000 + number
        assert view.client is None
    assert (journal.client_answered, journal.nginx_logged, journal.nginx_forwarded) == (count, count, count)
    assert journal.moving() == 0


def test_the_feed_is_in_the_order_of_the_log_and_numbered() -> None:
    """The newest has the highest number."""
    journal = journal_at(FakeClock())
    for uri in ("/a", "/b", "/c"):
        journal.note_line(log_line(uri=uri))
    assert [(view.number, view.uri) for view in journal.feed()] == [(1, "/a"), (2, "/b"), (3, "/c")]


def test_another_clients_request_is_named_and_timed_by_nginx() -> None:
    """Its PID is that of the backend on the port that answered, its latency nginx's whole milliseconds."""
    journal = journal_at(FakeClock())
    journal.note_line(log_line(answered_by(72), agent="Mozilla/5.0 [bold]"))
    (view,) = journal.feed()
    assert (view.client, view.pid, view.latency_ms) == ("Mozilla/5.0 [bold]", 7272, 2.0)
    assert (journal.other_clients, journal.nginx_logged, journal.nginx_forwarded) == (1, 0, 1)
    assert journal.moving() == 0


@pytest.mark.parametrize("shot", ["us", "them-1", "xus-1", "US-1", " us-1", "1", "us-" + "9" * 5000])
def test_a_stranger_with_our_header_and_not_our_name_is_another_client(shot: str) -> None:
    """The header alone makes nobody the lab's client."""
    journal = journal_at(FakeClock())
    line = log_line(shot=shot)
    assert not journal.note_line(line)
    assert (journal.other_clients, journal.nginx_logged) == (1, 0)
    assert journal.feed()[0].client == "curl/8.0"
    assert journal.moving() == 0


def test_nobody_answered_means_no_pid() -> None:
    """The last backend that nginx tried in vain is not the one that answered."""
    journal = journal_at(FakeClock())
    journal.note_line(log_line(refused_by(71), refused_by(72), shot="us-1", status=502))
    journal.note_line(log_line(refused_by(71), status=502))
    assert [view.pid for view in journal.feed()] == [None, None]


def test_a_request_without_attempts_has_no_pid() -> None:
    """nginx answered it itself."""
    journal = journal_at(FakeClock())
    journal.note_line(log_line(status=400)._replace(attempts=()))
    assert journal.feed()[0].pid is None
    assert journal.nginx_forwarded == 0


def test_only_attempts_that_a_backend_answered_count_as_forwarded() -> None:
    """A retried request was answered once."""
    journal = journal_at(FakeClock())
    journal.note_line(log_line(refused_by(71), answered_by(72)))
    journal.note_line(log_line(refused_by(71), refused_by(72), status=502))
    assert journal.nginx_forwarded == 1


def test_an_answer_is_whatever_came_whole() -> None:
    """A 502 is an answer that nginx gave; a timeout is none, and nginx logs it as 499, which it didn't send."""
    journal = journal_at(FakeClock())
    journal.note_outcome(outcome(1, status=502))
    journal.note_line(log_line(refused_by(71), shot="us-1", status=502))
    journal.note_outcome(outcome(2, status=None, error="timeout"))
    journal.note_line(log_line(refused_by(71), shot="us-2", status=499))
    assert (journal.client_answered, journal.nginx_logged) == (1, 1)


def test_what_one_witness_has_told_is_on_the_way_until_the_other_does() -> None:
    """Either may be first, and each has its sign; what nobody received is in neither count."""
    journal = journal_at(FakeClock())
    journal.note_line(log_line(shot="us-1"))
    assert journal.moving() == -1
    journal.note_outcome(outcome(2))
    journal.note_outcome(outcome(3))
    assert journal.moving() == 1
    journal.note_line(log_line(shot="us-4", status=CLIENT_GONE))
    journal.note_outcome(outcome(5, status=None, error="refused"))
    assert journal.moving() == 1 == journal.client_answered - journal.nginx_logged
    journal.note_outcome(outcome(1))
    journal.note_line(log_line(shot="us-2"))
    journal.note_line(log_line(shot="us-3"))
    assert journal.moving() == 0


def test_an_answer_that_nginx_never_logs_is_missing_however_many_others_are_on_the_way() -> None:
    """Its log's buffer dies with a killed worker: that gap mustn't hide behind what is only late."""
    clock = FakeClock()
    journal = journal_at(clock)
    for number in range(3):
        journal.note_outcome(outcome(number))
    clock.advance(SETTLING_SECONDS + 0.1)
    for number in range(10, 500):
        journal.note_outcome(outcome(number))
    assert journal.client_answered - journal.nginx_logged - journal.moving() == 3


def test_an_attempt_ended_when_those_after_it_began() -> None:
    """nginx logs one time for all of them; what happened to the first one may be seconds ago."""
    ended: list[float] = []
    journal = journal_at(FakeClock())
    journal.on_forwarded = ended.append
    refused, slow, last = answered_by(71), Attempt("127.0.0.1:72", 72, 504, None, 2.0), answered_by(73)
    line = log_line(refused, slow, last)
    journal.note_line(line)
    assert last.seconds is not None
    assert ended == [line.time, pytest.approx(line.time - last.seconds - 2.0)]


def test_a_witness_who_never_speaks_is_given_up() -> None:
    """What stays unpaired isn't waited for after a while, so that a gap shows, and is forgotten in the end."""
    clock = FakeClock()
    journal = journal_at(clock)
    for number in range(MOST_OVERDUE + 200):
        journal.note_outcome(outcome(number, status=None, error="refused"))
        clock.advance(SETTLING_SECONDS / 100)
        assert len(journal._unpaired) <= 101
    clock.advance(SETTLING_SECONDS + 0.1)
    assert journal.moving() == 0
    assert journal._unpaired == {}
    assert len(journal._overdue) == MOST_OVERDUE


def test_a_witness_who_speaks_late_is_heard() -> None:
    """nginx stalled for longer than the client's patience and the settling: then it logs what it answers nobody."""
    clock = FakeClock()
    journal = journal_at(clock)
    journal.note_outcome(outcome(1, status=None, error="timeout"))
    clock.advance(SETTLING_SECONDS + 2.5)
    assert journal.moving() == 0
    journal.note_line(log_line(shot="us-1"))
    assert (journal.client_answered, journal.nginx_logged, journal.crossed) == (0, 0, 1)
    assert journal.moving() == 0


def test_nobody_has_to_ask_for_the_unpaired_to_be_forgotten() -> None:
    """A run without the dashboard asks for its ledger only in the end."""
    clock = FakeClock()
    journal = journal_at(clock)
    for number in range(MOST_OVERDUE + 500):
        journal.note_outcome(outcome(number, status=None, error="refused"))
        clock.advance(SETTLING_SECONDS / 100)
    assert len(journal._unpaired) + len(journal._overdue) <= MOST_OVERDUE + 102


def test_an_overdue_answer_of_a_client_that_died_was_received_by_nobody() -> None:
    """However long ago nginx logged it."""
    clock = FakeClock()
    journal = journal_at(clock)
    journal.note_line(log_line(shot="us-1"))
    clock.advance(SETTLING_SECONDS + 1)
    assert journal.moving() == 0
    journal.note_client_death(numbers_end=1)
    assert (journal.nginx_logged, journal.crossed) == (0, 1)


def test_only_attempts_that_may_have_reached_a_backend_count_as_broken_off() -> None:
    """As many answers may be missing from nginx's log: none for a refused connection, or for no live backend at all."""
    journal = journal_at(FakeClock())
    nobody_live = Attempt("lablb", None, 502, None, 0.0, 0, 0)
    journal.note_line(log_line(refused_by(71), nobody_live, status=502))
    assert journal.broken_off == 0
    timed_out = Attempt("127.0.0.1:71", 71, 504, None, 2.0, 120, 0)
    unknown = Attempt("127.0.0.1:72", 72, 504, None, 2.0)
    journal.note_line(log_line(timed_out, unknown, answered_by(73)))
    assert journal.broken_off == 2


def test_the_feed_keeps_the_newest_five_hundred() -> None:
    """However many requests there were."""
    journal = journal_at(FakeClock())
    for number in range(FEED_LENGTH + 250):
        journal.note_line(log_line(uri=f"/{number}"))
    assert FEED_LENGTH == 500
    assert [view.uri for view in journal.feed()] == [f"/{number}" for number in range(250, FEED_LENGTH + 250)]


def test_an_outcome_whose_line_left_the_feed_changes_no_other_line() -> None:
    """It still counts."""
    journal = journal_at(FakeClock())
    journal.note_line(log_line(shot="us-1"))
    for _ in range(FEED_LENGTH):
        journal.note_line(log_line())
    before = journal.feed()
    journal.note_outcome(outcome(1, latency_us=123_456))
    assert journal.feed() == before
    assert journal.client_answered == 1


def test_an_outcome_finds_its_line_although_others_left_the_feed() -> None:
    """The place in the feed is counted from the end that moves."""
    journal = journal_at(FakeClock())
    for _ in range(FEED_LENGTH):
        journal.note_line(log_line())
    journal.note_line(log_line(shot="us-1", uri="/ours"))
    journal.note_line(log_line())
    journal.note_outcome(outcome(1, latency_us=123_000))
    assert [view.uri for view in journal.feed() if view.latency_ms == 123.0] == ["/ours"]


def test_what_a_dead_client_had_not_told_of_is_received_by_nobody() -> None:
    """Whether nginx logged it before the death or after; what it had told of is paired as ever, and the next counts."""
    journal = journal_at(FakeClock())
    journal.note_line(log_line(shot="us-1"))
    journal.note_line(log_line(shot="us-2"))
    journal.note_outcome(outcome(2))
    journal.note_outcome(outcome(3))
    journal.note_client_death(numbers_end=100)
    assert (journal.client_answered, journal.nginx_logged, journal.crossed) == (2, 1, 1)
    journal.note_line(log_line(shot="us-3"))
    journal.note_line(log_line(shot="us-4"))
    journal.note_line(log_line(shot="us-5", status=CLIENT_GONE))
    assert (journal.client_answered, journal.nginx_logged, journal.crossed) == (2, 2, 2)
    assert journal.moving() == 0
    journal.note_line(log_line(shot="us-101"))
    assert journal.moving() == -1
    journal.note_outcome(outcome(101))
    assert (journal.client_answered, journal.nginx_logged, journal.moving()) == (3, 3, 0)
