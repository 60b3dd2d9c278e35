"""Exact durations, and foreign text in lines."""

from datetime import UTC

import pytest
from rich.cells import cell_len

from tui.formatting import exact_duration, time_of_day, whole_milliseconds, wrap


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 µs"),
        (0.00012, "120 µs"),
        (0.00312, "3.12 ms"),
        (0.0312, "31.2 ms"),
        (0.312, "312 ms"),
        (3.12, "3.12 s"),
        (-0.00012, "-120 µs"),
    ],
)
def test_measured_time_has_three_digits_and_its_unit(seconds: float, text: str) -> None:
    """Clocks of several processes may disagree, so it may be negative."""
    assert exact_duration(seconds) == text


def test_time_by_nginx_feigns_no_digits() -> None:
    """It logs whole milliseconds."""
    assert [whole_milliseconds(seconds) for seconds in (0, 0.001, 1.234)] == ["< 1 ms", "1 ms", "1,234 ms"]


def test_time_of_day_can_have_microseconds() -> None:
    """As many digits as asked for."""
    assert time_of_day(43262.345678, UTC, timespec="microseconds") == "12:01:02.345678"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("abcdefghijkl", ["abcdefgh", "ijkl"]),
        ("a abcdefghijkl b", ["a", "abcdefgh", "ijkl b"]),
        ("日本語日本語", ["日本語日", "本語"]),
        ("\x1b[2J\n", ["␛[2J␊"]),
    ],
)
def test_wrapped_text_is_inert_and_no_wider_than_asked(text: str, lines: list[str]) -> None:
    """Broken between words, and within one that is too long, by cells."""
    assert wrap(text, 8) == lines
    assert max(map(cell_len, wrap(text, 8))) <= 8
