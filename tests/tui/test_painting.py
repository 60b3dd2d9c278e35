"""Panels keep what they painted: it is what Textual would paint from scratch."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.widget import Widget

from lab.xray.shadow import Shadow
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import backend, request, running
from tests.tui.showing import AppPilot, dashboard, dashboard_of, is_seen, show
from tests.unit.test_shadow import follow, in_turn, upstream_of
from tui.widgets.line_panel import LinePanel


def kept(panel: LinePanel) -> list[list[Segment]]:
    """What the panel gives to the screen."""
    return [list(strip.simplify()) for strip in panel.render_lines(panel.region.reset_offset)]


def anew(panel: LinePanel) -> list[list[Segment]]:
    """What Textual would paint of the snapshot, if neither it nor the panel had kept anything."""
    fresh: dict[str, Any] = {
        "_lines": panel.draw(panel.snapshot, *panel.size)[: panel.size.height],
        "_styles_cache": StylesCache(),
        **{name: {} for name in ("_strips", "_framed", "_styles_of_inks", "_rich_style_cache")},
    }
    with patch.multiple(panel, **fresh):
        return [list(strip.simplify()) for strip in Widget.render_lines(panel, panel.region.reset_offset)]


def all_alike(pilot: AppPilot) -> bool:
    """Whether every panel in sight is as if it had been painted anew."""
    panels = [panel for panel in dashboard(pilot).query(LinePanel) if is_seen(panel)]
    assert len(panels) >= 3
    return all(kept(panel) == anew(panel) for panel in panels)


KEYS = ((), ("t",), ("down",), ("p", "up"), ("slash", "7", "enter"), ("x",), ("x", "down"), ("x", "t"))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
@pytest.mark.parametrize("keys", KEYS)
async def test_what_is_kept_is_what_would_be_painted_anew(size: tuple[int, int], keys: tuple[str, ...]) -> None:
    """After keys that change colours, borders and the cursor, and snapshots that change some lines."""
    lab = FakeLab()
    async with dashboard_of(lab, size=size) as pilot:
        for sequence in range(2, 8, 2):  # The feed is painted with every second snapshot.
            feed = tuple(request(number, uri=f"/{sequence}") for number in range(4 * sequence))
            hits = tuple(backend(port, hits=1000 * sequence + port) for port in range(71, 76))
            xray = follow(Shadow({1: upstream_of(1, 1, 1, 1, 1)}, 1), in_turn(range(71, 71 + sequence // 2)))
            await show(pilot, lab, replace(running(sequence, xray=xray), backends=hits, feed=feed))
            assert all_alike(pilot)
            await pilot.press(*keys)
            await pilot.pause()
            assert all_alike(pilot)


async def test_a_panel_of_another_size_is_painted_anew() -> None:
    """Narrower, wider, higher and lower."""
    async with dashboard_of(FakeLab()) as pilot:
        for size in ((120, 40), (100, 40), (140, 30), (90, 50), (120, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert all_alike(pilot)
