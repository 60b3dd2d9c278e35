"""What the system says of a backend, beside what nginx believes of it."""

from dataclasses import replace

import pytest

from lab.nginx.belief import Belief, Standing
from lab.states import BackendState
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import NOW, backend, running
from tests.tui.showing import dashboard_of, show, text_of
from tui.belief_text import belief_of
from tui.columns import Drawing, backend_line, heading_line
from tui.formatting import state_of
from tui.ink import plain_text
from tui.widgets.backend_grid import BackendGrid


@pytest.mark.parametrize(
    ("belief", "words"),
    [
        (None, "–"),
        (Belief(Standing.IN_USE), "in use"),
        (Belief(Standing.FAILING, fails=1, max_fails=3), "fails 1/3"),
        (Belief(Standing.FAILING, fails=7, max_fails=0), "fails 7"),
        (Belief(Standing.BENCHED, 1, 1, retry_at=NOW + 5.2), "benched, ~6 s"),
        (Belief(Standing.BENCHED, 1, 1, retry_at=NOW + 10), "benched, ~10 s"),
        (Belief(Standing.BENCHED, 1, 1, retry_at=NOW + 0.1), "benched, ~1 s"),
        (Belief(Standing.BENCHED, 1, 1, retry_at=NOW - 0.1), "due"),
        (Belief(Standing.BENCHED, 1, 1, retry_at=NOW + 110), "benched, ~2 m"),
        (Belief(Standing.BENCHED, 1, 1), "benched"),
        (Belief(Standing.DUE), "due"),
        (Belief(Standing.TESTING), "testing"),
        (Belief(Standing.SPARE), "spare"),
        (Belief(Standing.OUT), "out"),
    ],
)
def test_belief_in_words(belief: Belief | None, words: str) -> None:
    """Every standing has words of its own, and they fit the column."""
    said = belief_of(belief, NOW)[0]
    assert said == words
    assert len(said) <= 14


@pytest.mark.parametrize("width", [78, 116, 196])
def test_dead_backend_that_nginx_has_put_aside(width: int) -> None:
    """Both truths stand in their columns at any width, and why it is dead is said as well."""
    benched = Belief(Standing.BENCHED, 1, 1, retry_at=NOW + 5.2)
    killed = backend(74, state=BackendState.KILLED, pid=None, belief=benched, note="killed with SIGKILL")
    heading, line = plain_text(heading_line(width)), plain_text(backend_line(killed, width, Drawing(NOW)))
    assert line.index("✗ killed") == heading.index("state")
    assert line.index("benched, ~6 s") == heading.index("nginx inferred")
    assert "killed with SIGKILL" in line
    assert len(line) <= width


async def test_benched_backend_is_counted_down() -> None:
    """The figure follows the clock, from snapshot to snapshot."""
    lab, time = FakeLab(), [NOW]
    belief = Belief(Standing.BENCHED, 1, 1, retry_at=NOW + 9.5)
    async with dashboard_of(lab, running(backends=1), clock=lambda: time[0]) as pilot:
        for sequence, passed, words in ((2, 0.0, "benched, ~10 s"), (3, 4.0, "benched, ~6 s"), (4, 9.6, "due")):
            time[0] = NOW + passed
            await show(pilot, lab, replace(running(sequence), backends=(backend(71, belief=belief),)))
            assert words in text_of(pilot, BackendGrid)


@pytest.mark.parametrize(
    ("changes", "width", "words"),
    [
        ({"fault": "errors 500, 30 %"}, 28, "◐ errors 500, 30 %"),
        ({"fault": "errors 500, 30 %"}, 16, "◐ errors 500 30%"),
        ({"fault": "slow 300,000 ms, ever so"}, 16, "◐ slow 300,000…"),
        ({"fault": "slow 300 ms", "is_slowed": True, "service_time_ms": 300.0}, 16, "◐ slow 300 ms"),
        ({"fault": "refuses", "is_backup": True}, 16, "▲ refuses"),
        ({"fault": "refuses", "is_down": True}, 16, "○ refuses"),
        ({"fault": "frozen", "state": BackendState.FROZEN}, 16, "‖ frozen"),
        ({"fault": "killed", "state": BackendState.KILLED}, 16, "✗ killed"),
        ({"state": BackendState.ENDING}, 16, "◌ ending"),
    ],
)
def test_fault_is_shown_on_the_backend(changes: dict[str, object], width: int, words: str) -> None:
    """With a glyph of its own while the process is up; what happened to the process comes first."""
    assert state_of(backend(72, **changes), width)[0] == words


def test_every_state_has_a_glyph_and_a_word() -> None:
    """No state of a process is unknown to the grid."""
    for state in BackendState:
        glyph, _, word = state_of(backend(71, state=state))[0].partition(" ")
        assert len(glyph) == 1
        assert word == state.value


def test_whole_share_fits_its_column() -> None:
    """One backend that gets everything, under ip_hash for example, has 100 %, and nearly everything isn't that."""
    for share, words in ((1.0, " 100 %"), (0.999, "99.9 %")):
        assert words in plain_text(backend_line(backend(71, share=share), 78, Drawing(NOW)))
