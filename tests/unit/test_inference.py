"""Following nginx's beliefs, on made-up lines: its rules one by one."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.config import BackendSpec
from lab.logs.access_log import parse
from lab.nginx.belief import Belief, Standing
from lab.nginx.inference import Inference
from lab.nginx.render import Upstream
from lab.witnesses import Attempt
from tests.unit.made_up import FIELDS, answered_by, log_line, raw_line, refused_by

NO_PEER = Attempt("lablb", None, 502, None, 0.0, 0, 0)
HOUR = 3600.0


class Told:
    """An inference that is told of requests by the second."""

    def __init__(self, *specs: BackendSpec, workers: int = 1, **changes: Any) -> None:
        """Backends on ports 71, 72, ...: two unless given, each with nginx's defaults."""
        backends = tuple(enumerate(specs or (BackendSpec(), BackendSpec()), start=71))
        self.upstreams = {1: Upstream("round_robin", backends, **changes)}
        self.inference = Inference(self.upstreams, workers)

    def request(self, time: float, *attempts: Attempt, worker: int = 1, generation: int = 1, **changes: Any) -> None:
        """nginx has logged a request at that time."""
        line = log_line(*attempts)._replace(time=time, worker_pid=worker, generation=generation, **changes)
        self.inference.note_line(line)

    def belief(self, now: float, port: int = 71) -> Belief:
        return self.inference.beliefs(now)[port]

    def standing(self, now: float, port: int = 71) -> Standing:
        return self.belief(now, port).standing


def timed_out_by(port: int, seconds: float) -> Attempt:
    """An attempt on a backend that took the request and was silent."""
    return Attempt(f"127.0.0.1:{port}", port, 504, None, seconds, 120, 0)


def abandoned_by_client(port: int, seconds: float) -> Attempt:
    """An attempt whose client has gone."""
    return Attempt(f"127.0.0.1:{port}", port, None, None, seconds, 120, 0)


def said(port: int, status: int) -> Attempt:
    """An attempt that the backend answered with that status."""
    return replace(answered_by(port), status=status)


def at_once(port: int) -> Attempt:
    """An attempt that was answered in the same millisecond."""
    return replace(answered_by(port), seconds=0.0)


FAILED_OVER = (refused_by(71), at_once(72))


def test_backends_that_never_failed_are_in_use() -> None:
    """Before the first request as after many."""
    told = Told()
    assert told.belief(1000) == Belief(Standing.IN_USE, fails=0, max_fails=1)
    for second in range(1000, 1100):
        told.request(second, answered_by(71))
    assert told.belief(1100) == Belief(Standing.IN_USE)


def test_a_failure_benches_until_the_first_second_beyond_the_fail_timeout() -> None:
    """It counts from the whole second of the failure: ten seconds, and up to one more."""
    told = Told()
    told.request(1000.9, *FAILED_OVER)
    assert told.belief(1001) == Belief(Standing.BENCHED, 1, 1, retry_at=1011)
    assert told.standing(1010.999) is Standing.BENCHED
    assert told.belief(1011) == Belief(Standing.DUE, 1, 1)
    assert told.standing(1001, port=72) is Standing.IN_USE


def test_the_failure_counts_when_the_attempt_ended_and_not_when_the_request_did() -> None:
    """The other backend took three seconds to answer: by then the first had been benched for three."""
    told = Told()
    told.request(1003.5, timed_out_by(71, 2.0), replace(answered_by(72), seconds=3.0))
    assert told.belief(1003.5).retry_at == 1011


def test_a_test_that_fails_benches_anew_and_one_that_succeeds_clears() -> None:
    """The test is picked in a later second than the failure, which is what nginx asks for."""
    told = Told()
    told.request(1000, *FAILED_OVER)
    told.request(1011.2, *FAILED_OVER)
    assert told.belief(1012) == Belief(Standing.BENCHED, 2, 1, retry_at=1022)
    told.request(1022.5, answered_by(71))
    assert told.belief(1022) == Belief(Standing.IN_USE)


