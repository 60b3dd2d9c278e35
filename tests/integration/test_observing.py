"""What a lab shows of itself: any client's requests, processes, figures, the ledger."""

import asyncio
import os
import socket

import psutil
import pytest

from lab.backends.behaviour import Behaviour
from lab.config import BackendSpec, LabConfig
from lab.counts.journal import FEED_LENGTH
from lab.errors import LabError
from lab.models import Snapshot
from lab.session import LabSession
from lab.states import BackendState, Phase
from lab.traffic.plan import LONGEST_PATH, RequestSpec, TrafficSpec
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import HOST, POLL_SECONDS, ask, ask_times, backend_at, listening, processes_in, seen


def has_settled(snapshot: Snapshot) -> bool:
    """Whether every request has its outcome, and all counts agree."""
    return snapshot.traffic.in_flight == 0 and snapshot.ledger.settled().is_balanced


async def test_another_clients_requests_are_shown_like_the_labs_own(start_lab: StartLab, nginx: str) -> None:
    """Five requests by another HTTP client: hits, shares, the feed with its name, and other_clients."""
    lab = await start_lab(nginx=nginx, backends=5)
    port = lab.parts.ports.nginx
    answered = await ask_times(5, port)
    snapshot = await seen(lab, lambda shown: shown.traffic.other_clients == 5, what="five requests of another client")
    assert [backend.hits for backend in snapshot.backends] == [1] * 5
    assert [backend.share for backend in snapshot.backends] == [0.2] * 5
    assert [view.client for view in snapshot.feed] == ["somebody/1.0"] * 5
    assert [view.pid for view in snapshot.feed] == answered
    assert sorted(answered) == sorted(backend.pid or 0 for backend in snapshot.backends)
    assert snapshot.traffic.sent == 0
    ledger = await lab.settle()
    assert (ledger.other_clients, ledger.client_answered, ledger.backends_served) == (5, 0, 5)
    assert ledger.is_balanced


async def test_a_request_that_the_feed_has_dropped_can_still_be_told_of(start_lab: StartLab) -> None:
    """Who froze the feed has its view, and client and backends remember more than the feed shows."""
    lab = await start_lab(backends=1)
    await lab.fire_once()
    shown = await seen(lab, lambda now: now.feed and now.feed[0].latency_ms is not None, what="the request")
    (request,) = shown.feed
    await ask_times(FEED_LENGTH, lab.parts.ports.nginx)
    await seen(lab, lambda now: now.traffic.other_clients == FEED_LENGTH, what="so many others that it is gone")
    assert request.number not in {view.number for view in lab.parts.observer.journal.feed()}
    detail = await lab.request_detail(request)
    assert detail.view is request
    assert detail.nginx.worker_pid in lab.parts.balancer.server.worker_pids()
    assert (detail.nginx.generation, detail.nginx.reasons) == (1, ("answered 200",))
    assert detail.client is not None
    assert detail.client.status == 200
    assert [witness.pid for witness in detail.backends] == [request.pid]


async def test_a_client_that_copies_our_header_is_another_client_all_the_same(start_lab: StartLab) -> None:
    """It can't know the lab's name for its shots."""
    lab = await start_lab(backends=1)
    await asyncio.to_thread(ask, lab.parts.ports.nginx, headers={"X-Lablb-Shot": "us-1", "User-Agent": "lablb"})
    snapshot = await seen(lab, lambda shown: shown.feed, what="its request in the feed")
    assert snapshot.traffic.other_clients == 1
    assert snapshot.feed[0].client == "lablb"
    assert (await lab.settle()).is_balanced


async def test_an_answer_keeps_its_pid_when_the_backend_dies_or_is_another_before_nginx_has_logged_it(
    start_lab: StartLab,
) -> None:
    """The feed names the process that answered: not none, nor the one that has the port by then."""
    lab = await start_lab(backends=1)
    (port,) = lab.parts.ports.backends
    pids = []
    for end in (lab.kill_backend, lab.restart_backend, lab.restart_backend):
        pids.append((await asyncio.to_thread(ask, lab.parts.ports.nginx)).pid)
        await end(port)
        if end == lab.kill_backend:
            await lab.restart_backend(port)
    assert len(set(pids)) == 3
    shown = await seen(lab, lambda now: len(now.feed) == 3, what="three requests in the feed")
    assert [view.pid for view in shown.feed] == pids


