"""Bars and charts out of characters."""

import pytest

from tui.drawing import Chart, area, bar, levels, line, plot
from tui.formatting import round_duration
from tui.ink import plain_text
from tui.scales import round_ceiling


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        (None, "          "),
        (0.0, "          "),
        (0.0001, "▏         "),
        (0.2, "██        "),
        (0.25, "██▌       "),
        (0.9999, "██████████"),
        (1.0, "██████████"),
        (1.5, "██████████"),
    ],
)
def test_bar_is_exact_to_an_eighth_of_a_cell(part: float | None, shown: str) -> None:
    """What is more than nothing shows, and nothing is longer than the bar."""
    assert bar(part, 10) == shown


@pytest.mark.parametrize(
    ("value", "ceiling"), [(0, 1), (0.3, 0.3), (1, 1), (1.2, 1.5), (9.9, 10), (26, 30), (101, 150), (5000, 5000)]
)
def test_axis_ends_at_a_number_that_reads_well(value: float, ceiling: float) -> None:
    """At or above the highest value."""
    assert round_ceiling(value) == pytest.approx(ceiling)


def test_levels_spread_the_values_and_keep_the_gaps() -> None:
    """Between two values is a straight way; beside a gap there is none."""
    assert levels([0, 10], 3, ceiling=10, height=11) == [0, 5, 10]
    assert levels([0, None, 10], 5, ceiling=10, height=11) == [0, None, None, 10, 10]
    assert levels([], 2, ceiling=10, height=11) == [None, None]
    assert levels([50], 2, ceiling=10, height=11) == [10, 10]


def test_area_is_filled_from_the_bottom() -> None:
    """Two columns of dots a cell, four dots down, the top row of cells first."""
    assert [[chr(0x2800 + cell) for cell in row] for row in area([0, 3, 7, None], 2)] == [["⠀", "⡇"], ["⣸", "⡇"]]


def test_line_joins_neighbours_and_stops_at_a_gap() -> None:
    """A jump is drawn as a stroke, a gap isn't crossed."""
    assert [[chr(0x2800 + cell) for cell in row] for row in line([0, 7, None, 7], 2)] == [["⢸", "⠈"], ["⡸", "⠀"]]


def test_plot_has_axes_labels_and_marks() -> None:
    """As high and as wide as asked for."""
    chart = Chart(area=[1.0] * 4, line=[4.0] * 4, failures=[0, 0, 0, 3], unit=round_duration)
    assert [plain_text(row) for row in plot(chart, 25, 7)] == [
        "    5 ms┤                ",
        "        │⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉",
        "  2.5 ms┤                ",
        "        │⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀",
        "        │⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿",
        "    0 ms┴───────────────✗",
        "         60 s ago     now",
    ]


@pytest.mark.parametrize(("width", "height"), [(0, 0), (5, 5), (30, 2), (11, 3)])
def test_plot_survives_any_size(width: int, height: int) -> None:
    """Where there is no room, there is nothing, in as many lines as asked for."""
    assert len(plot(Chart([1.0], [2.0], [1], round_duration), width, height)) == height