def test_with_three_max_fails_the_first_two_are_only_counted() -> None:
    """And a success soon after doesn't clear them: only one that was picked after the fail timeout does."""
    told = Told(BackendSpec(max_fails=3), BackendSpec())
    told.request(1000, *FAILED_OVER)
    assert told.belief(1000) == Belief(Standing.FAILING, 1, 3)
    told.request(1005, answered_by(71))
    told.request(1006, *FAILED_OVER)
    assert told.belief(1006) == Belief(Standing.FAILING, 2, 3)
    told.request(1017.5, answered_by(71))
    assert told.belief(1018) == Belief(Standing.IN_USE, 0, 3)
    for second in (1020, 1021, 1022):
        told.request(second, *FAILED_OVER)
    assert told.belief(1022) == Belief(Standing.BENCHED, 3, 3, retry_at=1033)


def test_failures_less_than_a_fail_timeout_apart_add_up_without_limit() -> None:
    """nginx has no window in which they would have to fall."""
    told = Told(BackendSpec(max_fails=5), BackendSpec())
    for number in range(4):
        told.request(1000 + 9 * number, *FAILED_OVER)
    assert told.belief(1030) == Belief(Standing.FAILING, 4, 5)


def test_without_max_fails_none_is_ever_benched() -> None:
    """`max_fails=0`."""
    told = Told(BackendSpec(max_fails=0), BackendSpec())
    for second in range(1000, 1020):
        told.request(second, *FAILED_OVER)
    assert told.standing(1019) is Standing.IN_USE


def test_an_only_backend_is_never_benched() -> None:
    """nginx counts no failures where it has no choice."""
    told = Told(BackendSpec())
    for second in range(1000, 1005):
        told.request(second, refused_by(71), status=502)
    assert told.belief(1005) == Belief(Standing.IN_USE)


@pytest.mark.parametrize("sibling", [BackendSpec(is_down=True), BackendSpec(is_backup=True)])
def test_a_sibling_that_cant_be_asked_ends_the_exception(sibling: BackendSpec) -> None:
    """Two `server` lines are two backends to nginx, whatever they say."""
    told = Told(BackendSpec(), sibling)
    told.request(1000, refused_by(71), status=502)
    assert told.standing(1000) is Standing.BENCHED


def test_a_backup_is_spare_until_no_primary_can_be_asked() -> None:
    """A primary that is due can be: its test goes first."""
    told = Told(BackendSpec(), BackendSpec(is_backup=True))
    assert told.standing(1000, port=72) is Standing.SPARE
    told.request(1000, *FAILED_OVER)
    assert told.standing(1001, port=72) is Standing.IN_USE
    assert told.standing(1011, port=72) is Standing.SPARE


def test_a_backup_that_fails_is_benched_like_a_primary() -> None:
    """Its account is its own."""
    told = Told(BackendSpec(), BackendSpec(is_backup=True))
    told.request(1000, refused_by(71), refused_by(72), status=502)
    assert [told.standing(1001, port) for port in (71, 72)] == [Standing.BENCHED] * 2


def test_what_is_down_is_out() -> None:
    """Whatever it did before."""
    assert Told(BackendSpec(is_down=True), BackendSpec()).belief(1000) == Belief(Standing.OUT)


def test_no_live_upstreams_is_no_failure_of_anybody() -> None:
    """nginx logs the upstream's name in place of an address."""
    told = Told()
    told.request(1000, refused_by(71), refused_by(72), status=502)
    before = told.inference.beliefs(1005)
    told.request(1005, NO_PEER, status=502)
    assert told.inference.beliefs(1005) == before


def test_a_client_that_goes_away_is_no_failure() -> None:
    """To nginx it is even a success: it clears a backend under test."""
    told = Told()
    told.request(1000, abandoned_by_client(71, 5.0), status=499)
    assert told.standing(1000) is Standing.IN_USE
    told.request(1000, *FAILED_OVER)
    told.request(1012, abandoned_by_client(71, 1.0), status=499)
    assert told.standing(1012) is Standing.IN_USE


def test_an_invalid_header_is_a_failure_though_it_isnt_tried_again() -> None:
    """nginx answers 502, and counts."""
    told = Told()
    told.request(1000, Attempt("127.0.0.1:71", 71, 502, None, 0.001, 120, 34), status=502)
    assert told.standing(1000) is Standing.BENCHED