async def test_foreign_text_comes_through_as_it_was_sent(start_lab: StartLab) -> None:
    """Markup, quotes, escapes and bytes of no encoding stand in the feed and break nothing."""
    lab = await start_lab(backends=1)

    def send() -> None:
        with socket.create_connection((HOST, lab.parts.ports.nginx), timeout=10) as client:
            client.sendall(
                b'GET /[bold]%1b"\\\xff HTTP/1.1\r\nHost: lab\r\nUser-Agent: \x1b[31m"{}\\u0041\xfe\r\n'
                b"Connection: close\r\n\r\n"
            )
            while client.recv(4096):
                pass

    await asyncio.to_thread(send)
    snapshot = await seen(lab, lambda shown: shown.feed, what="its request in the feed")
    (view,) = snapshot.feed
    assert view.uri == '/[bold]%1b"\\\ufffd'
    assert view.client == '\x1b[31m"{}\\u0041\ufffd'
    assert lab.parts.observer.log.foreign_lines == 0


async def test_a_request_that_nobody_expected_unbalances_nothing_on_its_way(start_lab: StartLab) -> None:
    """Its backend has counted it before nginx writes it out, and nobody else was answered lately."""
    lab = await start_lab()
    await asyncio.to_thread(ask, lab.parts.ports.nginx)
    while not (ledger := lab.parts.observer.ledger()).nginx_forwarded:
        assert ledger.is_balanced
        await asyncio.sleep(POLL_SECONDS)
    assert ledger.settled().is_balanced


@pytest.mark.parametrize(
    ("request_spec", "status", "served"),
    [
        (RequestSpec(headers=(("Host", "no such host"),)), 400, 0),
        (RequestSpec(headers=(("X-Long", "x" * 9_000),)), 400, 0),
        (RequestSpec(method="TRACE"), 405, 0),
        (RequestSpec(paths=("/" + "x" * (LONGEST_PATH - 1),)), 200, 10),
    ],
    ids=["bad host", "long header", "bad method", "longest path"],
)
async def test_what_nginx_refuses_is_the_lab_s_own_request_all_the_same(
    start_lab: StartLab, request_spec: RequestSpec, status: int, served: int
) -> None:
    """nginx has read whose it is before it comes to what it refuses; no backend hears of it."""
    lab = await start_lab(backends=1, is_firing=True, traffic=TrafficSpec(requests=10, request=request_spec))
    await lab.parts.driver.finish()
    ledger = await lab.settle()
    assert (ledger.client_answered, ledger.nginx_logged, ledger.other_clients) == (10, 10, 0)
    assert (ledger.backends_served, ledger.is_balanced) == (served, True)
    assert lab.parts.observer.traffic(lab.parts.driver).statuses == ((status, 10),)


