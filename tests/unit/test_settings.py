"""What variables and a file say of the lab, which beats which, and what of it is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.config import LabConfig
from tests.unit.conftest import Command


def config_file(folder: Path, text: str) -> str:
    path = folder / "lab.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


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


def test_a_service_time_needs_its_unit_in_the_file_too(lablb: Command, tmp_path: Path) -> None:
    """20 would be 20 s, and hardly ever is meant so."""
    said = lablb("--config", config_file(tmp_path, "service_time = 20\n"), "run")
    assert said.code == 2
    assert "20 has no unit: write it like 20ms or 20s." in said.err


def test_what_is_out_of_reach_is_told_in_a_sentence(
    lablb: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of a folder that this user may not look into Python can't even say whether a file is there."""

    def refuse(*_: object, **__: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    said = lablb("run", "-o", tmp_path / "report.json")
    assert said.code == 3
    assert "report.json can't be written (Permission denied): give another file with -o." in said.err


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


def test_a_variable_gives_one_header_a_line(lablb: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values have spaces."""
    monkeypatch.setenv("LABLB_HEADER", "X-One: a b: c\n\nX-Two:\n")
    assert lablb("run").lab.traffic.request.headers == (("X-One", "a b: c"), ("X-Two", ""))