@pytest.mark.parametrize(
    ("rules", "status", "is_followed", "standing"),
    [
        (("error", "http_500"), 500, True, Standing.BENCHED),
        (("error", "http_500"), 500, False, Standing.IN_USE),
        (("error", "timeout"), 500, False, Standing.IN_USE),
        (("error", "http_429"), 429, True, Standing.BENCHED),
        (("error", "http_404"), 404, True, Standing.IN_USE),
        (("error", "http_403"), 403, True, Standing.IN_USE),
    ],
)
def test_an_answer_counts_only_if_another_try_followed(
    rules: tuple[str, ...], status: int, is_followed: bool, standing: Standing
) -> None:
    """What is passed on is no failure, and 403 and 404 never are."""
    told = Told(retry_rules=rules)
    told.request(1000, said(71, status), *([answered_by(72)] if is_followed else []))
    assert told.standing(1000) is standing


def test_a_reload_begins_anew() -> None:
    """What its old workers still finish is no news to the new ones."""
    told = Told()
    told.request(1000, *FAILED_OVER)
    told.upstreams[2] = told.upstreams[1]
    assert told.standing(1001) is Standing.IN_USE
    told.request(1001, answered_by(72), generation=2)
    told.request(1002, *FAILED_OVER, generation=1)
    assert told.standing(1002) is Standing.IN_USE


def test_a_generation_that_nobody_knows_is_passed_over() -> None:
    """Its rules would have to be guessed."""
    told = Told()
    told.request(1000, *FAILED_OVER, generation=7)
    assert told.standing(1000) is Standing.IN_USE


def test_of_several_workers_the_most_pessimistic_is_shown() -> None:
    """Each has a memory of its own."""
    told = Told(workers=2)
    told.request(1000, *FAILED_OVER, worker=1)
    told.request(1003, *FAILED_OVER, worker=2)
    assert told.belief(1003) == Belief(Standing.BENCHED, 1, 1, retry_at=1014)
    told.request(1012, answered_by(71), worker=1)
    assert told.belief(1012).retry_at == 1014
    told.request(1014, at_once(71), worker=2)
    assert told.belief(1014) == Belief(Standing.IN_USE)


def test_a_worker_that_was_replaced_takes_its_memory_with_it() -> None:
    """There can't be more of them than nginx was told to start."""
    told = Told()
    told.request(1000, *FAILED_OVER, worker=1)
    told.request(1001, answered_by(72), worker=2)
    assert told.standing(1001) is Standing.IN_USE


def test_a_worker_that_is_known_to_have_ended_is_forgotten_before_its_successor_is_heard_of() -> None:
    """What the others know stays."""
    told = Told(workers=2)
    told.request(1000, *FAILED_OVER, worker=1)
    told.request(1000, refused_by(72), at_once(71), worker=2)
    told.inference.forget({1})
    assert told.inference.worker_pids == {2}
    assert [told.standing(1001, port) for port in (71, 72)] == [Standing.IN_USE, Standing.BENCHED]


def test_a_backend_that_all_pass_by_though_it_is_due_is_being_tested() -> None:
    """In a round of equals it would have had its turn: only a test under way makes nginx skip it."""
    told = Told()
    told.request(1000, timed_out_by(71, 2.0), at_once(72))
    for number in range(5):
        told.request(1011.1 + number / 100, answered_by(72))
    assert told.standing(1011.2) is Standing.DUE
    told.request(1011.2, answered_by(72))
    assert told.standing(1011.2) is Standing.TESTING
    told.request(1013, timed_out_by(71, 2.0), at_once(72))
    assert told.belief(1013) == Belief(Standing.BENCHED, 2, 1, retry_at=1024)


def test_under_a_hash_nobody_can_tell_a_test_from_a_backend_that_isnt_wanted() -> None:
    """Its turn comes when a key comes that is its own."""
    told = Told()
    told.upstreams[1] = replace(told.upstreams[1], algorithm="hash")
    told.request(1000, *FAILED_OVER)
    for number in range(50):
        told.request(1011 + number / 100, answered_by(72))
    assert told.standing(1012) is Standing.DUE


