"""How far a comparison is, on stderr."""

import io
import os
import termios

import pytest

from lab.comparison.telling import told_runs


class Terminal(io.StringIO):
    """A terminal of one line, which remembers each that it showed."""

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> list[str]:
        """What stood in the line whenever something was written; spaces are nothing."""
        lines, line = [], ""
        for part in self.getvalue().split("\r"):
            line = part + line[len(part) :]
            lines.append(line.rstrip())
        return [line for number, line in enumerate(lines) if line or number == len(lines) - 1]


def test_on_a_terminal_one_line_is_written_anew_and_goes_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each second tells what is left, and a shorter text leaves nothing of the longer one."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with told_runs() as tell_run:
        for seconds_left in (10.2, 10.1, 9.4):
            tell_run(1, 2, "round robin", seconds_left)
        tell_run(2, 2, "random", None)
    assert "\n" not in terminal.getvalue()
    assert terminal.shown == [
        "lablb: run 1 of 2, round robin, 10 s left",
        "lablb: run 1 of 2, round robin, 9 s left",
        "lablb: run 2 of 2, random",
        "",
    ]


def test_a_line_is_no_wider_than_its_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would go on in the next one, which nothing takes back; and it goes when something fails, too."""
    terminal = Terminal()
    ends = os.openpty()
    termios.tcsetwinsize(ends[1], (24, 20))
    monkeypatch.setattr(terminal, "fileno", lambda: ends[1])
    monkeypatch.setattr("sys.stderr", terminal)

    def be_interrupted() -> None:
        with told_runs() as tell_run:
            tell_run(1, 2, "round robin", 10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        be_interrupted()
    for end in ends:
        os.close(end)
    assert terminal.shown == ["lablb: run 1 of 2,", ""]


def test_elsewhere_each_run_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A log isn't filled with seconds."""
    with told_runs() as tell_run:
        for seconds_left in (10.2, 9.4):
            tell_run(1, 2, "round robin", seconds_left)
        tell_run(2, 2, "random", None)
    assert capsys.readouterr().err == "lablb: run 1 of 2, round robin, 10 s left\nlablb: run 2 of 2, random\n"
