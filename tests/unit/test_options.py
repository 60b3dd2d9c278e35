"""The command line, its variables and its file: what lab they describe, and what they refuse."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lab import __version__
from lab.cli import main
from lab.config import BackendSpec, LabConfig, TrafficSpec
from lab.errors import NotReadyError
from lab.ledger import Ledger
from lab.models import BackendState, BackendView, NginxView, TrafficView
from lab.ports import Ports
from lab.report import Report

REPORT = Report(
    algorithm="round_robin",
    nginx=NginxView("1.31.3", "bundled", 70),
    nginx_path="/opt/nginx",
    workers=1,
    plan=TrafficSpec(rate_rps=20),
    traffic=TrafficView(target_rps=20.0, sent=1, answered=1),
    backends=(BackendView(71, BackendState.UP, 2752),),
    ledger=Ledger(),
    duration_seconds=1.0,
)


@dataclass
class Said:
    """What the command said, and how it ended."""

    code: int
    out: str
    err: str
    config: LabConfig | None
    """Of the lab that would have run."""

    @property
    def lab(self) -> LabConfig:
        assert self.config is not None, f"no lab was run: {self.err}"
        return self.config


Command = Callable[..., Said]


@pytest.fixture
def lablb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """The command in this process, with a lab that doesn't run and a user who has no configuration."""
    asked: list[LabConfig] = []

    async def run_lab(config: LabConfig, *_: Any) -> Report:
        asked.append(config)
        return REPORT

    monkeypatch.setattr("lab.run.run_lab", run_lab)
    monkeypatch.setattr("lab.cli.choose_ports", lambda config: Ports(config.preferred_ports[0], ()))
    monkeypatch.setattr("lab.cli.why_root_stays", lambda *, keeps_root: None)
    monkeypatch.setattr("lab.options.platformdirs.user_config_path", lambda name: tmp_path / "home" / name)

    def command(*arguments: str) -> Said:
        asked.clear()
        monkeypatch.setattr("sys.argv", ["lablb", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        spoken = capsys.readouterr()
        code = end.value.code
        return Said(int(code or 0), spoken.out, spoken.err, asked[0] if asked else None)

    return command


def config_file(folder: Path, text: str) -> str:
    path = folder / "lab.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_run_without_options_is_a_thousand_requests_one_after_the_other(lablb: Command) -> None:
    """A closed loop with one connection, and otherwise the default lab."""
    lab = lablb("run").lab
    assert (lab.traffic.requests, lab.traffic.rate_rps, lab.traffic.connections) == (1000, None, None)
    assert lab.backends == (BackendSpec(),) * 5
    assert (lab.algorithm, lab.port, lab.base_port, lab.nginx) == ("round_robin", None, None, "bundled")


def test_every_option_reaches_the_lab(lablb: Command) -> None:
    """Long names and hey's letters."""
    lab = lablb(
        *("run", "--algorithm", "least_conn", "--backends", "3", "--weights", "5,2,1", "--backups", "1"),
        *("--max-fails", "2", "--fail-timeout", "30s", "--service-time", "20ms", "--capacity", "4", "--restart"),
        *("--port", "9000", "--base-port", "9001", "--nginx", "/opt/nginx", "--nginx-workers", "2"),
        *("-n", "50", "-c", "8", "-z", "2m", "-q", "12.5", "--timeout", "1s", "--next-upstream", "http_500 error"),
    ).lab
    assert lab.algorithm == "least_conn"
    assert lab.retry_rules == ("error", "http_500")
    assert lab.backends == (
        BackendSpec(5, False, False, 2, 30),
        BackendSpec(2, False, False, 2, 30),
        BackendSpec(1, False, True, 2, 30),
    )
    assert (lab.behaviour.service_time_ms, lab.behaviour.capacity, lab.restart) == (20.0, 4, True)
    assert (lab.port, lab.base_port, lab.nginx, lab.nginx_workers) == (9000, 9001, "/opt/nginx", 2)
    traffic = lab.traffic
    assert (traffic.requests, traffic.connections, traffic.duration_seconds) == (50, 8, 120.0)
    assert (traffic.rate_rps, traffic.timeout_seconds) == (12.5, 1.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("5s", 5), ("2m", 120), ("1h", 3600), ("7", 7), ("1.5s", 1.5), ("0.25m", 15)],
)
def test_durations_are_read_as_people_write_them(lablb: Command, text: str, seconds: float) -> None:
    """A number and a unit; without a unit it is seconds."""
    assert lablb("run", "-z", text).lab.traffic.duration_seconds == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "5 parsecs", "-5s", "1e3", "nan", "inf", "5s5", "5S"])