def test_an_attempt_a_millisecond_before_its_time_proves_that_the_time_had_come() -> None:
    """nginx's milliseconds are rounded, its seconds are not: a success then clears as it does for nginx."""
    told = Told()
    told.request(1000, *FAILED_OVER)
    told.request(1010.9995, answered_by(71))
    assert told.standing(1011) is Standing.IN_USE


def test_requests_that_were_on_their_way_when_it_failed_are_no_test() -> None:
    """They were picked before; nginx doesn't clear by them."""
    told = Told()
    told.request(1000, *FAILED_OVER)
    told.request(1005, replace(answered_by(71), seconds=6.0))
    assert told.belief(1005) == Belief(Standing.BENCHED, 1, 1, retry_at=1011)


def test_a_failure_that_is_told_late_doesnt_shorten_the_bench() -> None:
    """Its request went on elsewhere for so long that a later failure was logged before it."""
    told = Told()
    told.request(1003, *FAILED_OVER)
    told.request(1004, refused_by(71), replace(answered_by(72), seconds=3.5))
    assert told.belief(1004) == Belief(Standing.BENCHED, 2, 1, retry_at=1014)


def test_when_the_clock_is_set_back_the_bench_lasts_until_it_has_caught_up() -> None:
    """So it does in nginx, which reckons by the time of day."""
    told = Told()
    told.request(10_000, *FAILED_OVER)
    told.request(10_000 - HOUR, answered_by(72))
    assert told.belief(10_000 - HOUR) == Belief(Standing.BENCHED, 1, 1, retry_at=10_011)


def test_after_the_clock_was_set_back_failures_count_from_the_new_time() -> None:
    """A failure that comes later is later, whatever the clock says."""
    told = Told(BackendSpec(max_fails=2), BackendSpec())
    told.request(10_000, *FAILED_OVER)
    told.request(5_000, *FAILED_OVER)
    assert told.belief(5_000) == Belief(Standing.BENCHED, 2, 2, retry_at=5_011)
    told.request(5_011, at_once(71))
    assert told.standing(5_011) is Standing.IN_USE


values = st.one_of(
    st.sampled_from(["127.0.0.1:71", "127.0.0.1:71, 127.0.0.1:72", "lablb", "127.0.0.1:71, lablb", "-", ""]),
    st.sampled_from(["502", "502, 200", "-", "500, 200", "0.001", "-, 0.001", "1e11", "0, 0", "120, 34"]),
    st.integers(),
    st.floats(),
    st.text(),
)


@given(lines=st.lists(st.dictionaries(st.sampled_from(sorted(FIELDS)), values, max_size=8), max_size=8))
def test_nothing_that_parses_as_a_line_can_crash_it(lines: list[dict[str, object]]) -> None:
    """Whatever somebody writes into the log, there is a belief."""
    told = Told()
    told.upstreams[3] = told.upstreams[1]
    for changes in lines:
        try:
            line = parse(raw_line(**changes))
        except ValueError:
            continue
        told.inference.note_line(line)
        assert set(told.inference.beliefs(line.time)) == {71, 72}


@given(
    lines=st.lists(
        st.tuples(
            st.floats(0, 1e11),
            st.lists(
                st.builds(
                    Attempt,
                    st.just("x"),
                    st.sampled_from([71, 72, 73, None]),
                    st.sampled_from([None, 200, 404, 500, 502, 504]),
                    *[st.sampled_from([None, 0.0, 0.001, 2.0, 1e11])] * 2,
                    *[st.sampled_from([None, 0, 120])] * 2,
                ),
                max_size=4,
            ),
            st.integers(1, 3),
        ),
        max_size=20,
    )
)
def test_whatever_the_order_of_time_a_bench_ends(
    lines: list[tuple[float, list[Attempt], int]],
) -> None:
    """A moment is given when it does, one whole second, and from then on it isn't benched."""
    told = Told(workers=2)
    for time, attempts, worker in lines:
        told.request(time, worker=worker, attempts=tuple(attempts))
        for port, belief in told.inference.beliefs(time).items():
            assert (belief.retry_at is not None) == (belief.standing is Standing.BENCHED)
            if belief.retry_at is not None:
                assert belief.retry_at == int(belief.retry_at) > int(time)
                assert told.standing(belief.retry_at, port) is not Standing.BENCHED
