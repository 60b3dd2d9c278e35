"""Whatever is typed on the command line: refused in one sentence, or taken by nginx, and meaning what was typed."""

import contextlib
import io
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab.algorithms import ALGORITHMS, WITHOUT_BACKUPS
from lab.cli import main
from lab.config import BackendSpec
from lab.errors import ExitCode
from lab.nginx.binary import NginxBinary, find_nginx
from lab.nginx.render import Frame, Upstream, render
from tests.integration.facts import free_ports

INJECTIONS = (
    "1;",
    "1; }",
    "1 max_fails=0",
    "1\nserver 127.0.0.1:1;",
    "$(id)",
    '"1"',
    "'1'",
    "1#",
    "1\\",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "1\x00",
    "\x1b[31m1",
    "٣",
    "１",
    "1_0",
    " 1 ",
    "+1",
    "1e3",
    "0x10",
    "inf",
    "nan",
    "9" * 30,
    "9" * 400,
    "-" + "9" * 400,
    "9" * 5000,
)
NUMBERS = st.one_of(st.integers(-2, 70_000), st.integers(), st.floats()).map(str)
RUBBISH = st.text(st.sampled_from("0123456789٣+-_. \t\n\r;{}\"'\\#$%,msh\x00\x1b\x7f") | st.characters(), max_size=10)
TYPED = st.one_of(st.integers(1, 6).map(str), NUMBERS, st.sampled_from(INJECTIONS), RUBBISH)
TIMES = st.one_of(TYPED, st.builds("{}{}".format, TYPED, st.sampled_from(["ms", "s", "m", "h"])))
NAMES = st.sampled_from([algorithm.name for algorithm in ALGORITHMS])
ANYTHING: dict[str, st.SearchStrategy[str]] = {
    "weights": st.one_of(TYPED, st.lists(TYPED, max_size=4).map(",".join)),
    "backends": st.one_of(st.integers(-1, 20).map(str), st.sampled_from(INJECTIONS[:-4]), RUBBISH),
    "backups": TYPED,
    "max-fails": TYPED,
    "fail-timeout": TIMES,
    "service-time": TIMES,
    "port": TYPED,
    "base-port": TYPED,
    "nginx-workers": TYPED,
    "algorithm": st.one_of(NAMES, TYPED),
}
SANE: dict[str, st.SearchStrategy[str]] = {
    "weights": st.lists(st.integers(1, 1000).map(str), min_size=3, max_size=3).map(",".join),
    "backups": st.integers(0, 2).map(str),
    "max-fails": st.integers(0, 1_000_000).map(str),
    "fail-timeout": st.builds("{}{}".format, st.integers(1, 100), st.sampled_from(["s", "m", ""])),
    "service-time": st.sampled_from(["0", "1.5ms", "20 ms", "7s"]),
    "port": st.integers(1, 999).map(str),
    "base-port": st.integers(1000, 60_000).map(str),
    "nginx-workers": st.integers(1, 64).map(str),
    "algorithm": NAMES,
}


@st.composite
def typed_options(draw: st.DrawFn) -> dict[str, str]:
    """Mostly what a person in their senses types, and one or two options with whatever comes."""
    sane = draw(st.fixed_dictionaries({}, optional=SANE))
    wild = draw(st.lists(st.sampled_from(sorted(ANYTHING)), max_size=2, unique=True))
    return sane | {name: draw(ANYTHING[name]) for name in wild}


SERVER = re.compile(
    r"    server 127\.0\.0\.1:(?P<port>[0-9]+)(?: weight=(?P<weight>[0-9]+))?(?: max_fails=(?P<max_fails>[0-9]+))?"
    r"(?: fail_timeout=(?P<fail_timeout>[0-9]+)s)?(?P<backup> backup)?;"
)
UNITS_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "": 1}


@pytest.fixture(scope="module")
def binary() -> NginxBinary:
    """The bundled nginx, asked once what it can do."""
    import asyncio  # noqa: PLC0415 - a module's fixture has no event loop

    return asyncio.run(find_nginx("bundled"))


@pytest.fixture(scope="module")
def free_port() -> int:
    """For `nginx -t`, which listens for a moment."""
    return free_ports(1)


@contextlib.contextmanager
def as_anywhere(binary: NginxBinary) -> Iterator[None]:
    """On a machine with this nginx where every port is allowed, for a user without a configuration."""

    async def found(choice: str) -> NginxBinary:
        return binary

    with (
        mock.patch("lab.nginx.balancer.find_nginx", found),
        mock.patch("lab.machine.ports.is_allowed", return_value=True),
        mock.patch("lab.commandline.options.platformdirs.user_config_path", return_value=Path("/nowhere")),
    ):
        yield