def test_what_is_no_duration_is_refused_with_an_example(lablb: Command, text: str) -> None:
    """The sentence shows how to write one."""
    said = lablb("run", "-z", text)
    assert said.code == 2
    assert "write it like 500ms, 5s or 2m" in said.err


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("off", ()),
        ("error timeout", ("error", "timeout")),
        ("http_503,timeout", ("timeout", "http_503")),
        ("non_idempotent error error", ("error", "non_idempotent")),
    ],
)
def test_retry_rules_are_given_in_nginxs_words(lablb: Command, text: str, rules: tuple[str, ...]) -> None:
    """In any order, with spaces or commas; `off` is none."""
    assert lablb("run", "--next-upstream", text).lab.retry_rules == rules


def test_retry_rules_of_a_file_may_be_an_array(lablb: Command, tmp_path: Path) -> None:
    """As TOML has it."""
    path = config_file(tmp_path, 'next-upstream = ["http_500", "error"]')
    assert lablb("--config", path, "run").lab.retry_rules == ("error", "http_500")


def test_faults_are_planned_on_the_command_line_or_in_the_file(lablb: Command, tmp_path: Path) -> None:
    """The option is repeated, the file has an array; the order stays."""
    plan = ("kill:73@2s", "slow:72:300ms@3s..6s")
    assert [fault.text for fault in lablb("run", "--fault", plan[0], "--fault", plan[1]).lab.faults] == list(plan)
    path = config_file(tmp_path, 'fault = ["kill:73@2s", "slow:72:300ms@3s..6s"]\n')
    assert [fault.text for fault in lablb("--config", path, "run").lab.faults] == list(plan)
    assert lablb("run").lab.faults == ()


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("boom:71@1s", "'boom:71@1s' begins with no fault"),
        ("errors:71:200@1s", "200 is no error's status"),
        ("kill:79@1s", "'kill:79@1s' is for a backend that isn't there: the lab has 71 to 75."),
    ],
)
@pytest.mark.parametrize("command", [("run",), ()], ids=["run", "dashboard"])
def test_a_fault_that_cant_be_is_a_usage_error(
    lablb: Command, command: tuple[str, ...], fault: str, complaint: str
) -> None:
    """One line and exit code 2, before anything starts."""
    said = lablb(*command, "--fault", fault)
    assert said.code == 2
    assert complaint in said.err
    assert said.err.count("\n") == 1


def test_a_duration_ends_a_run_without_a_number_of_requests(lablb: Command) -> None:
    """The thousand are for runs that have no end."""
    assert lablb("run", "-z", "5s").lab.traffic.requests is None


def test_as_many_backends_as_weights(lablb: Command) -> None:
    """Weights alone say how many there are."""
    assert [spec.weight for spec in lablb("run", "--weights", "5,1,1").lab.backends] == [5, 1, 1]


REFUSED = [
    (["run", "-n", "0"], "requests of 0"),
    (["run", "-n", "-3"], "requests of -3"),
    (["run", "-n", "many"], "'many'"),
    (["run", "-n", "1.5"], "'1.5'"),
    (["run", "-c", "0"], "connections of 0"),
    (["run", "-q", "0"], "rate of 0"),
    (["run", "-q", "-1"], "rate of -1"),
    (["run", "-q", "nan"], "rate of nan"),
    (["run", "-q", "fast"], "'fast'"),
    (["run", "-z", "0s"], "duration of 0"),
    (["run", "--timeout", "0s"], "timeout of 0"),
    (["run", "--weights", "5,1", "--backends", "3"], "2 weights don't fit 3 backends"),
    (["run", "--weights", "5,0"], "weight of 0"),
    (["run", "--weights", "5,-1"], "weight of -1"),
    (["run", "--weights", "5,x"], "whole numbers like 5,1,1"),
    (["run", "--weights", ""], "whole numbers like 5,1,1"),
    (["run", "--weights", "1.5,1"], "whole numbers like 5,1,1"),
    (["run", "--backends", "0"], "0 backends"),
    (["run", "--backends", "-1"], "-1 backends"),
    (["run", "--backends", "70000"], "ports end at 65535"),
    (["run", "--backups", "5"], "no backup"),
    (["run", "--backups", "6"], "6 of 5 backends"),
    (["run", "--backups", "-1"], "-1 of 5 backends"),
    (["run", "--algorithm", "fastest"], "'round_robin', 'least_conn'"),
    (["run", "--port", "0"], "no port 0"),
    (["run", "--port", "70000"], "no port 70000"),
    (["run", "--port", "http"], "'http'"),
    (["run", "--port", "9003", "--base-port", "9001"], "port 9003 lies among the backends' ports 9001-9005"),
    (["run", "--base-port", "65534"], "ports end at 65535"),
    (["run", "--nginx-workers", "0"], "0 nginx workers"),
    (["run", "--capacity", "0"], "capacity of 0"),
    (["run", "--service-time", "fast"], "500ms"),
    (["run", "--service-time", "20"], "write it like 20ms or 20s"),
    (["run", "--ramp", "10:5"], "write it like 10:500:30s"),
    (["run", "--next-upstream", "error http_418"], "no retry rule 'http_418'"),
    (["run", "--next-upstream", "off error"], "no retry rule 'off'"),
    (["run", "--next-upstream", ""], "need a word"),
    (["run", "--fail-timeout", "500ms"], "whole seconds"),
    (["run", "--fail-timeout", "0s"], "fail timeout of 0"),
    (["run", "--max-fails", "-1"], "max_fails of -1"),
    (["run", "--format", "xml"], "'xml'"),
    (["run", "--speed", "5"], "--speed"),
    (["run", "now"], "now"),
    (["walk"], "walk"),
    (["completion", "tcsh"], "'tcsh'"),
]


