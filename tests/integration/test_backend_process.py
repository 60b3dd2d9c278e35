"""A backend as a process: by hand as in the article, and under the lab."""

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from lab.backends.behaviour import Behaviour
from lab.backends.scoreboard import Scoreboard
from tests.integration.conftest import Place
from tests.integration.facts import HOST, Reply, ask, is_free, listening, wait_until

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
AS_NGINX = {"X-Request-Id": "0123456789abcdef0123456789abcdef"}
"""Only nginx's requests have one, and count as served."""


@contextmanager
def backend(port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m lab.backend PORT`."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "lab.backend", *options, "--", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


@posix_only
def test_by_hand_it_is_the_articles_runner(place: Place) -> None:
    """It says where it runs, answers with its PID byte for byte, and ends quietly at Ctrl-C."""
    with backend(place.port) as process:
        assert pipe(process.stdout).readline() == b"Running on %d\n" % place.port
        assert ask(place.port).body == f"Hello from Process Id = {process.pid}"
        assert listening([psutil.Process(process.pid)]) == {(HOST, place.port)}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
        assert pipe(process.stdout).read() == b""
        assert pipe(process.stderr).read() == b""
    assert is_free(place.port)


def test_by_hand_it_doesnt_end_with_its_stdin(place: Place) -> None:
    """Started in the background, with no terminal to read from, it goes on."""
    with backend(place.port) as process:
        pipe(process.stdout).readline()
        pipe(process.stdin).close()
        assert ask(place.port).status == 200
        assert process.poll() is None


def test_every_path_has_the_same_answer(place: Place) -> None:
    """As in the article, where there is one handler for all."""
    with backend(place.port) as process:
        pipe(process.stdout).readline()
        assert [ask(place.port, path).pid for path in ("/", "/favicon.ico", "/a/b?c=d", "/%00")] == [process.pid] * 4


def test_a_busy_port_is_one_sentence_and_exit_code_3(place: Place) -> None:
    """No traceback."""
    with socket.create_server((HOST, place.port)), backend(place.port) as process:
        assert process.wait(timeout=10) == 3
        complaint = pipe(process.stderr).read().decode()
    assert complaint.startswith(f"Can't listen on port {place.port}: ")
    assert complaint.count("\n") == 1


@pytest.mark.parametrize("port", [65536, -1])
def test_a_port_that_cant_be_is_refused_without_a_traceback(port: int) -> None:
    """It doesn't listen on some other port and say that it runs on this one."""
    with backend(port) as process:
        assert process.wait(timeout=10) in (2, 3)
        complaint = pipe(process.stderr).read().decode()
        assert str(port) in complaint
        assert "Traceback" not in complaint
        assert pipe(process.stdout).read() == b""


def order(process: subprocess.Popen[bytes], **order: Any) -> None:
    stdin = pipe(process.stdin)
    stdin.write(json.dumps(order).encode() + b"\n")
    stdin.flush()


@contextmanager
def asking(port: int, requests: int) -> Iterator[None]:
    """So many requests under way; nobody waits for their answers, which may never come."""
    clients = [socket.create_connection((HOST, port)) for _ in range(requests)]
    try:
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\nX-Request-Id: 0123456789abcdef0123456789abcdef\r\n\r\n")
        yield
    finally:
        for client in clients:
            client.close()


def ask_as_nginx(port: int) -> Reply:
    """A request that counts as nginx's."""
    return ask(port, headers=AS_NGINX)


@contextmanager
def under_the_lab(place: Place, folder: Path, **behaviour: Any) -> Iterator[tuple[subprocess.Popen[bytes], Scoreboard]]:
    """A backend that is ready and obeys, and where it keeps its counts."""
    scores = Scoreboard(folder / "scores")
    with backend(place.port, "--lab", "--scoreboard", str(folder / "scores")) as process:
        assert json.loads(pipe(process.stdout).readline()) == {"event": "ready", "pid": process.pid}
        if behaviour:
            behave(process, **behaviour)
        yield process, scores
    scores.close()


def behave(process: subprocess.Popen[bytes], service_time_ms: float, capacity: int | None = None) -> None:
    """Have it behave like this, and wait until it has heard."""
    order(process, order="behave", **asdict(Behaviour(service_time_ms, capacity)))
    order(process, order="recall", id="")
    assert json.loads(pipe(process.stdout).readline())["event"] == "recalled"


def test_under_the_lab_it_keeps_score(place: Place, tmp_path: Path) -> None:
    """Three requests are three served and none in flight."""
    with under_the_lab(place, tmp_path) as (process, scores):
        for _ in range(3):
            assert ask_as_nginx(place.port).pid == process.pid
        wait_until(lambda: (scores.served, scores.in_flight) == (3, 0), what="three requests to be counted")


def test_who_comes_past_nginx_is_counted_apart(place: Place, tmp_path: Path) -> None:
    """What is no HTTP, too; nginx itself passes on what Tornado refuses, and waits for that answer."""
    with under_the_lab(place, tmp_path) as (process, scores):
        assert ask(place.port).pid == process.pid
        assert ask(place.port, method="PROPFIND").status == 405
        assert ask(place.port, headers={"X-Odd": "\x01"}).status == 400
        wait_until(lambda: (scores.direct, scores.served, scores.in_flight) == (3, 0, 0), what="three past nginx")
        assert ask(place.port, headers={"X-Odd": "\x01"} | AS_NGINX).status == 400
        wait_until(lambda: (scores.direct, scores.served, scores.in_flight) == (3, 1, 0), what="one of nginx's")


def test_a_killed_backend_leaves_its_score(place: Place, tmp_path: Path) -> None:
    """Of everything that it answered; whether it was done with the last one is for others to say."""
    with under_the_lab(place, tmp_path) as (process, scores):
        for _ in range(20):
            ask_as_nginx(place.port)
        process.kill()
        process.wait()
        assert scores.begun == 20
        assert scores.served in (19, 20)


def test_orders_change_how_it_answers(place: Place, tmp_path: Path) -> None:
    """A service time that never ends keeps requests in flight; another order lets new ones through."""
    with under_the_lab(place, tmp_path, service_time_ms=3_600_000) as (process, scores), asking(place.port, 4):
        wait_until(lambda: scores.in_flight == 4, what="four requests in flight")
        behave(process, service_time_ms=0)
        assert ask_as_nginx(place.port).pid == process.pid
        wait_until(lambda: (scores.served, scores.in_flight) == (1, 4), what="one served, four waiting")


def test_a_request_whose_client_has_gone_is_not_served(place: Place, tmp_path: Path) -> None:
    """It leaves the requests in flight and is in no count."""
    with under_the_lab(place, tmp_path, service_time_ms=500) as (_, scores):
        with asking(place.port, 2):
            wait_until(lambda: scores.in_flight == 2, what="two requests in flight")
        wait_until(lambda: (scores.served, scores.in_flight) == (0, 0), what="both to be given up")


def fail(process: subprocess.Popen[bytes], kind: str | None, **figures: Any) -> None:
    """Have it fail like this, and wait until it does."""
    order(process, order="fail", number=7, fault=None if kind is None else {"kind": kind, **figures})
    assert json.loads(pipe(process.stdout).readline()) == {"event": "obeyed", "number": 7}


def test_a_door_that_is_shut_refuses_and_ends_kept_connections(place: Place, tmp_path: Path) -> None:
    """An idle one at once, a busy one with its answer; opened again, it lets in as before."""
    with under_the_lab(place, tmp_path, service_time_ms=300) as (process, scores):
        idle = http.client.HTTPConnection(HOST, place.port, timeout=10)
        idle.request("GET", "/", headers=AS_NGINX)
        idle.getresponse().read()
        assert idle.sock is not None
        wait_until(lambda: scores.served == 1, what="the first answer to be noted")
        busy = http.client.HTTPConnection(HOST, place.port, timeout=10)
        busy.request("GET", "/", headers=AS_NGINX)
        wait_until(lambda: scores.in_flight == 1, what="a request in flight")
        fail(process, "refuse")
        assert idle.sock.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            ask_as_nginx(place.port)
        answer = busy.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
        idle.close()
        busy.close()
        fail(process, None)
        assert ask_as_nginx(place.port).pid == process.pid
        process.kill()
        assert pipe(process.stderr).read() == b""


def test_a_port_that_somebody_took_while_it_was_shut_ends_the_backend_with_a_sentence(
    place: Place, tmp_path: Path
) -> None:
    """It can't serve any more, and says why."""
    with under_the_lab(place, tmp_path) as (process, _):
        fail(process, "refuse")
        with socket.create_server((HOST, place.port)):
            order(process, order="fail", number=8, fault=None)
            assert process.wait(timeout=10) == 3
        assert pipe(process.stderr).read().startswith(b"Can't listen on port %d: " % place.port)


def test_silence_lasts_until_the_client_has_gone(place: Place, tmp_path: Path) -> None:
    """Nothing of it is served, and nothing is left in flight."""
    with under_the_lab(place, tmp_path) as (process, scores):
        fail(process, "silence")
        with asking(place.port, 3):
            wait_until(lambda: scores.in_flight == 3, what="three requests without an answer")
            fail(process, None)
            assert ask_as_nginx(place.port).pid == process.pid
            wait_until(lambda: (scores.served, scores.in_flight) == (1, 3), what="one to be served and three not")
        wait_until(lambda: (scores.served, scores.in_flight) == (1, 0), what="all three to be given up")


@pytest.mark.parametrize("is_in_lab", [True, False], ids=["in the lab", "by hand"])
@posix_only
def test_at_sigterm_it_answers_what_it_has_and_ends_with_code_0(place: Place, tmp_path: Path, is_in_lab: bool) -> None:
    """New connections are refused meanwhile; nobody complains."""
    with backend(place.port, *(["--lab", "--scoreboard", str(tmp_path / "scores")] if is_in_lab else [])) as process:
        pipe(process.stdout).readline()
        if is_in_lab:
            behave(process, service_time_ms=500)
            scores = Scoreboard(tmp_path / "scores")
            asked = http.client.HTTPConnection(HOST, place.port, timeout=10)
            asked.request("GET", "/", headers=AS_NGINX)
            wait_until(lambda: scores.in_flight == 1, what="a request in flight")
        process.send_signal(signal.SIGTERM)
        if is_in_lab:
            assert json.loads(pipe(process.stdout).readline()) == {"event": "ending"}
            with pytest.raises(ConnectionRefusedError):
                ask_as_nginx(place.port)
            assert asked.getresponse().read() == b"Hello from Process Id = %d" % process.pid
            asked.close()
        assert process.wait(timeout=10) == 0
        if is_in_lab:
            assert (scores.served, scores.in_flight) == (1, 0)
            scores.close()
        assert pipe(process.stderr).read() == b""
    assert is_free(place.port)


def test_it_ends_when_the_lab_is_gone(place: Place) -> None:
    """EOF on stdin, quietly."""
    with backend(place.port, "--lab") as process:
        pipe(process.stdout).readline()
        pipe(process.stdin).close()
        assert process.wait(timeout=10) == 0
        assert pipe(process.stderr).read() == b""
    assert is_free(place.port)


@pytest.mark.parametrize("capacity", [None, 1], ids=["worked on", "queueing"])
def test_it_ends_within_two_seconds_although_requests_are_in_flight(
    capacity: int | None, place: Place, tmp_path: Path
) -> None:
    """Nobody is left to get the answers, and nobody is told of it."""
    with under_the_lab(place, tmp_path, service_time_ms=3_600_000, capacity=capacity) as (process, scores):
        with asking(place.port, 3):
            wait_until(lambda: scores.in_flight == 3, what="requests in flight")
            pipe(process.stdin).close()
            process.wait(timeout=2)
        assert pipe(process.stderr).read() == b""
    assert is_free(place.port)


@posix_only
def test_under_the_lab_it_hears_no_ctrl_c_of_its_own(place: Place) -> None:
    """The lab starts it away from the terminal; if it gets one all the same, it ends without a traceback."""
    with backend(place.port, "--lab") as process:
        pipe(process.stdout).readline()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
        assert b"Traceback" not in pipe(process.stderr).read()
