"""A backend as a line of the grid."""

from dataclasses import replace

import pytest

from lab.counts.latency import LatencySummary
from lab.counts.noise import Finding, Noise, Outlier
from lab.models import Snapshot
from lab.nginx.belief import Belief, Standing
from lab.states import BackendState
from lab.xray.view import Deviation, RuleCheck, XRay
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import NOW, backend, running
from tests.tui.showing import dashboard, dashboard_of, lines, show
from tui.columns import Drawing, backend_line, heading_line, lay_out
from tui.ink import Ink, plain_text
from tui.noise_text import finding_of, is_alarming, share_line
from tui.widgets.backend_grid import BackendGrid

DRAWING = Drawing(NOW)
EVERYTHING = "port pid state nginx-inferred wt hits  share expected rate in-flight failed p50-ms p95-ms p99-ms cpu mem"


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (78, "port pid state nginx-inferred wt hits  share p99-ms"),
        (116, "port pid state nginx-inferred wt hits  share/exp. rate in-flight failed p50-ms p99-ms"),
        (196, EVERYTHING),
    ],
)
def test_columns_give_way_by_importance(width: int, headings: str) -> None:
    """80, 120 and 200 columns of terminal, less the frame; where nothing is expected, 120 have the share alone."""
    assert " ".join(heading.replace(" ", "-") for heading in lay_out(width, expects=True).headings) == headings
    without = " ".join(heading.replace(" ", "-") for heading in lay_out(width).headings)
    assert without == headings.replace("/exp.", "")


def test_lines_are_exactly_as_wide_as_the_grid() -> None:
    """From the narrowest terminal on, the heading and the rows use all of the width and line up."""
    for width in range(78, 260):
        for drawing in (DRAWING, replace(DRAWING, expected={71: 0.2})):
            assert len(plain_text(heading_line(width, expects=bool(drawing.expected)))) == width
            assert len(plain_text(backend_line(backend(71), width, drawing))) == width


def test_row_reads_as_drawn() -> None:
    """Every column in its place, numbers to the right."""
    in_use = backend(71, belief=Belief(Standing.IN_USE))
    assert plain_text(heading_line(116, expects=True)) == (
        "  port  pid     state            nginx inferred   wt   hits        share/exp.    rate in-flight failed p50 ms p99 ms"  # noqa: E501  # As wide as it is shown.
    )
    drawing = Drawing(NOW, 0.2, expected={71: 0.2})
    assert plain_text(backend_line(in_use, 116, drawing, is_chosen=True)) == (
        "▸ 71    2752    ● up             in use            1  1,204 ████│ 20.0/20.0 %    20/s         0      0    1.2    3.1"  # noqa: E501  # As wide as it is shown.
    )


