"""What nginx tries again and what it counts, and whether the lab's explanation of each attempt fits what it did."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from lab.config import BackendSpec
from lab.errors import UsageError
from lab.nginx.retry_rules import DEFAULT_RETRY_RULES
from lab.session import LabSession
from lab.witnesses import NginxWitness
from tests.integration.conftest import StartLab
from tests.integration.facts import HOST, seen

DEEDS = {
    "closes": b"",
    "resets": b"",
    "is silent": b"",
    "sends an invalid header": b"HTTP/1.1 200 OK\r\nBad\x00Header: 1\r\n\r\n",
    "breaks off in the header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "breaks off in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + b"x" * 1000,
    "answers 404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
    "answers 429": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\nno",
    "answers 500": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno",
    "answers 501": b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 2\r\n\r\nno",
    "answers 503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno",
}
"""What a backend does with a request, and what it sends for it."""
REFUSES = "refuses"
SILENT = "is silent"


@asynccontextmanager
async def backend_that(deed: str, port: int) -> AsyncIterator[None]:
    """A backend that does this with each request, in place of the lab's own."""
    if deed == REFUSES:
        yield
        return
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if deed == "resets":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif deed == SILENT:
            await over.wait()
        writer.write(DEEDS[deed])
        writer.close()

    server = await asyncio.start_server(serve, HOST, port)
    try:
        yield
    finally:
        over.set()
        server.close()
        await server.wait_closed()


async def answer_to(port: int, method: str) -> tuple[int, str]:
    """Status and request ID of the answer to one request on a connection of its own, whole or not."""
    reader, writer = await asyncio.open_connection(HOST, port)
    head = f"{method} / HTTP/1.1\r\nHost: lab\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1]), answer.partition(b"X-Request-Id: ")[2].split()[0].decode()


def times_disabled(lab: LabSession) -> int:
    """How often nginx put a backend aside; with max_fails=1 it does so at each failure that it counts."""
    return lab.parts.balancer.server.error_log.read_text(errors="replace").count("temporarily disabled")


@dataclass(frozen=True, slots=True)
class Trial:
    """One request to a primary that does something."""

    deed: str
    method: str
    status: int
    request_id: str
    failures: int
    """That nginx counted."""

    def __str__(self) -> str:
        return f"a {self.method} to one that {self.deed}"


async def tried(lab: LabSession, deed: str, method: str) -> Trial:
    """Try it. The reload before it has nginx forget what the primary did before."""
    primary, backup = lab.parts.ports.backends
    await lab.change_weight(backup, 1)
    before = times_disabled(lab)
    async with backend_that(deed, primary):
        status, request_id = await answer_to(lab.parts.ports.nginx, method)
    return Trial(deed, method, status, request_id, times_disabled(lab) - before)


async def told_of(lab: LabSession, *request_ids: str) -> list[NginxWitness]:
    """What nginx tells of those requests, in that order."""
    shown = await seen(lab, lambda shown: len(shown.feed) >= len(request_ids), what="all requests in the feed")
    views = {view.request_id: view for view in shown.feed}
    return [(await lab.request_detail(views[request_id])).nginx for request_id in request_ids]


async def lab_with_a_dead_primary(start_lab: StartLab, nginx: str, rules: tuple[str, ...]) -> LabSession:
    """The primary's port is free for whoever stands in for it; the backup answers what it doesn't."""
    lab = await start_lab(nginx=nginx, backends=(BackendSpec(), BackendSpec(is_backup=True)), retry_rules=rules)
    await lab.kill_backend(lab.parts.ports.backends[0])
    return lab


TABLE = {
    REFUSES: ("200 refused: `error` has nginx try another backend", "200 refused: `error` has"),
    "closes": ("200 closed before the header: `error` has", "502 closed before the header: a POST isn't sent twice"),
    "resets": ("200 closed before the header: `error` has", "502 closed before the header: a POST isn't sent twice"),
    SILENT: ("200 no answer in time: `timeout` has", "504 no answer in time: a POST isn't sent twice"),
    "sends an invalid header": (
        "502 invalid header: `invalid_header` isn't listed",
        "502 broken off in the header, or",
    ),
    "breaks off in the header": ("200 broken off in the header, or", "502 broken off in the header, or"),
    "breaks off in the body": ("200 cut off in the body: too late", "200 cut off in the body: too late"),
    "answers 404": ("404 404 is passed on: `http_404` isn't listed", "404 404 is passed on: `http_404` isn't listed"),
    "answers 500": ("500 500 is passed on: `http_500` isn't listed", "500 500 is passed on: `http_500` isn't listed"),
    "answers 501": ("501 501 is passed on: no rule is about it", "501 501 is passed on: no rule is about it"),
}
"""What becomes of a GET and of a POST by nginx's default rules: the status, and how the explanation begins."""
UNCOUNTED = ("breaks off in the body", "answers 404", "answers 500", "answers 501")


async def test_by_default_nginx_does_what_the_explanation_says(start_lab: StartLab, nginx: str) -> None:
    """Each fault, as a GET and as a POST."""
    lab = await lab_with_a_dead_primary(start_lab, nginx, DEFAULT_RETRY_RULES)
    trials = [await tried(lab, deed, method) for deed in TABLE for method in ("GET", "POST")]
    expected = [outcome for outcomes in TABLE.values() for outcome in outcomes]
    told = await told_of(lab, *(trial.request_id for trial in trials))
    for trial, witness, outcome in zip(trials, told, expected, strict=True):
        assert f"{trial.status} {witness.reasons[0]}".startswith(outcome), str(trial)
        assert trial.failures == (trial.deed not in UNCOUNTED), str(trial)
        _require_truth(trial, witness)


