"""Foreign text can't steer a terminal."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from lab.config import LabConfig
from lab.doctor import Finding, Verdict
from lab.errors import NotReadyError
from lab.inert import inert
from lab.ports import Ports
from tests.unit.conftest import REPORT, Command

HOSTILE = "\x1b[31mPWN\x1b]0;x\x07\n"
HARMLESS = "␛[31mPWN␛]0;x␇␊"


def test_foreign_text_is_made_visible() -> None:
    """Each character that would steer the terminal, or hide, takes one cell; markup is left alone."""
    assert inert("[red]x[/red]") == "[red]x[/red]"
    assert inert("\x1b[31m\r\n\t\x7f") == "␛[31m␍␊␉␡"
    assert inert("a\u202eb\u200bc\x9bd\ud800e\u0301") == "a�b�c�d�e�"
    assert inert("grün 日本") == "grün 日本"


def test_a_complaint_is_one_inert_line(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sentence may have another process's name in it, or nginx's words."""

    async def run_lab(*_: object) -> None:
        raise NotReadyError(f"Port 70 is taken by {HOSTILE} (PID 1).")

    monkeypatch.setattr("lab.run.run_lab", run_lab)
    assert lablb("run").err == f"lablb: Port 70 is taken by {HARMLESS} (PID 1).\n"


@pytest.mark.parametrize("arguments", [["run", f"--{HOSTILE}"], ["run", "--config", HOSTILE], ["run", HOSTILE]])
def test_what_was_typed_is_quoted_inert(lablb: Command, arguments: list[str]) -> None:
    """It may have been pasted."""
    said = lablb(*arguments)
    assert said.code == 2
    assert said.err.rstrip("\n").isprintable()


def test_clicks_lists_are_told_in_one_line(lablb: Command) -> None:
    """It writes a missing argument's choices one a line."""
    assert "Choose from: bash, zsh, fish" in lablb("completion").err


def test_notices_of_a_run_are_inert(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it, on stderr, and in its report."""
    monkeypatch.setattr("lab.cli.choose_ports", lambda config: Ports(8070, (), HOSTILE))
    assert lablb("run").err == f"lablb: {HARMLESS}\n"
    text = replace(REPORT, notices=(HOSTILE,), nginx_path=HOSTILE, algorithm=HOSTILE).as_text()
    assert text.startswith(HARMLESS)
    assert f"note    {HARMLESS}\n" in text


def test_what_the_doctor_finds_is_told_inert(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finding stays one line."""

    async def examine(config: LabConfig) -> AsyncIterator[Finding]:
        yield Finding(Verdict.BAD, f"Port 70 is taken by {HOSTILE}")

    monkeypatch.setattr("lab.doctor.examine", examine)
    assert lablb("doctor").out == f"✗ Port 70 is taken by {HARMLESS}\n"