def test_what_is_unknown_is_a_dash() -> None:
    """None is never shown as nought."""
    silent = backend(
        71, pid=None, in_flight=None, share=None, latency=LatencySummary(), cpu_percent=None, rss_bytes=None
    )
    assert plain_text(backend_line(silent, 116, DRAWING)) == (
        "  71    –       ● up             –                 1  1,204                 –    20/s         –      0      –      –"  # noqa: E501  # As wide as it is shown.
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


EVEN = tuple((71 + place, 0.2) for place in range(5))
BEHIND = Noise(Finding.NO_CHANCE, (), EVEN, Outlier(72, 0.123, 0.2), p=1e-9, jain=0.91)


def test_bar_has_a_mark_where_it_was_expected_to_end() -> None:
    """Beyond a share that is behind, within one that is ahead; none where nothing is expected."""

    def bar_of(share: float, expected: dict[int, float]) -> str:
        drawing = Drawing(NOW, 0.4, expected=expected)
        line = plain_text(backend_line(backend(71, share=share), 124, drawing))
        return line[heading_line(124)[0][0].index("hits") + 5 :][:9]

    assert bar_of(0.1, {71: 0.2}) == "██▎ │    "
    assert bar_of(0.4, {71: 0.2}) == "████│████"
    assert bar_of(0.2, {71: 0.2}) == "████│    "
    assert bar_of(0.4, {71: 0.4}) == "████████│"
    assert bar_of(0.0, {71: 0.001}) == "│        "
    assert bar_of(0.1, {71: 0.0}) == bar_of(0.1, {}) == "██▎      "


def test_share_is_that_since_the_last_change() -> None:
    """Or of all hits where there are too few since; what is expected has a column where there is room."""
    drawing = Drawing(NOW, shares={71: 0.25}, expected={71: 0.5})
    text = plain_text(backend_line(backend(71), 196, drawing))
    assert "25.0 %" in text
    assert "50.0 %" in text
    assert "20.0 %" in plain_text(backend_line(backend(71), 196, DRAWING))


@pytest.mark.parametrize(
    ("share", "expected", "said"),
    [(0.204, 0.2, "20.4/20.0 %"), (1.0, 1.0, "100/100 %"), (None, 0.2, "–/20.0 %"), (0.01, 0.0, "1.0/0.0 %")],
)
def test_at_120_columns_share_and_what_is_expected_are_one_column(
    share: float | None, expected: float, said: str
) -> None:
    """In its place, below its heading."""
    line = plain_text(backend_line(backend(71, share=share), 116, Drawing(NOW, expected={71: expected})))
    end = plain_text(heading_line(116, expects=True)).index("share/exp.") + len("share/exp.")
    assert line[:end].endswith(" " + said)


@pytest.mark.parametrize(
    ("noise", "algorithm", "said"),
    [
        (None, "round_robin", ""),
        (Noise(Finding.TOO_FEW), "random", "? too few requests yet to tell noise from real"),
        (Noise(Finding.CHANCE, p=0.5, jain=0.987), "random", "≈ differences this size are chance · fairness 0.99"),
        (
            Noise(Finding.CHANCE, p=1.0),
            "round_robin",
            "= each gets its turns",
        ),
        (replace(BEHIND, jain=None), "round_robin", "≠ 72 is behind: 12.3 %, expected 20.0 %"),
        (Noise(Finding.CHANCE, p=1.0), "random", "≈ differences this size are chance"),
        (BEHIND, "random", "≠ 72 is behind by more than chance: 12.3 %, expected 20.0 % · fairness 0.91"),
        (
            replace(BEHIND, finding=Finding.HARDLY_CHANCE, jain=None, outlier=Outlier(72, 0.25, 0.2)),
            "random_two",
            "≠ 72 is ahead and hardly by chance: 25.0 %, expected 20.0 % when idle",
        ),
        (
            replace(BEHIND, jain=None, outlier=Outlier(72, 0.01, 0.0)),
            "random",
            "≠ 72 got 1.0 %, where nothing was expected",
        ),
        (Noise(Finding.NOTHING_EXPECTED), "least_conn", "shares follow who is free: there is none to expect"),
        (Noise(Finding.NOTHING_EXPECTED), "hash", "shares follow the URIs: there is none to expect"),
        (Noise(Finding.NOTHING_EXPECTED), "random", "no backend can take requests: there is none to expect"),
    ],
)
def test_the_verdict_is_one_line(noise: Noise | None, algorithm: str, said: str) -> None:
    """On the narrowest grid already, without its fairness where that is too long."""
    snapshot = running(noise=noise, algorithm=algorithm)
    assert share_line(snapshot, 100) == said
    shown = share_line(snapshot, 74)
    assert len(shown) <= 74
    assert said.startswith(shown)


@pytest.mark.parametrize(
    ("rule", "algorithm", "said"),
    [
        (RuleCheck(), "least_time", "? no request came yet"),
        (RuleCheck(412), "round_robin", "= as the rule wants: each gets its turns"),
        (RuleCheck(412), "ip_hash", "= as the rule wants: shares follow the clients' addresses"),
        (
            RuleCheck(412, None, Deviation(72, -12, "it was put aside")),
            "round_robin",
            "= as the rule wants: 72 got 12 fewer than its weight says, it was put aside",
        ),
        (
            RuleCheck(412, None, Deviation(72, -12)),
            "least_conn",
            "= as the rule wants: 72 got 12 fewer than its weight says, it was busier",
        ),
        (RuleCheck(412, Deviation(72, 3)), "hash", "≠ 72 got 3 more than the rule says, of 412"),
    ],
)
def test_where_nothing_is_left_to_chance_the_model_is_the_measure(rule: RuleCheck, algorithm: str, said: str) -> None:
    """Whatever the chi-square test says, which is right for draws only."""
    snapshot = running(noise=replace(BEHIND, jain=None), algorithm=algorithm, xray=XRay(algorithm, rule=rule))
    assert share_line(snapshot, 100) == said
    assert is_alarming(snapshot) == (rule.off_rule is not None)


@pytest.mark.parametrize(
    "trouble",
    [
        {"state": BackendState.FROZEN, "in_flight": None},
        {"is_slowed": True, "in_flight": 3},
        {"fault": "silent", "in_flight": 1},
    ],
)
def test_who_does_not_answer_is_not_said_to_be_passed_over(trouble: dict[str, object]) -> None:
    """nginx logs a request when it is over: until then nobody knows who got it."""
    slow = (backend(71), backend(72, **trouble))
    behind = RuleCheck(412, Deviation(72, -30))
    snapshot = replace(running(algorithm="round_robin", xray=XRay("round_robin", rule=behind)), backends=slow)
    assert finding_of(snapshot) == "? 72 hasn't answered yet: nginx logs requests when they are over"
    assert not is_alarming(snapshot)
    ahead = replace(snapshot, xray=XRay("round_robin", rule=RuleCheck(412, Deviation(72, 30))))
    assert is_alarming(ahead)


@pytest.mark.parametrize("trouble", [{"fault": "errors 503"}, {"fault": "resets"}, {"is_slowed": True}, {}])
def test_who_answers_badly_or_slowly_but_holds_nothing_back_has_no_excuse(trouble: dict[str, object]) -> None:
    """All that it got is in the log: what is missing went elsewhere."""
    told = (backend(71), backend(72, in_flight=0, **trouble))
    behind = XRay("round_robin", rule=RuleCheck(412, Deviation(72, -30)))
    snapshot = replace(running(algorithm="round_robin", xray=behind), backends=told)
    assert finding_of(snapshot) == "≠ 72 got 30 fewer than the rule says, of 412"
    assert is_alarming(snapshot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_the_border_bears_the_verdict_and_stays_where_it_is(size: tuple[int, int]) -> None:
    """It takes no line from anybody, and warns when it is no chance."""
    lab = FakeLab()
    async with dashboard_of(lab, running(noise=Noise(Finding.TOO_FEW, (), EVEN)), size=size) as pilot:
        grid = dashboard(pilot).query_one(BackendGrid)
        region = grid.region
        assert str(grid.border_subtitle) == "? too few requests yet to tell noise from real"
        assert not grid.has_class("-no-chance")
        await show(pilot, lab, running(2, noise=BEHIND, algorithm="random"))
        assert str(grid.border_subtitle).startswith("≠ 72 is behind by more than chance")
        assert grid.has_class("-no-chance")
        assert grid.region == region
        assert all("│" in line for line in lines(grid)[1:])
        await show(pilot, lab, running(3, backends=50, noise=BEHIND, algorithm="random"))
        assert "of 50 · ≠ 72 is behind" in str(grid.border_subtitle)
