"""What the command says, where it says it, and how it ends."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import __version__
from lab.commandline.report import Report
from lab.errors import NotReadyError
from lab.machine.ports import Ports
from tests.unit.conftest import REPORT, Command


def test_the_dashboard_without_a_terminal_points_to_run(lablb: Command) -> None:
    """Exit code 3, and no traceback of Textual's."""
    said = lablb()
    assert said.code == 3
    assert said.err == "lablb: The dashboard needs a terminal: use lablb run for a report without one.\n"


def test_the_report_goes_to_the_file_that_was_named(lablb: Command, tmp_path: Path) -> None:
    """And stdout stays empty."""
    path = tmp_path / "report.json"
    said = lablb("run", "--format", "json", "-o", str(path))
    assert (said.code, said.out) == (0, "")
    assert path.read_text() == REPORT.as_json()


@pytest.mark.parametrize("format_", ["text", "json", "csv"])
def test_the_report_alone_goes_to_stdout(lablb: Command, format_: str) -> None:
    """To the byte, so that a program can read it."""
    expected = {"text": REPORT.as_text(), "json": REPORT.as_json(), "csv": REPORT.as_csv()}[format_]
    assert lablb("run", "--format", format_).out == expected


def test_a_file_that_cant_be_written_is_refused_before_anything_runs(lablb: Command, tmp_path: Path) -> None:
    """Nobody wants to learn that after a long run."""
    (tmp_path / "file").write_text("")
    said = lablb("run", "-o", str(tmp_path / "file" / "report.json"))
    assert said.code == 3
    assert "can't be written" in said.err
    assert said.config is None


@pytest.mark.parametrize(
    "command", [[], ["run"], ["doctor"], ["config"], ["completion"]], ids=lambda words: "-".join(words) or "lablb"
)
def test_help_shows_examples(lablb: Command, command: list[str]) -> None:
    """Each command's help ends with lines that can be typed."""
    said = lablb(*command, "--help")
    assert said.code == 0
    assert "lablb" in said.out.partition("Usage:")[2]
    if command != ["doctor"]:
        assert "Example" in said.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_for_the_command_by_its_name(lablb: Command, shell: str) -> None:
    """The script completes `lablb`, whatever it was called as."""
    said = lablb("completion", shell)
    assert said.code == 0
    assert "lablb" in said.out
    assert "_LABLB_COMPLETE" in said.out


def test_the_version_is_told(lablb: Command) -> None:
    """Of the package, in one line."""
    said = lablb("--version")
    assert (said.code, said.out) == (0, f"lablb, version {__version__}\n")


def test_a_run_that_moved_to_other_ports_says_so(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """On stderr, with the command that would allow the article's ports."""
    monkeypatch.setattr("lab.cli.choose_ports", lambda _: Ports(8070, (8071,), "nginx is at 8070; to have 70: sudo x"))
    assert "lablb: nginx is at 8070; to have 70: sudo x\n" in lablb("run").err


def test_a_run_that_was_interrupted_reports_and_ends_with_130(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it measured isn't thrown away."""

    async def run_lab(*_: Any) -> Report:
        return replace(REPORT, is_interrupted=True)

    monkeypatch.setattr("lab.commandline.run.run_lab", run_lab)
    monkeypatch.setattr("lab.cli.choose_ports", lambda config: Ports(config.preferred_ports[0], ()))
    said = lablb("run")
    assert said.code == 130
    assert "interrupted" in said.out


@pytest.mark.parametrize("command", ["run", "predict"])
def test_who_interrupts_before_there_is_anything_to_report_sees_no_traceback(
    lablb: Command, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """130, and not a word."""

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("lab.commandline.run.run_lab", interrupted)
    monkeypatch.setattr("lab.commandline.predict.foretell", interrupted)
    monkeypatch.setattr("lab.cli.choose_ports", lambda config: Ports(config.preferred_ports[0], ()))
    said = lablb(command)
    assert (said.code, said.out, said.err.strip()) == (130, "", "")


def test_a_run_without_a_single_answer_has_failed(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report is there all the same, and the exit code is 1."""

    async def run_lab(*_: Any) -> Report:
        return replace(REPORT, traffic=replace(REPORT.traffic, answered=0, failed=1))

    monkeypatch.setattr("lab.commandline.run.run_lab", run_lab)
    monkeypatch.setattr("lab.cli.choose_ports", lambda config: Ports(config.preferred_ports[0], ()))
    said = lablb("run")
    assert said.code == 1
    assert said.out != ""
    assert said.err == "lablb: No request was answered.\n"


def test_variables_say_where_and_how_to_report_too(
    lablb: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As every option's."""
    monkeypatch.setenv("LABLB_FORMAT", "csv")
    monkeypatch.setenv("LABLB_OUTPUT", str(tmp_path / "report"))
    assert lablb("run").out == ""
    assert (tmp_path / "report").read_text().startswith("algorithm,port,")


def test_a_run_that_fails_leaves_no_empty_report(
    lablb: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And one that was there before stays as it was."""

    async def run_lab(*_: Any) -> Report:
        raise NotReadyError("no nginx")

    monkeypatch.setattr("lab.commandline.run.run_lab", run_lab)
    old = tmp_path / "old.json"
    old.write_text("{}")
    assert lablb("run", "-o", str(tmp_path / "new.json")).code == 3
    assert lablb("run", "-o", str(old)).code == 3
    assert not (tmp_path / "new.json").exists()
    assert old.read_text() == "{}"


def test_a_report_that_the_disk_refuses_is_printed(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk may have filled up while it was measured."""

    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    said = lablb("run", "-o", "report.txt")
    assert said.code == 1
    assert "ledger" in said.out
    assert (
        said.err == "lablb: report.txt can't be written (No space left on device): the report is on stdout instead.\n"
    )
