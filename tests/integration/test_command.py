"""The command `lablb` from end to end: reports, exit codes, and one sentence when something is wrong."""

import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lab.nginx.binary import find_nginx
from tests.integration.conftest import Place
from tests.integration.facts import HOST, LABLB, lablb


def told_in_one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    """What the command complained of, once it is sure that it did so as it should."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("lablb: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_run_reports_in_json_on_stdout_alone(place: Place, nginx: str) -> None:
    """The contract's object, five PIDs, a fifth of the hits for each, and a balanced ledger."""
    done = lablb("run", "-n", 100, "--format", "json", "--nginx", nginx, *place.port_options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["url"] == f"http://127.0.0.1:{place.port}/"
    assert report["loop"] == "closed"
    assert (report["requests"]["sent"], report["requests"]["answered"], report["requests"]["failed"]) == (100, 100, 0)
    assert [backend["hits"] for backend in report["backends"]] == [20] * 5
    assert len({backend["pid"] for backend in report["backends"]}) == 5
    assert [backend["port"] for backend in report["backends"]] == list(range(place.base_port, place.base_port + 5))
    assert sum(backend["latency_ms"]["count"] for backend in report["backends"]) == report["latency_ms"]["count"] == 100
    assert report["ledger"]["balanced"] is True
    assert report["ledger"]["backends_served"] == 100
    assert Path(report["nginx"]["path"]).is_file()


def test_a_run_writes_csv_into_a_file(place: Place, tmp_path: Path) -> None:
    """With -o nothing goes to stdout."""
    path = tmp_path / "report.csv"
    done = lablb("run", "-n", 10, "--backends", 2, "--format", "csv", "-o", path, *place.port_options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [(row["port"], row["hits"]) for row in rows] == [
        (str(place.base_port), "5"),
        (str(place.base_port + 1), "5"),
        ("all", "10"),
    ]


def test_an_open_loop_for_some_time_is_reported_as_text(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for and what came of it, with the variable's algorithm."""
    monkeypatch.setenv("LABLB_ALGORITHM", "least_conn")
    done = lablb("run", "-z", "500ms", "-q", 40, "--backends", 2, *place.port_options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("least_conn on nginx ")
    assert "open loop, 40 req/s" in done.stdout
    assert "ledger  ✓ all agree" in done.stdout


def test_faults_by_the_clock_are_reported_as_they_were_injected(place: Place) -> None:
    """At their seconds; the ledger balances, and nobody but the cut and refused requests has failed."""
    first, second, third = range(place.base_port, place.base_port + 3)
    done = lablb(
        *("run", "-z", "2s", "-q", "100", "--backends", "3", "--format", "json", *place.port_options),
        *("--fault", f"kill:{first}@300ms..1s", "--fault", "slow:#2:50ms@500ms..1.2s"),
        *("--fault", f"errors:{third}:503:50%@1.4s", "--fault", "refuse:#1@1m"),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [(fault["port"], fault["fault"]) for fault in report["faults"]] == [
        (first, "killed"),
        (second, "slow 50 ms"),
        (third, "errors 503, 50 %"),
        (first, "refuses"),
    ]
    assert [fault["error"] for fault in report["faults"]] == [None] * 4
    kill, slow, errors, refuse = report["faults"]
    assert 0.3 <= kill["at_s"] < kill["until_s"]
    assert 0.5 <= slow["at_s"] < 1.2 <= slow["until_s"]
    assert errors["at_s"] >= 1.4
    assert (errors["until_s"], refuse["at_s"]) == (None, None)
    assert [backend["state"] for backend in report["backends"]] == ["up"] * 3
    assert set(report["requests"]["errors"]) == {"http_503"}
    assert report["ledger"]["balanced"] is True


def test_a_fault_of_a_backend_that_isnt_there_is_a_usage_error(place: Place) -> None:
    """Exit code 2, and the ports that there are."""
    complaint = told_in_one_line(lablb("run", "--fault", "kill:79@1s", *place.port_options), 2)
    last = place.base_port + 4
    assert f"is for a backend that isn't there: the lab has {place.base_port} to {last}." in complaint


def test_two_labs_on_different_ports_run_side_by_side(place: Place) -> None:
    """Neither sweeps the other away."""
    labs = [("--port", str(place.port + n), "--base-port", str(place.port + n + 1)) for n in (0, 3)]
    command = [str(LABLB), "run", "-n", "60", "--backends", "2", "--format", "json"]
    with (
        subprocess.Popen([*command, *labs[0]], stdout=subprocess.PIPE, text=True) as first,
        subprocess.Popen([*command, *labs[1]], stdout=subprocess.PIPE, text=True) as second,
    ):
        reports = [json.loads(process.communicate(timeout=45)[0]) for process in (first, second)]
    assert [report["requests"]["failed"] for report in reports] == [0, 0]
    assert [report["ledger"]["balanced"] for report in reports] == [True, True]


def test_a_busy_port_names_the_process_that_holds_it(place: Place) -> None:
    """Exit code 3; nginx's port and a backend's, each with the option that chooses another."""
    me = f"{psutil.Process().name()} (PID {os.getpid()})"
    for port, option in ((place.port, "--port"), (place.base_port + 3, "--base-port")):
        with socket.create_server((HOST, port)):
            complaint = told_in_one_line(lablb("run", "-n", 5, *place.port_options), 3)
        assert f"Port {port} is taken by {me}: end that, or give another {option}." in complaint


def test_no_nginx_where_it_was_said_to_be(place: Place, tmp_path: Path) -> None:
    """Exit code 3 and what else to try; a file that isn't nginx is no better."""
    complaint = told_in_one_line(lablb("run", "--nginx", tmp_path / "nginx", *place.port_options), 3)
    assert f"There is no nginx at {tmp_path / 'nginx'}: use --nginx bundled" in complaint
    complaint = told_in_one_line(lablb("run", "--nginx", sys.executable, *place.port_options), 3)
    assert "doesn't say that it is nginx" in complaint
    (tmp_path / "nginx").write_text("no program")
    complaint = told_in_one_line(lablb("run", "--nginx", tmp_path / "nginx", *place.port_options), 3)
    assert "doesn't run" in complaint


def test_no_system_nginx_is_told_with_the_remedy(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is one after all, it is used, although PATH doesn't lead to it."""
    monkeypatch.setenv("PATH", str(place.folder))
    done = lablb("run", "-n", 5, "--nginx", "system", *place.port_options)
    if shutil.which("nginx", path="/usr/sbin:/usr/local/sbin"):
        assert done.returncode == 0, done.stderr
    else:
        assert "There is no nginx on PATH: install one, or use --nginx bundled." in told_in_one_line(done, 3)


async def test_a_configuration_that_nginx_refuses_is_told_in_nginxs_words(place: Place) -> None:
    """Exit code 1; no options are known that lead to one, so this nginx refuses whatever the lab has it test."""
    real = (await find_nginx("bundled")).path
    picky = place.folder / "nginx"
    picky.write_text(
        f"""#!/bin/sh
case "$*" in *"-c nginx.conf -t"*) echo "nginx: [emerg] unknown directive \\"x\\" in nginx.conf:1"; exit 1 ;; esac
exec "{real}" "$@"
"""
    )
    picky.chmod(0o755)
    complaint = told_in_one_line(lablb("run", "--nginx", picky, *place.port_options), 1)
    assert complaint == 'lablb: nginx refused the configuration: unknown directive "x" in nginx.conf:1\n'


def test_a_usage_error_is_one_line_and_exit_code_2(place: Place) -> None:
    """From the installed command as well."""
    complaint = told_in_one_line(lablb("run", "-n", "0", *place.port_options), 2)
    assert "requests of 0" in complaint
    complaint = told_in_one_line(lablb("run", "--algorithm", "fastest"), 2)
    assert "round_robin" in complaint


def test_without_a_terminal_the_dashboard_points_to_run() -> None:
    """Exit code 3."""
    assert "use lablb run" in told_in_one_line(lablb(), 3)


def test_an_output_that_cant_be_written_is_refused_at_once(place: Place, tmp_path: Path) -> None:
    """A path below a file can't be written by anybody, root included."""
    (tmp_path / "file").write_text("")
    complaint = told_in_one_line(lablb("run", "-o", tmp_path / "file" / "report", *place.port_options), 3)
    assert "can't be written" in complaint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's device that is always full")
@pytest.mark.parametrize("command", ["predict", "config", "run"])
def test_a_stdout_that_cant_be_written_is_a_sentence(place: Place, command: str) -> None:
    """A report into a full disk by the shell's `>`: no traceback, and none from Python's last flush either."""
    arguments = ["-n", "2"] if command == "run" else []
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [str(LABLB), command, *arguments, *place.port_options],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=45,
            check=False,
        )
    told = "lablb: stdout can't be written (No space left on device).\n"
    assert (done.returncode, done.stderr) == (1, told)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_runtime_folder_that_cant_be_written_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no other folder for temporary files either; else that one is used."""
    place.runtime.chmod(0o500)
    try:
        done = lablb("run", "-n", 5, *place.port_options)
    finally:
        place.runtime.chmod(0o700)
    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr


NO_TEMPORARY_FOLDER = """
import sys, tempfile
tempfile.tempdir = sys.argv.pop(1)
from lab.cli import main
main()
"""


@pytest.mark.parametrize("command", [["run", "-n", "5"], ["doctor"], ["config"]], ids=lambda words: words[0])
def test_no_folder_for_temporary_files_is_told_in_one_line(place: Place, tmp_path: Path, command: list[str]) -> None:
    """As in a container whose /tmp is read-only: whatever needs one says so and how to mend it."""
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", NO_TEMPORARY_FOLDER, str(tmp_path / "file"), *command, *place.port_options],
        capture_output=True,
        text=True,
        timeout=45,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 3
    assert "TMPDIR" in done.stdout + done.stderr


def test_the_doctor_finds_a_machine_ready(place: Place) -> None:
    """Python, nginx, ports, the runtime folder, the terminal: one line each, and exit code 0."""
    done = lablb("doctor", *place.port_options)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert (
        any(re.fullmatch(r"✓ nginx \d+\.\d+\.\d+ \(bundled\): .*", line) for line in lines) or sys.platform != "linux"
    )
    assert f"✓ ports {place.port} and {place.base_port}-{place.base_port + 4} are free" in lines
    assert f"✓ runtime files go to {place.runtime}" in lines
    assert not [line for line in lines if line.startswith("✗")]
    place.wait_until_empty()


def test_the_doctor_finds_what_is_wrong_and_goes_on(place: Place, tmp_path: Path) -> None:
    """No nginx and a busy port are both told, with exit code 3."""
    with socket.create_server((HOST, place.port)):
        done = lablb("doctor", "--nginx", tmp_path / "nginx", *place.port_options)
    assert done.returncode == 3
    bad = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert len(bad) == 2
    assert "There is no nginx at" in bad[0]
    assert f"PID {os.getpid()}" in bad[1]


def written_out(text: str, folder: Path) -> None:
    """Write what `lablb config` printed into the files it names."""
    parts = re.split(r"^# ---- (.+)\n", text, flags=re.MULTILINE)
    assert parts[0] == ""
    for name, content in zip(parts[1::2], parts[2::2], strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


async def test_the_config_that_is_printed_is_one_that_nginx_accepts(place: Place, tmp_path: Path, nginx: str) -> None:
    """Written into the files it names and linked as in the article, `nginx -t` takes it."""
    done = lablb("config", "--nginx", nginx, "--algorithm", "hash_consistent", "--weights", "3,1", *place.port_options)
    assert done.returncode == 0, done.stderr
    assert "hash $request_uri consistent;" in done.stdout
    assert f"server 127.0.0.1:{place.base_port} weight=3;" in done.stdout
    folder = tmp_path / "nginx"
    written_out(done.stdout, folder)
    for name in ("sites-enabled", "temp"):
        (folder / name).mkdir()
    (folder / "sites-enabled" / "lablb.conf").symlink_to(folder / "sites-available" / "lablb.conf")
    binary = await find_nginx(nginx)
    verdict = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [binary.path, *binary.error_log_option, "-p", folder, "-c", "nginx.conf", "-t"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert verdict.returncode == 0, verdict.stderr
    place.wait_until_empty()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_for_lablb(shell: str) -> None:
    """And bash, where there is one, can read its own."""
    done = lablb("completion", shell)
    assert done.returncode == 0, done.stderr
    assert "_LABLB_COMPLETE" in done.stdout
    assert "lablb" in done.stdout
    if shell == "bash" and (bash := shutil.which("bash")):
        subprocess.run([bash, "-n"], input=done.stdout, text=True, check=True, timeout=20)


def test_completion_offers_algorithms(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell asks, the command answers."""
    monkeypatch.setenv("_LABLB_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "lablb run --algorithm least_")
    monkeypatch.setenv("COMP_CWORD", "3")
    done = lablb()
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["plain,least_conn", "plain,least_time"]


def test_a_reader_that_goes_away_is_no_traceback(place: Place) -> None:
    """`lablb config | head -1`, say."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as nobody:
        done = subprocess.run(
            [LABLB, "config", *place.port_options],
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            timeout=45,
            check=False,
        )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


async def test_an_nginx_is_tried_out_in_the_labs_own_folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which goes with the lab, even if that is killed in the middle of it."""
    monkeypatch.setattr("lab.nginx.binary.shutil.rmtree", lambda *_, **__: None)
    await find_nginx("bundled", place.folder)
    assert list(place.folder.glob("lablb-probe-*"))
    assert place.runtime_folders == []