@pytest.mark.parametrize(
    "rules",
    [
        (),
        ("error", "invalid_header", "http_500", "http_404", "http_429"),
        ("invalid_header", "http_503", "non_idempotent"),
        ("error", "http_500", "non_idempotent"),
    ],
    ids=" ".join,
)
async def test_by_other_rules_nginx_does_what_the_explanation_says(
    start_lab: StartLab, nginx: str, rules: tuple[str, ...]
) -> None:
    """Whether another backend was tried, and whether a failure was counted."""
    lab = await lab_with_a_dead_primary(start_lab, nginx, rules)
    deeds = [deed for deed in (REFUSES, *DEEDS) if deed != SILENT]
    trials = [await tried(lab, deed, method) for deed in deeds for method in ("GET", "POST")]
    trials.append(await tried(lab, "closes", "PUT"))
    for trial, witness in zip(trials, await told_of(lab, *(trial.request_id for trial in trials)), strict=True):
        _require_truth(trial, witness)


def _require_truth(trial: Trial, told: NginxWitness) -> None:
    """The explanation against nginx's deeds: was another tried, and did nginx put the backend aside for it."""
    assert len(told.reasons) == len(told.attempts), str(trial)
    first = told.reasons[0]
    assert ("has nginx try another backend" in first) == (len(told.attempts) > 1), (str(trial), first)
    assert ("counts as a failure" in first) == (trial.failures == 1), (str(trial), first)
    assert trial.failures in (0, 1), str(trial)


async def test_the_last_backend_left_passes_its_answer_on(start_lab: StartLab, nginx: str) -> None:
    """A 500 that would have nginx try another backend has nobody left to try, and isn't counted."""
    lab = await start_lab(nginx=nginx, backends=2, retry_rules=("error", "http_500"))
    for port in lab.parts.ports.backends:
        await lab.kill_backend(port)
    first, second = lab.parts.ports.backends
    async with backend_that("answers 500", first), backend_that("answers 500", second):
        status, request_id = await answer_to(lab.parts.ports.nginx, "GET")
    assert status == 500
    (told,) = await told_of(lab, request_id)
    assert told.reasons == (
        "500: `http_500` has nginx try another backend; it counts as a failure",
        "500 is passed on: no other backend was left to try, and so it is no failure to nginx",
    )
    assert times_disabled(lab) == 1


async def test_of_an_only_backend_nothing_is_counted(start_lab: StartLab, nginx: str) -> None:
    """And nobody else is tried."""
    lab = await start_lab(nginx=nginx, backends=1)
    await lab.kill_backend(lab.parts.ports.backends[0])
    status, request_id = await answer_to(lab.parts.ports.nginx, "GET")
    assert status == 502
    (told,) = await told_of(lab, request_id)
    assert told.reasons == ("refused: there is no other backend to try; nginx counts no failures of an only backend",)
    assert times_disabled(lab) == 0


async def test_rules_are_edited_live_and_requests_keep_those_they_ran_under(start_lab: StartLab, nginx: str) -> None:
    """One line of the site changes; a request from before is still explained by the rules from before."""
    lab = await lab_with_a_dead_primary(start_lab, nginx, DEFAULT_RETRY_RULES)
    primary, _ = lab.parts.ports.backends
    shown = await seen(lab, lambda shown: shown.retry_rules, what="the rules")
    assert shown.retry_rules == ("error", "timeout")
    assert shown.config is not None
    assert "proxy_next_upstream" not in shown.config.site
    async with backend_that("answers 503", primary):
        first, first_id = await answer_to(lab.parts.ports.nginx, "GET")
        await lab.set_retry_rules(("http_503", "timeout", "error"))
        second, second_id = await answer_to(lab.parts.ports.nginx, "GET")
    assert (first, second) == (503, 200)
    before, after = await told_of(lab, first_id, second_id)
    shown = await seen(lab, lambda shown: shown.config and shown.config.generation == 2, what="the new rules")
    assert shown.retry_rules == ("error", "timeout", "http_503")
    assert shown.config is not None
    assert [line.text.strip() for line in shown.config.site_diff if line.mark == "+"] == [
        "proxy_next_upstream error timeout http_503;"
    ]
    assert shown.config.change == "next upstream: error timeout → error timeout http_503"
    assert before.reasons[0].startswith("503 is passed on: `http_503` isn't listed")
    assert after.reasons[0] == "503: `http_503` has nginx try another backend; it counts as a failure"
    await lab.set_retry_rules(())
    shown = await seen(lab, lambda shown: not shown.retry_rules, what="the rules to be off")
    assert shown.config is not None
    assert "proxy_next_upstream off;" in shown.config.site


async def test_a_rule_that_nginx_doesnt_have_is_refused(start_lab: StartLab) -> None:
    """With the words that it has; nothing changes, and the same rules again change nothing either."""
    lab = await start_lab(backends=2)
    before = lab.parts.balancer.config
    with pytest.raises(UsageError, match=r"no retry rule 'http_418': choose from error, .*, or off alone\."):
        await lab.set_retry_rules(("error", "http_418"))
    await lab.set_retry_rules(("timeout", "error"))
    assert lab.parts.balancer.config is before
