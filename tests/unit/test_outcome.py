"""What became of a request, and its way between processes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.traffic.outcome import Outcome
from tests.unit.made_up import outcome

outcomes = st.builds(
    Outcome,
    number=st.integers(1),
    latency_us=st.integers(),
    late_us=st.integers(),
    status=st.none() | st.integers(100, 599),
    error=st.none() | st.text(),
    pid=st.none() | st.integers(1, 2**22),
    upstream=st.text(),
    is_resent=st.booleans(),
)


@given(before=outcomes)
def test_an_outcome_crosses_the_pipe_unchanged(before: Outcome) -> None:
    """Packed, written as JSON, read and unpacked, it equals itself."""
    assert Outcome._make(json.loads(json.dumps(before))) == before


@pytest.mark.parametrize(
    ("status", "error", "failure"),
    [
        (200, None, None),
        (404, None, None),
        (499, None, None),
        (500, None, "http_500"),
        (504, None, "http_504"),
        (None, "timeout", "timeout"),
        (None, None, "unknown"),
    ],
)
def test_a_failure_is_no_answer_or_a_server_error(status: int | None, error: str | None, failure: str | None) -> None:
    """Whatever else came is what the server meant to say."""
    assert outcome(status=status, error=error).failure == failure


@pytest.mark.parametrize(
    ("upstream", "port", "is_retried"),
    [
        ("127.0.0.1:71", 71, False),
        ("127.0.0.1:71, 127.0.0.1:72", 72, True),
        ("127.0.0.1:71, lablb", None, True),
        ("lablb", None, False),
        ("", None, False),
    ],
)
def test_the_last_backend_in_the_chain_is_the_one_that_answered(
    upstream: str, port: int | None, is_retried: bool
) -> None:
    """More than one in the chain means that nginx tried again; the upstream's name is no backend."""
    tried = outcome(upstream=upstream)
    assert (tried.port, tried.is_retried) == (port, is_retried)


def test_a_complete_response_is_an_answer_whatever_its_status() -> None:
    """nginx's own 502 came in full."""
    assert outcome(status=502).is_answer
    assert not outcome(status=None, error="reset").is_answer