@pytest.mark.parametrize(("arguments", "part"), REFUSED, ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_what_makes_no_sense_is_one_line_and_exit_code_2(lablb: Command, arguments: list[str], part: str) -> None:
    """Nothing runs, nothing goes to stdout, and the sentence names what is wrong."""
    said = lablb(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("lablb: ")
    assert said.err.count("\n") == 1
    assert part in said.err
    assert said.config is None


def test_options_before_the_command_are_refused_with_their_right_place(lablb: Command) -> None:
    """They would describe the dashboard, and be lost without a word."""
    said = lablb("--algorithm", "random", "-n", "5", "run")
    assert said.code == 2
    assert "Write --algorithm, --requests behind the command: lablb run --algorithm" in said.err


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("LABLB_ALGORITHM", "ip_hash", lambda lab: lab.algorithm == "ip_hash"),
        ("LABLB_BACKENDS", "2", lambda lab: len(lab.backends) == 2),
        ("LABLB_WEIGHTS", "3,1", lambda lab: [spec.weight for spec in lab.backends] == [3, 1]),
        ("LABLB_PORT", "9000", lambda lab: lab.port == 9000),
        ("LABLB_BASE_PORT", "9001", lambda lab: lab.base_port == 9001),
        ("LABLB_NGINX", "system", lambda lab: lab.nginx == "system"),
        ("LABLB_NGINX_WORKERS", "3", lambda lab: lab.nginx_workers == 3),
        ("LABLB_SERVICE_TIME", "20ms", lambda lab: lab.behaviour.service_time_ms == 20),
        ("LABLB_CAPACITY", "1", lambda lab: lab.behaviour.capacity == 1),
        ("LABLB_RESTART", "1", lambda lab: lab.restart),
        ("LABLB_TIMEOUT", "9s", lambda lab: lab.traffic.timeout_seconds == 9),
        ("LABLB_REQUESTS", "7", lambda lab: lab.traffic.requests == 7),
        ("LABLB_CONNECTIONS", "8", lambda lab: lab.traffic.connections == 8),
        ("LABLB_DURATION", "3s", lambda lab: lab.traffic.duration_seconds == 3),
        ("LABLB_RATE", "40", lambda lab: lab.traffic.rate_rps == 40),
        ("LABLB_KEEP_ROOT", "1", lambda lab: lab.keep_root),
        ("LABLB_FAULT", "kill:73@2s refuse:#1@1s", lambda lab: len(lab.faults) == 2),
    ],
)
def test_each_option_has_its_variable(
    lablb: Command, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, read: Callable[[LabConfig], bool]
) -> None:
    """LABLB_ and the option's long name."""
    monkeypatch.setenv(variable, value)
    assert read(lablb("run").lab)


