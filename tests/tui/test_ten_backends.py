"""Where backends are many: the tenth has a key of its own, and pairs that aren't listed are counted."""

import pytest

from lab.xray.shadow import Shadow
from lab.xray.view import XRay
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import running
from tests.tui.showing import dashboard_of, lines
from tests.tui.test_guess import PAUSED
from tests.unit.test_shadow import follow, in_turn, upstream_of
from tests.waiting import wait_for
from tui.ink import plain_text
from tui.screens.guess import GuessScreen
from tui.widgets.guess_panel import GuessPanel
from tui.xray_text import pair_lines


def xray_of(algorithm: str, count: int) -> XRay:
    upstream = upstream_of(*[1] * count, algorithm=algorithm)
    return follow(Shadow({1: upstream}, 1), in_turn(range(71, 71 + count)))


@pytest.mark.parametrize("xray", [xray_of("round_robin", 10), XRay("round_robin", why_not="there are two workers")])
async def test_the_tenth_backend_is_listed_as_0_and_0_guesses_it(xray: XRay) -> None:
    """With an X-ray and without one."""
    lab = FakeLab()
    async with dashboard_of(lab, running(backends=10, traffic=PAUSED, xray=xray)) as pilot:
        await pilot.press("g")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, GuessScreen), what="the game")
        panel = pilot.app.screen.query_one(GuessPanel)
        await wait_for(pilot, lambda: "Press its number" in "".join(lines(panel)), what="the question")
        assert any("0 80" in line for line in lines(panel))
        await pilot.press("0")
        await wait_for(pilot, lambda: lab.commands == [("fire_once",)], what="the request")
        assert "You say 80" in "".join(lines(panel))


def test_pairs_that_are_too_many_are_counted() -> None:
    """Nine backends have 36, and an empty drawing would look broken; eight are still listed, and one has none."""
    (said,) = map(plain_text, pair_lines(xray_of("random_two", 9)))
    assert said == "36 pairs can be drawn of 9 backends: too many to list."
    assert len(pair_lines(xray_of("random_two", 8))) == 1 + 28
    assert pair_lines(xray_of("random_two", 1)) == []
