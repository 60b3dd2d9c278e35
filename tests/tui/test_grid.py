"""A backend as a line of the grid."""

from dataclasses import replace

import pytest

from lab.belief import Belief, Standing
from lab.latency import LatencySummary
from lab.models import BackendState, Snapshot
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import NOW, backend, running
from tests.tui.showing import dashboard, dashboard_of, lines, show
from tui.columns import Drawing, backend_line, heading_line, lay_out
from tui.ink import Ink, plain_text
from tui.widgets.backend_grid import BackendGrid

DRAWING = Drawing(NOW)
EVERYTHING = "port pid state nginx-~ wt hits  share rate in-flight failed p50-ms p95-ms p99-ms cpu mem"


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (78, "port pid state nginx-~ wt hits  share p99-ms"),
        (116, "port pid state nginx-~ wt hits  share rate in-flight failed p50-ms p99-ms"),
        (196, EVERYTHING),
    ],
)
def test_columns_give_way_by_importance(width: int, headings: str) -> None:
    """80, 120 and 200 columns of terminal, less the frame."""
    assert " ".join(heading.replace(" ", "-") for heading in lay_out(width).headings) == headings


def test_lines_are_exactly_as_wide_as_the_grid() -> None:
    """From the narrowest terminal on, the heading and the rows use all of the width and line up."""
    for width in range(78, 260):
        assert len(plain_text(heading_line(width))) == width
        assert len(plain_text(backend_line(backend(71), width, DRAWING))) == width


def test_row_reads_as_drawn() -> None:
    """Every column in its place, numbers to the right."""
    in_use = backend(71, belief=Belief(Standing.IN_USE))
    assert plain_text(heading_line(116)) == (
        "  port  pid     state            nginx ~          wt   hits            share    rate in-flight  failed p50 ms p99 ms"  # noqa: E501  # As wide as it is shown.
    )
    assert plain_text(backend_line(in_use, 116, Drawing(NOW, 0.2), is_chosen=True)) == (
        "▸ 71    2752    ● up             in use            1  1,204 █████████ 20.0 %    20/s         0       0    1.2    3.1"  # noqa: E501  # As wide as it is shown.
    )


def test_what_is_unknown_is_a_dash() -> None:
    """None is never shown as nought."""
    silent = backend(
        71, pid=None, in_flight=None, share=None, latency=LatencySummary(), cpu_percent=None, rss_bytes=None
    )
    assert plain_text(backend_line(silent, 116, DRAWING)) == (
        "  71    –       ● up             –                 1  1,204                –    20/s         –       0      –      –"  # noqa: E501  # As wide as it is shown.
    )


@pytest.mark.parametrize("width", [78, 116, 196])
def test_note_of_a_backend_that_is_out_takes_the_columns_to_the_right(width: int) -> None:
    """Why it isn't serving is readable at any width, and stays within it."""
    killed = backend(74, state=BackendState.KILLED, pid=None, note="nginx: benched, tries again in ~6 s")
    line = plain_text(backend_line(killed, width, DRAWING))
    assert "✗ killed" in line
    assert "nginx: benched, tries again" in line
    assert len(line) <= width


def test_note_is_foreign_text() -> None:
    """A backend's last words can't steer the terminal."""
    dying = backend(74, state=BackendState.EXITED, note="\x1b[2Jbye")
    assert "␛[2Jbye" in plain_text(backend_line(dying, 116, DRAWING))


def _with_hits(sequence: int, hits: int) -> Snapshot:
    return replace(running(sequence), backends=(backend(71, hits=hits),))


async def test_port_lights_up_when_its_backend_answered_and_fades() -> None:
    """Lit for one snapshot, an afterglow for the next, then as before."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        grid = dashboard(pilot).query_one(BackendGrid)

        async def ink_of_71(sequence: int, hits: int) -> Ink:
            await show(pilot, lab, _with_hits(sequence, hits))
            return next(ink for text, ink in grid.draw(grid.snapshot, *grid.size)[1] if text.strip().startswith("71"))

        assert await ink_of_71(2, 1204) is Ink.PLAIN
        assert await ink_of_71(3, 1205) is Ink.LIT
        assert await ink_of_71(4, 1205) is Ink.AFTERGLOW
        assert await ink_of_71(5, 1205) is Ink.PLAIN


async def test_zeroed_counters_light_nothing_up() -> None:
    """Hits that fell are no answers."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await show(pilot, lab, _with_hits(2, 0))
        grid = dashboard(pilot).query_one(BackendGrid)
        assert lines(grid)[1].startswith("▸ 71")
        assert all(ink is not Ink.LIT for _, ink in grid.draw(grid.snapshot, *grid.size)[1])
