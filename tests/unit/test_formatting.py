"""Numbers and foreign text as a person reads them."""

from datetime import UTC

import pytest
from rich.cells import cell_len

from lab.models import BackendView
from lab.states import BackendState
from tui import formatting


@pytest.mark.parametrize(
    ("number", "width", "text"),
    [
        (0, 0, "0"),
        (1204, 0, "1,204"),
        (1_234_567, 9, "1,234,567"),
        (1_234_567, 8, "1,234.6k"),
        (1_234_567, 6, "1.2M"),
        (12_345_678_901, 6, "12.3G"),
    ],
)
def test_count_has_separators_and_gives_up_digits_for_room(number: int, width: int, text: str) -> None:
    """The exact number where it fits, a rounded one where it doesn't."""
    assert formatting.count(number, width) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0/s"), (0.4, "0.4/s"), (9.96, "10/s"), (1204.4, "1,204/s"), (9999.9, "10.0k/s"), (41_234, "41.2k/s")],
)
def test_rate_has_as_many_digits_as_matter(rate: float, text: str) -> None:
    """Tenths for what is slow, thousands for what is fast."""
    assert formatting.per_second(rate) == text


@pytest.mark.parametrize(
    ("value_ms", "bare", "with_unit"),
    [
        (None, "–", "–"),
        (0.04, "0.0", "0.0 ms"),
        (1.25, "1.2", "1.2 ms"),
        (99.96, "100", "100 ms"),
        (999.6, "1,000", "1.0 s"),
        (5000, "5,000", "5.0 s"),
    ],
)
def test_latency_with_and_without_its_unit(value_ms: float | None, bare: str, with_unit: str) -> None:
    """Tenths of milliseconds while they matter; unknown is a dash."""
    assert formatting.milliseconds(value_ms) == bare
    assert formatting.duration(value_ms) == with_unit


def test_unknown_is_a_dash_everywhere() -> None:
    """None is not nought."""
    assert formatting.percent(None) == "–"
    assert formatting.whole_percent(None) == "–"
    assert formatting.memory(None) == "–"


def test_sizes_and_parts() -> None:
    """Mebibytes without a fraction, gibibytes with one, parts of 1 in percent."""
    assert formatting.memory(28 * 2**20) == "28 M"
    assert formatting.memory(3 * 2**29) == "1.5 G"
    assert formatting.percent(0.1834) == "18.3 %"
    assert formatting.whole_percent(2.6) == "3 %"
    assert [formatting.round_duration(value) for value in (0, 100, 1500, 2000)] == ["0 ms", "100 ms", "1.5 s", "2 s"]


def test_time_of_day_has_milliseconds_even_on_the_second() -> None:
    """The column is always as wide."""
    assert formatting.time_of_day(43262.3451, UTC) == "12:01:02.345"
    assert formatting.time_of_day(43262, UTC) == "12:01:02.000"


@pytest.mark.parametrize("text", ["", "abc", "a" * 50, "日本語日本語日本", "\x1b[2J", "e\u0301e\u0301e\u0301"])
@pytest.mark.parametrize("width", [0, 1, 2, 3, 7, 12])
def test_fit_takes_exactly_the_cells_it_is_given(text: str, width: int) -> None:
    """Padded or shortened, by cells rather than characters."""
    assert cell_len(formatting.fit(text, width)) == width
    assert cell_len(formatting.fit(text, width, to_right=True)) == width


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox"),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36", "Chrome"),
        ("Mozilla/5.0 (Windows) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0.2592.87", "Edge"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15", "Safari"),
        ("curl/8.5.0", "curl/8.5"),
        ("python-httpx/0.27.0", "python-httpx/0.…"),
        ("wrk", "wrk"),
        ("", "unnamed"),
        ("-", "unnamed"),
        ("evil\x1b[31m/1", "evil␛[31m/1"),
    ],
)
def test_client_is_named_in_a_word(user_agent: str, name: str) -> None:
    """Browsers by name, tools with their version to the first dot."""
    assert formatting.client_name(user_agent) == name


@pytest.mark.parametrize(
    ("backend", "text"),
    [
        (BackendView(71, BackendState.STARTING), "◌ starting"),
        (BackendView(71, BackendState.UP), "● up"),
        (BackendView(71, BackendState.UP, is_slowed=True, service_time_ms=100), "● up · slow 100 ms"),
        (BackendView(71, BackendState.UP, is_backup=True), "▲ backup"),
        (BackendView(71, BackendState.UP, is_backup=True, is_down=True), "○ out (down)"),
        (BackendView(71, BackendState.FROZEN, is_slowed=True), "‖ frozen"),
        (BackendView(71, BackendState.KILLED, is_down=True), "✗ killed"),
        (BackendView(71, BackendState.EXITED), "✗ exited"),
    ],
)
def test_state_is_a_glyph_and_a_word(backend: BackendView, text: str) -> None:
    """The process comes first, then its place in the rotation, then its pace."""
    assert formatting.state_of(backend)[0] == text


def test_state_is_shortened_where_it_must_be() -> None:
    """Slow matters more than up."""
    slowed = BackendView(71, BackendState.UP, is_slowed=True, service_time_ms=100)
    assert formatting.state_of(slowed, 14)[0] == "● slow 100 ms"
