"""The command line: what lab it describes, and what it refuses."""

import pytest

from lab.config import BackendSpec
from tests.unit.conftest import Command


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


COMMANDS: list[list[str]] = [[], ["run"], ["config"], ["doctor"], ["predict"]]
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
    *(([*command, "--algorithm", "ip_hash", "--backups", "1"], "refuses backups with ip_hash") for command in COMMANDS),
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


def test_a_header_without_a_colon_is_refused(lablb: Command) -> None:
    """It would be sent with an empty value, which nobody meant."""
    said = lablb("run", "-H", "foo")
    assert said.code == 2
    assert "'foo' is no header: write it like 'X-Name: value'" in said.err