def told(binary: NginxBinary, typed: dict[str, str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `lablb config` with these options."""
    out, err = io.StringIO(), io.StringIO()
    arguments = [f"--{name}={value}" for name, value in typed.items()]
    with (
        as_anywhere(binary),
        mock.patch("sys.argv", ["lablb", "config", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        main()
    return int(end.value.code or 0), out.getvalue(), err.getvalue()


def seconds(text: str) -> float:
    """What a duration means, reckoned apart from the lab."""
    found = re.fullmatch(r"(.*?)\s*(ms|s|m|h|)", text, re.DOTALL)
    assert found is not None
    return float(found[1]) * UNITS_SECONDS[found[2]]


def means_what_was_typed(main_conf: str, site: str, typed: dict[str, str]) -> None:
    """The rendered lines, read back."""
    upstream = site[: site.index("\n}\n")].splitlines()[1:]
    algorithm = next(each for each in ALGORITHMS if each.name == typed.get("algorithm", "round_robin"))
    method = [f"    {algorithm.directive};"] if algorithm.directive else []
    assert upstream[: len(method)] == method
    servers = [SERVER.fullmatch(line) for line in upstream[len(method) :]]
    read = [server for server in servers if server is not None]
    assert len(read) == len(servers)
    weights = [int(weight) for weight in typed["weights"].split(",")] if "weights" in typed else None
    count = int(typed["backends"]) if "backends" in typed else len(weights) if weights else 5
    backups = int(typed.get("backups", "0"))
    first = int(typed.get("base-port", "71"))
    assert [int(server["port"]) for server in read] == list(range(first, first + count))
    assert [int(server["weight"] or 1) for server in read] == (weights or [1] * count)
    assert {int(server["max_fails"] or 1) for server in read} == {int(typed.get("max-fails", "1"))}
    assert {int(server["fail_timeout"] or 10) for server in read} == {seconds(typed.get("fail-timeout", "10"))}
    assert [server["backup"] is not None for server in read] == [n >= count - backups for n in range(count)]
    assert f"    listen 127.0.0.1:{int(typed.get('port', '70'))};\n" in site
    assert f"worker_processes {int(typed.get('nginx-workers', '1'))};\n" in main_conf
    assert (site + main_conf).isascii()


def refused_by(binary: NginxBinary, main_conf: str, site: str, free_port: int) -> str | None:
    """Why `nginx -t` refuses the files, if it does; the port, which may be anybody's here, is a free one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "temp").mkdir()
        (folder / "sites-enabled").mkdir()
        (folder / "nginx.conf").write_text(main_conf)
        free_site = re.sub("listen .*;", f"listen 127.0.0.1:{free_port};", site)
        (folder / "sites-enabled" / "lablb.conf").write_text(free_site)
        options: list[str | Path] = [*binary.error_log_option, "-p", folder, "-c", "nginx.conf", "-t", "-q"]
        verdict = subprocess.run([binary.path, *options], capture_output=True, text=True, timeout=20, check=False)
    return None if verdict.returncode == 0 else verdict.stderr


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(typed={"weights": "5,1", "max-fails": "3", "fail-timeout": "30s", "port": "8080", "base-port": "9000"})
@example(typed={"fail-timeout": "9" * 400})
@example(typed={"fail-timeout": "9" * 30})
@example(typed={"max-fails": "9" * 30})
@example(typed={"service-time": "9" * 30})
@example(typed={"weights": "٣,１"})
@given(typed=typed_options())
def test_what_is_typed_is_refused_or_means_what_was_typed(
    binary: NginxBinary, free_port: int, typed: dict[str, str]
) -> None:
    """Nothing a person types reaches nginx.conf as anything but the number or the name it is."""
    code, out, err = told(binary, typed)
    if code != ExitCode.DONE:
        assert code == ExitCode.USAGE, err
        assert out == ""
        assert err.startswith("lablb: ")
        return
    assert err == ""
    _, main_name, main_conf, site_name, site = re.split(r"^# ---- (.+)\n", out, flags=re.MULTILINE)
    assert (main_name, site_name) == ("nginx.conf", "sites-available/lablb.conf")
    means_what_was_typed(main_conf, site, typed)
    assert refused_by(binary, main_conf, site, free_port) is None


@pytest.mark.parametrize("algorithm", [each.name for each in ALGORITHMS])
def test_backups_are_refused_with_the_algorithms_with_which_nginx_refuses_them(
    binary: NginxBinary, free_port: int, algorithm: str
) -> None:
    """With no other."""
    frame = Frame(free_port, workers=1, read_timeout_ms=2000)
    files = render(binary, frame, Upstream(algorithm, ((1, BackendSpec()), (2, BackendSpec(is_backup=True)))), 1)
    complaint = refused_by(binary, files.main, files.site, free_port)
    assert (complaint is not None) is (algorithm in WITHOUT_BACKUPS), complaint
    code, _, err = told(binary, {"algorithm": algorithm, "backups": "1"})
    assert (code == ExitCode.USAGE) is (complaint is not None), err