def test_a_variable_before_a_command_isnt_a_misplaced_option(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It describes every command."""
    monkeypatch.setenv("LABLB_RATE", "40")
    assert lablb("run").lab.traffic.rate_rps == 40


def test_a_bad_variable_is_refused_like_a_bad_option(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, exit code 2."""
    monkeypatch.setenv("LABLB_BACKENDS", "several")
    said = lablb("run")
    assert said.code == 2
    assert "'several'" in said.err
    assert said.err.count("\n") == 1


def test_the_command_line_beats_variables_beat_the_file_beats_defaults(
    lablb: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each of four options is decided by another one of them."""
    path = config_file(tmp_path, 'algorithm = "random"\nbackends = 2\nnginx = "system"\n')
    monkeypatch.setenv("LABLB_ALGORITHM", "ip_hash")
    monkeypatch.setenv("LABLB_BACKENDS", "3")
    lab = lablb("--config", path, "run", "--algorithm", "least_conn").lab
    assert lab.algorithm == "least_conn"
    assert len(lab.backends) == 3
    assert lab.nginx == "system"
    assert lab.nginx_workers == 1


def test_the_file_may_give_every_kind_of_value(lablb: Command, tmp_path: Path) -> None:
    """Dashes or underscores, arrays for weights, figures or texts for durations."""
    path = config_file(
        tmp_path,
        "weights = [5, 1, 1]\nbase-port = 9001\nnginx_workers = 2\n"
        'service-time = "20ms"\nduration = 7\nrestart = true\n',
    )
    lab = lablb("--config", path, "run").lab
    assert [spec.weight for spec in lab.backends] == [5, 1, 1]
    assert (lab.base_port, lab.nginx_workers, lab.restart) == (9001, 2, True)
    assert (lab.behaviour.service_time_ms, lab.traffic.duration_seconds) == (20, 7)


def test_the_users_own_file_is_read_without_being_named(lablb: Command, tmp_path: Path) -> None:
    """It is config.toml in lablb's folder of the user's configuration."""
    folder = tmp_path / "home" / "lablb"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('algorithm = "hash"\n')
    assert lablb("run").lab.algorithm == "hash"


def test_the_file_describes_the_dashboard_too(lablb: Command, tmp_path: Path) -> None:
    """A value that makes no sense shows that it was read, before the terminal is looked at."""
    said = lablb("--config", config_file(tmp_path, "rate = 0\n"))
    assert said.code == 2
    assert "rate of 0" in said.err


def test_the_file_describes_comparisons_too(lablb: Command, tmp_path: Path) -> None:
    """Though their command is imported only when it is asked for."""
    said = lablb("--config", config_file(tmp_path, "port = 0\n"), "compare")
    assert said.code == 2
    assert "no port 0" in said.err


def test_a_variable_can_name_the_file(lablb: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """LABLB_CONFIG."""
    monkeypatch.setenv("LABLB_CONFIG", config_file(tmp_path, "rate = 33\n"))
    assert lablb("run").lab.traffic.rate_rps == 33


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("algoritm = 'random'", "unknown option 'algoritm'"),
        ("[run]\nrate = 5", "unknown option 'run'"),
        ("output = 'report.json'", "unknown option 'output'"),
        ("rate = ", "can't be read"),
        ("rate = 'fast'", "'fast'"),
        ("weights = 5", "whole numbers like 5,1,1"),
        ("weights = [1.5, 1]", "whole numbers like 5,1,1"),
        ("algorithm = 'fastest'", "'fastest'"),
        ("backends = 0", "0 backends"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(lablb: Command, tmp_path: Path, text: str, part: str) -> None:
    """One line that says what is wrong, and exit code 2."""
    said = lablb("--config", config_file(tmp_path, text), "run")
    assert said.code == 2
    assert part in said.err
    assert said.err.count("\n") == 1
    assert said.config is None


def test_a_file_that_isnt_there_is_refused_when_it_was_named(lablb: Command, tmp_path: Path) -> None:
    """Nobody names a file to have it passed over."""
    said = lablb("--config", str(tmp_path / "none.toml"), "run")
    assert said.code == 2
    assert "There is no configuration file" in said.err


@pytest.mark.parametrize("name", ["folder", "binary"])
def test_a_file_that_cant_be_read_is_refused(lablb: Command, tmp_path: Path, name: str) -> None:
    """A folder, or bytes that are no text."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    said = lablb("--config", str(tmp_path / name), "run")
    assert said.code == 2
    assert "can't be read" in said.err


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

    monkeypatch.setattr("lab.run.run_lab", run_lab)
    monkeypatch.setattr("lab.cli.choose_ports", lambda config: Ports(config.preferred_ports[0], ()))
    said = lablb("run")
    assert said.code == 130
    assert "interrupted" in said.out


def test_a_run_without_a_single_answer_has_failed(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report is there all the same, and the exit code is 1."""

    async def run_lab(*_: Any) -> Report:
        return replace(REPORT, traffic=replace(REPORT.traffic, answered=0, failed=1))

    monkeypatch.setattr("lab.run.run_lab", run_lab)
    monkeypatch.setattr("lab.cli.choose_ports", lambda config: Ports(config.preferred_ports[0], ()))
    said = lablb("run")
    assert said.code == 1
    assert said.out != ""
    assert said.err == "lablb: No request was answered.\n"


def test_a_variable_gives_one_header_a_line(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values have spaces."""
    monkeypatch.setenv("LABLB_HEADER", "X-One: a b: c\n\nX-Two:\n")
    assert lablb("run").lab.traffic.request.headers == (("X-One", "a b: c"), ("X-Two", ""))


def test_a_header_without_a_colon_is_refused(lablb: Command) -> None:
    """It would be sent with an empty value, which nobody meant."""
    said = lablb("run", "-H", "foo")
    assert said.code == 2
    assert "'foo' is no header: write it like 'X-Name: value'" in said.err


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

    monkeypatch.setattr("lab.run.run_lab", run_lab)
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
