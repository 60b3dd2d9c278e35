"""The axes of charts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.scales import Scale, linear_scale, log_scale, round_values


@pytest.mark.parametrize(
    ("lowest", "highest", "floor", "ceiling"),
    [(1.2, 3.1, 1, 4), (0.9, 110, 0.5, 150), (100, 100, 50, 200), (20, 45, 10, 50), (0.0031, 0.0031, 0.002, 0.008)],
)
def test_logarithmic_axis_has_round_ends_beyond_the_values(
    lowest: float, highest: float, floor: float, ceiling: float
) -> None:
    """And is never so short that steady values look wild."""
    scale = log_scale(lowest, highest)
    assert [scale.floor, scale.ceiling] == pytest.approx([floor, ceiling])


@given(st.floats(1e-3, 1e6), st.floats(1, 1e6))
def test_every_value_is_on_its_axis(lowest: float, ratio: float) -> None:
    """Whatever the values, both ends of them are between the ends of the axis."""
    scale = log_scale(lowest, lowest * ratio)
    assert 0 <= scale.part(lowest) <= scale.part(lowest * ratio) <= 1


def test_equal_ratios_are_equal_ways() -> None:
    """That is what makes an axis logarithmic."""
    scale = Scale(1, 100, is_log=True)
    assert [scale.part(value) for value in (1, 10, 100)] == pytest.approx([0, 0.5, 1])
    assert scale.part(0.01) == 0


def test_labels_stand_apart() -> None:
    """The ceiling above all; between it and the floor round values, with a row between two labels at least."""
    labels = log_scale(1, 90).row_labels(20)
    assert labels[0] == 100
    assert 10 in labels.values()
    rows = sorted(labels)
    assert all(below - above >= 2 for above, below in zip(rows, rows[1:], strict=False))
    assert linear_scale(90).row_labels(7) == {0: 100, 3: 50}
    assert log_scale(1, 90).row_labels(1) == {0: 100}


def test_roundest_values_come_first() -> None:
    """Powers of ten, then 2 and 5; a short axis has finer ones."""
    assert next(round_values(0.5, 200)) == [1, 10, 100]
    assert [value for values in round_values(1.1, 1.3) for value in values][:2] == pytest.approx([1.1, 1.2])
