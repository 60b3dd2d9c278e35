"""Foreign text can't steer a terminal."""

import unicodedata
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from lab.commandline.doctor import Finding, Verdict
from lab.config import LabConfig
from lab.errors import NotReadyError
from lab.inert import inert, inert_line
from lab.machine.ports import Ports
from tests.unit.conftest import REPORT, Command

HOSTILE = "\x1b[31mPWN\x1b]0;x\x07\n"
HARMLESS = "␛[31mPWN␛]0;x␇␊"


def test_foreign_text_is_made_visible() -> None:
    """Each character that would steer the terminal, or hide, takes one cell; markup is left alone."""
    assert inert("[red]x[/red]") == "[red]x[/red]"
    assert inert("\x1b[31m\r\n\t\x7f") == "␛[31m␍␊␉␡"
    assert inert("a\u202eb\u200bc\x9bd\ud800e\u20dd") == "a�b�c�d�e�"
    assert inert("grün 日本") == "grün 日本"


@pytest.mark.parametrize("name", ["/Users/jose\u0301", "/home/grün", "/home/हिन्दी/日本", "/home/שָׁלוֹם"])
def test_every_script_can_be_read_in_a_line(name: str, lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS has accents apart from their letters, and others have vowel signs: in complaints, reports, the doctor."""
    readable = unicodedata.normalize("NFC", name)
    assert inert_line(name) == readable

    async def run_lab(*_: object) -> None:
        raise NotReadyError(f"{name} can't be written.")

    async def examine(config: LabConfig) -> AsyncIterator[Finding]:
        yield Finding(Verdict.BAD, name)

    monkeypatch.setattr("lab.commandline.run.run_lab", run_lab)
    monkeypatch.setattr("lab.commandline.doctor.examine", examine)
    assert lablb("run").err == f"lablb: {readable} can't be written.\n"
    assert lablb("doctor").out == f"✗ {readable}\n"
    assert f"note    {readable}\n" in replace(REPORT, notices=(name,)).as_text()


def test_in_a_line_nothing_hides_or_steers_either() -> None:
    """Marks that nobody sees are shown, as is all else that is."""
    assert inert_line("\x1b[31m\r\n\t\x7f") == "␛[31m␍␊␉␡"
    assert inert_line("a\u202eb\u200bc\x9bd\ud800e\ufe0ff\u034fg\U000e0100") == "a�b�c�d�e�f�g�"


def test_in_a_grid_a_mark_has_no_cell_of_its_own() -> None:
    """Where there is one character for letter and accent it is shown; other marks are told."""
    assert inert("jose\u0301") == "josé"
    assert inert("हिन्दी") == "ह�न�द�"


def test_a_complaint_is_one_inert_line(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sentence may have another process's name in it, or nginx's words."""

    async def run_lab(*_: object) -> None:
        raise NotReadyError(f"Port 70 is taken by {HOSTILE} (PID 1).")

    monkeypatch.setattr("lab.commandline.run.run_lab", run_lab)
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

    monkeypatch.setattr("lab.commandline.doctor.examine", examine)
    assert lablb("doctor").out == f"✗ Port 70 is taken by {HARMLESS}\n"
