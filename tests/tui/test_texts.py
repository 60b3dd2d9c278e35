"""The screens to read: help and nginx's configuration."""

from dataclasses import replace

import pytest

from tests.tui.fake_lab import FakeLab
from tests.tui.samples import FIRST_CONFIG, SECOND_CONFIG, running
from tests.tui.showing import AppPilot, dashboard_of, lines, show
from tests.waiting import wait_for
from tui.ink import Ink, plain_text
from tui.keys import HELP
from tui.nginx_text import highlighted
from tui.screens.config import ConfigScreen
from tui.screens.dashboard import Dashboard
from tui.screens.help import HelpScreen, help_lines
from tui.widgets.document import Document


def config_text(pilot: AppPilot, name: str) -> list[str]:
    return lines(pilot.app.screen.query_one(f"#{name} Document", Document))


async def test_config_screen_follows_the_changes() -> None:
    """It shows what nginx was given, and with each change what that changed."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await pilot.press("n")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfigScreen), what="the config screen")
        await wait_for(pilot, lambda: "upstream lablb {" in config_text(pilot, "site"), what="the site")
        assert config_text(pilot, "difference") == ["Nothing changed since the lab started."]
        await show(pilot, lab, running(sequence=2, config=SECOND_CONFIG))
        await wait_for(
            pilot,
            lambda: (
                config_text(pilot, "difference")[1:3]
                == ["-     server 127.0.0.1:71;", "+     server 127.0.0.1:71 weight=2;"]
            ),
            what="the difference",
        )
        assert config_text(pilot, "site")[1] == "    server 127.0.0.1:71 weight=2;"
        assert "weight of 71: 1 → 2" in str(pilot.app.screen.query_one("#difference").border_subtitle)


async def test_a_text_that_is_wider_than_what_was_there_is_painted_whole() -> None:
    """Its lines are the same before and after it gets its width, but what was painted of them is not."""
    lab = FakeLab()
    wide = replace(FIRST_CONFIG, main="# Paths are relative to the lab's runtime folder (nginx -p).")
    async with dashboard_of(lab, running(config=wide)) as pilot:
        await pilot.press("n")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfigScreen), what="the config screen")

        def painted() -> str:
            document = pilot.app.screen.query_one("#main Document", Document)
            return "".join(strip.text for strip in document.render_lines(document.size.region)).strip()

        await wait_for(pilot, lambda: painted() == wide.main, what="the whole line")


@pytest.mark.parametrize("opens", ["n", "question_mark", "f1"])
@pytest.mark.parametrize("closes", ["escape", "q"])
async def test_text_screens_close_without_quitting(opens: str, closes: str) -> None:
    """Escape and q lead back to the dashboard, and the lab runs on."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        await pilot.press(opens)
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfigScreen | HelpScreen), what="the screen")
        await pilot.press(closes)
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert lab.stop_calls == 0


def test_help_names_every_key() -> None:
    """Each binding is there with what it does, and no line is wider than the smallest card."""
    shown = [plain_text(line) for line in help_lines(())]
    assert max(map(len, shown)) <= 73
    for bindings in HELP.values():
        for binding in bindings:
            assert any(f" {binding.description} " in line for line in shown), binding.description
    assert any(line.startswith("  ? F1") for line in shown)
    assert any(line.startswith("  + =") for line in shown)


def test_nginx_directives_stand_out() -> None:
    """The first word of a statement is a directive, wherever it stands; the text itself is unchanged."""
    text = 'http { server_tokens off; # said "no"\n\tadd_header X-Up $upstream_addr always;\n}'
    shown = highlighted(text)
    assert [plain_text(line) for line in shown] == text.replace("\t", "    ").splitlines()
    directives = [said for line in shown for said, ink in line if ink is Ink.HEADING]
    assert directives == ["http", "server_tokens", "add_header"]
    assert ("$upstream_addr", Ink.ACCENT) in shown[1]
    assert ('# said "no"', Ink.MUTED) in shown[0]
