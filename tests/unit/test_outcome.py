"""What became of a request, and its way between processes."""

import json
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.traffic.outcome import Fate, Shot, answered, pack, unpack
from tests.unit.made_up import outcome

fates = st.builds(
    Fate,
    status=st.none() | st.integers(100, 599),
    error=st.none() | st.text(),
    pid=st.none() | st.integers(1, 2**22),
    upstream=st.text(),
    is_resent=st.booleans(),
)
seconds = st.floats(0, 1e6)
shots = st.builds(
    Shot, number=st.integers(1), due=seconds, sent=seconds, first_byte=st.none() | seconds, done=seconds, fate=fates
)


@given(before=st.lists(shots, max_size=20), repeated=st.integers(1, 3))
def test_outcomes_cross_the_pipe_unchanged(before: list[Shot], repeated: int) -> None:
    """Packed, written as JSON, read and unpacked, they say what the shots said, in their order."""
    before *= repeated
    after = unpack(json.loads(json.dumps(pack(before))))
    assert [astuple(outcome.fate) for outcome in after] == [astuple(shot.fate) for shot in before]
    assert [outcome[:3] for outcome in after] == [(shot.number, shot.latency_us, shot.late_us) for shot in before]


def test_an_answer_names_the_process_only_if_the_body_does() -> None:
    """The article's greeting ends with a PID; any other body says nothing of who wrote it."""
    assert answered(200, b"127.0.0.1:71", b"Hello from Process Id = 4242", False).pid == 4242
    assert answered(200, b"127.0.0.1:71", b"Hello from Process Id = ", False).pid is None
    assert answered(502, b"127.0.0.1:71", b"<html>", False).pid is None


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
    assert outcome(status=status, error=error).fate.failure == failure


@pytest.mark.parametrize(
    ("upstream", "port", "is_retried"),
    [
        ("127.0.0.1:71", 71, False),
        ("127.0.0.1:71, 127.0.0.1:72", 72, True),
        ("127.0.0.1:71, lablb", None, False),
        ("127.0.0.1:71, 127.0.0.1:72, lablb", None, True),
        ("127.0.0.1:71, lablb : 127.0.0.1:72", 72, True),
        ("127.0.0.1:71 : lablb", None, False),
        ("lablb", None, False),
        ("", None, False),
    ],
)
def test_the_last_backend_in_the_chain_is_the_one_that_answered(
    upstream: str, port: int | None, is_retried: bool
) -> None:
    """More than one backend in the chain means that nginx tried again; the upstream's name is no backend."""
    tried = outcome(upstream=upstream).fate
    assert (tried.port, tried.is_retried) == (port, is_retried)


def test_a_complete_response_is_an_answer_whatever_its_status() -> None:
    """nginx's own 502 came in full."""
    assert outcome(status=502).fate.is_answer
    assert not outcome(status=None, error="reset").fate.is_answer
