"""What nginx makes of single attempts, in words: the cases that a log leaves open included."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.config import BackendSpec
from lab.nginx.render import Upstream
from lab.nginx.retry_rules import DEFAULT_RETRY_RULES, RETRY_RULES
from lab.nginx.verdict import Case, cases_of
from lab.witnesses import Attempt
from tests.unit.made_up import answered_by, log_line, refused_by

CLOSED = Attempt("127.0.0.1:71", 71, 502, None, 0.001, 120, 0)
BROKEN = replace(CLOSED, bytes_received=27)
SILENT = replace(CLOSED, status=504, seconds=2.0)
UNREACHED = replace(SILENT, bytes_sent=0)
NO_PEER = Attempt("lablb", None, 502, None, 0.0, 0, 0)
GONE = replace(CLOSED, status=None)
TWICE = "isn't sent twice unless `non_idempotent` is listed"
UNCOUNTED = "nginx counts no failures of an only backend"


def reason(attempt: Attempt, method: str = "GET", rules: tuple[str, ...] = DEFAULT_RETRY_RULES, **known: Any) -> str:
    return Case(attempt, method, rules, **known).reason


def answer(status: int) -> Attempt:
    return replace(answered_by(71), status=status)


@pytest.mark.parametrize(
    ("attempt", "known", "sentence"),
    [
        (
            refused_by(71),
            {"is_followed": True},
            "refused: `error` has nginx try another backend; it counts as a failure",
        ),
        (
            UNREACHED,
            {"has_more": False},
            "no connection in time: no other backend was left to try; it counts as a failure",
        ),
        (
            SILENT,
            {"is_followed": True},
            "no answer in time: `timeout` has nginx try another backend; it counts as a failure",
        ),
        (
            BROKEN,
            {},
            "invalid header: `invalid_header` isn't listed, so no other backend is tried; it counts as a failure",
        ),
        (
            BROKEN,
            {"rules": ("invalid_header",)},
            "broken off in the header: `error` isn't listed, so no other backend is tried; it counts as a failure",
        ),
        (
            BROKEN,
            {"has_more": False},
            "broken off in the header, or an invalid one: no other backend was left to try; it counts as a failure",
        ),
        (
            CLOSED,
            {"method": "POST"},
            f"closed before the header: a POST {TWICE}; it counts as a failure",
        ),
        (
            refused_by(71),
            {"method": "POST", "rules": ()},
            "refused: `error` isn't listed, so no other backend is tried; it counts as a failure",
        ),
        (
            CLOSED,
            {"is_only": True, "is_followed": True},
            f"closed before the header: its kept connection had died, so nginx tries once more; {UNCOUNTED}",
        ),
        (answer(200), {}, "answered 200"),
        (answer(200), {"is_cut": True}, "cut off in the body: too late for another try, and no failure to nginx"),
        (answer(503), {}, "503 is passed on: `http_503` isn't listed, and so it is no failure to nginx"),
        (
            answer(404),
            {"rules": ("http_404",), "is_followed": True},
            "404: `http_404` has nginx try another backend; it is never a failure",
        ),
        (
            answer(500),
            {"rules": ("http_500",), "method": "PATCH"},
            f"500 is passed on: a PATCH {TWICE}, and so it is no failure to nginx",
        ),
        (answer(501), {}, "501 is passed on: no rule is about it, and it is no failure to nginx"),
        (GONE, {}, "the client had gone before the answer: no failure to nginx"),
        (NO_PEER, {}, "no live backend was left: nginx answers itself"),
    ],
)
def test_each_attempt_is_explained_in_a_sentence(attempt: Attempt, known: dict[str, Any], sentence: str) -> None:
    """What happened, what nginx did then, and whether it counts."""
    assert reason(attempt, **known) == sentence


def test_the_cases_of_a_request_know_what_was_balanced() -> None:
    """How many backends there were to try, and which attempt was followed."""
    upstream = Upstream("round_robin", ((71, BackendSpec()), (72, BackendSpec()), (73, BackendSpec(is_down=True))))
    first, second = cases_of(log_line(refused_by(71), answered_by(72))._replace(is_cut=True), upstream)
    assert (first.is_followed, first.has_more, first.is_cut) == (True, True, False)
    assert (second.is_followed, second.has_more, second.is_cut) == (False, False, True)
    assert not first.is_only


figures = st.one_of(st.none(), st.integers(-1, 10**9))


@given(
    attempt=st.builds(Attempt, st.text(), figures, figures, st.sampled_from([None, 0.0]), st.none(), figures, figures),
    method=st.text(),
    rules=st.lists(st.sampled_from(RETRY_RULES)).map(tuple),
    is_followed=st.booleans(),
    is_only=st.booleans(),
)
def test_every_attempt_has_an_explanation_that_agrees_with_the_count(
    attempt: Attempt, method: str, rules: tuple[str, ...], is_followed: bool, is_only: bool
) -> None:
    """Whatever stands in the log."""
    case = Case(attempt, method, rules, is_followed=is_followed, is_only=is_only)
    assert case.reason
    assert case.is_failure == ("it counts as a failure" in case.reason)