async def test_the_ledger_balances_whatever_method_somebody_uses(start_lab: StartLab) -> None:
    """What a backend answers it also counts, were it only to say that it doesn't know the method."""
    lab = await start_lab(backends=1)
    methods = ("HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "PURGE")
    for method in methods:
        await asyncio.to_thread(ask, lab.parts.ports.nginx, method=method)
    await seen(lab, lambda shown: shown.traffic.other_clients == len(methods), what="the requests in the log")
    ledger = await lab.settle()
    assert (ledger.nginx_forwarded, ledger.backends_served) == (len(methods), len(methods))
    assert ledger.is_balanced


async def test_who_comes_to_a_backend_past_nginx_unbalances_nothing(start_lab: StartLab) -> None:
    """The backend answers and counts it apart; another process on the port goes on counting."""
    lab = await start_lab(backends=2)
    port = lab.parts.ports.backends[0]
    for _ in range(2):
        assert (await asyncio.to_thread(ask, port)).status == 200
        assert len(set(await ask_times(2, lab.parts.ports.nginx))) == 2
        await lab.restart_backend(port)
    await seen(lab, lambda shown: shown.traffic.other_clients == 4, what="the other requests in the log")
    ledger = await lab.settle()
    assert (ledger.nginx_forwarded, ledger.backends_served, ledger.direct, ledger.crossed) == (4, 4, 2, 0)
    assert ledger.is_balanced


async def test_zeroed_counters_count_visits_past_nginx_anew(start_lab: StartLab) -> None:
    """The ledger goes on with all there ever were, as it does with everything."""
    lab = await start_lab(backends=1)
    port = lab.parts.ports.backends[0]
    for visits in (1, 2):
        await asyncio.to_thread(ask, port)
        shown = await seen(lab, lambda shown: shown.traffic.direct == 1, what="one visit")
        assert shown.ledger.direct == visits
        lab.zero_counters()
        await seen(lab, lambda shown: shown.traffic.direct == 0, what="none")


@pytest.mark.parametrize("value", ["\x01", "\x7f"], ids=["SOH", "DEL"])
async def test_a_request_that_the_backends_web_server_refuses_was_served(start_lab: StartLab, value: str) -> None:
    """nginx passes on what Tornado takes for no HTTP: its 400 is an answer of the backend's."""
    lab = await start_lab(backends=2)
    reply = await asyncio.to_thread(ask, lab.parts.ports.nginx, headers={"X-Odd": value})
    assert (reply.status, reply.body) == (400, "")
    await seen(lab, lambda shown: shown.feed, what="the request in the feed")
    ledger = await lab.settle()
    assert (ledger.nginx_forwarded, ledger.backends_served) == (1, 1)
    assert ledger.is_balanced


async def test_a_request_that_nginx_answers_itself_is_nobodys_hit(start_lab: StartLab) -> None:
    """It is logged, counts as another client's, and the ledger still balances."""
    lab = await start_lab(backends=1)

    def send() -> bytes:
        with socket.create_connection((HOST, lab.parts.ports.nginx), timeout=10) as client:
            client.sendall(b"rubbish\r\n\r\n")
            return client.recv(4096)

    assert b"400 Bad Request" in await asyncio.to_thread(send)
    snapshot = await seen(lab, lambda shown: shown.feed, what="the bad request in the feed")
    assert snapshot.feed[0].status == 400
    assert snapshot.feed[0].pid is None
    assert [backend.hits for backend in snapshot.backends] == [0]
    assert (await lab.settle()).is_balanced


async def test_a_large_body_reaches_the_backend(start_lab: StartLab) -> None:
    """nginx keeps what doesn't fit its buffers in the runtime folder, where its workers must be able to write."""
    lab = await start_lab(backends=1)
    reply = await asyncio.to_thread(ask, lab.parts.ports.nginx, method="POST", body=b"x" * 900_000)
    assert reply.status == 200


async def test_responses_name_the_request_and_the_backends_that_nginx_tried(start_lab: StartLab) -> None:
    """X-Request-Id and X-Upstream join client, nginx and backend; both are on error pages too."""
    lab = await start_lab(backends=1)
    port = lab.parts.ports.backends[0]
    reply = await asyncio.to_thread(ask, lab.parts.ports.nginx)
    assert reply.headers["x-upstream"] == f"127.0.0.1:{port}"
    snapshot = await seen(lab, lambda shown: shown.feed, what="the request in the feed")
    assert snapshot.feed[0].request_id == reply.headers["x-request-id"]
    await lab.kill_backend(port)
    reply = await asyncio.to_thread(ask, lab.parts.ports.nginx)
    assert reply.status == 502
    assert f"127.0.0.1:{port}" in reply.headers["x-upstream"]
    assert reply.headers["x-request-id"]


async def test_the_log_is_followed_across_its_rotation(start_lab: StartLab) -> None:
    """Once it is too large it is put aside and nginx writes a new one; every request counts once."""
    lab = await start_lab(backends=1)
    log = lab.parts.observer.log
    log._max_bytes = 2000
    port, path = lab.parts.ports.nginx, lab.parts.balancer.server.access_log
    await ask_times(20, port)
    await seen(lab, lambda shown: shown.traffic.other_clients == 20, what="the first twenty requests")
    await seen(lab, lambda _: path.with_suffix(".old").exists(), what="the log to be put aside")
    await ask_times(20, port)
    await seen(lab, lambda shown: shown.traffic.other_clients == 40, what="twenty more requests after the rotation")
    await seen(lab, lambda _: path.exists() and path.stat().st_size > 0, what="nginx to write the new log", seconds=5)
    assert (await lab.settle()).is_balanced
    assert log.foreign_lines == 0


async def test_processes_are_shown_with_what_they_use(start_lab: StartLab) -> None:
    """PID, CPU and memory of each backend and of nginx are those of real processes."""
    lab = await start_lab(backends=2)
    snapshot = await seen(
        lab,
        lambda shown: (
            shown.nginx
            and shown.nginx.rss_bytes is not None
            and all(backend.rss_bytes is not None for backend in shown.backends)
        ),
        what="the memory of every process",
    )
    assert snapshot.nginx is not None
    assert snapshot.nginx.master_pid is not None
    assert "nginx" in psutil.Process(snapshot.nginx.master_pid).name()
    assert len(snapshot.nginx.worker_pids) == 1
    for backend in snapshot.backends:
        assert backend.state is BackendState.UP
        assert backend.pid is not None
        assert "lab.backend" in psutil.Process(backend.pid).cmdline()
        assert backend.rss_bytes is not None
        assert backend.rss_bytes > 1_000_000
        assert backend.cpu_percent is not None
        assert backend.in_flight == 0


async def test_requests_under_way_are_in_flight_everywhere(start_lab: StartLab) -> None:
    """The client's count and the backend's own say the same."""
    lab = await start_lab(backends=1, behaviour=Behaviour(9_000), traffic=TrafficSpec(rate_rps=50, timeout_seconds=30))
    await lab.fire_once()
    await lab.fire_once()
    snapshot = await seen(lab, lambda shown: shown.traffic.in_flight == 2, what="two requests under way")
    snapshot = await seen(lab, lambda shown: shown.backends[0].in_flight == 2, what="two requests at the backend")
    assert snapshot.traffic.sent == 2


async def test_everything_listens_on_the_loopback_interface_alone(place: Place, start_lab: StartLab) -> None:
    """A lab can't be reached from the network, whichever of its processes one asks."""
    await start_lab(backends=3)
    sockets = listening(processes_in(place.folder))
    assert sockets == {(HOST, port) for port in (place.port, *range(place.base_port, place.base_port + 3))}


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no permission bits")
async def test_the_runtime_folder_is_private_and_laid_out_as_in_the_article(place: Place, start_lab: StartLab) -> None:
    """0700, with a site in sites-available and a link to it in sites-enabled."""
    await start_lab(backends=1, keep_root=True)
    (folder,) = place.runtime_folders
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "sites-enabled" / "lablb.conf").is_symlink()
    assert (folder / "sites-enabled" / "lablb.conf").samefile(folder / "sites-available" / "lablb.conf")
    assert "include sites-enabled/*.conf;" in (folder / "nginx.conf").read_text()


async def test_a_start_says_what_it_is_doing(place: Place) -> None:
    """Whoever follows sees the phases with their activities, and that the lab has stopped is the last of it."""
    lab = LabSession(LabConfig(port=place.port, base_port=place.base_port, backends=(BackendSpec(),)))
    shown: list[tuple[Phase, str | None]] = []

    async def follow() -> None:
        async for snapshot in lab.snapshots():
            if (now := (snapshot.phase, snapshot.activity)) not in shown[-1:]:
                shown.append(now)

    follower = asyncio.create_task(follow())
    try:
        await lab.start()
        await seen(lab, lambda _: (Phase.RUNNING, None) in shown, what="the follower to see the lab run")
    finally:
        await lab.stop()
    async with asyncio.timeout(5):
        await follower
    assert (Phase.STARTING, "starting 1 backend, the client and nginx") in shown
    assert list(dict.fromkeys(phase for phase, _ in shown)) == list(Phase)
    assert shown[-1] == (Phase.STOPPED, None)


async def test_commands_before_the_start_are_refused_with_a_sentence(place: Place) -> None:
    """They neither crash nor get lost."""
    lab = LabSession(LabConfig(port=place.port, base_port=place.base_port))
    with pytest.raises(LabError, match="still starting"):
        await lab.kill_backend(place.base_port)
    await lab.stop()


async def test_the_labs_own_requests_have_the_clients_latency_and_pid(start_lab: StartLab) -> None:
    """Microseconds by the client's clock rather than nginx's whole milliseconds."""
    lab = await start_lab(backends=1, traffic=TrafficSpec(rate_rps=20))
    await lab.fire_once()
    await seen(lab, has_settled, what="the counts to agree")
    snapshot = await seen(lab, lambda shown: shown.feed and shown.traffic.answered == 1, what="the shot in the feed")
    (view,) = snapshot.feed
    assert view.client is None
    assert view.pid == snapshot.backends[0].pid
    assert view.latency_ms is not None
    assert view.latency_ms != int(view.latency_ms)
    assert snapshot.backends[0].latency.count == 1
    assert backend_at(snapshot, lab.parts.ports.backends[0]).hits == 1
