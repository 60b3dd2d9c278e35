"""What nginx really does with requests, as the report tells it: each nginx of this machine in turn."""

import asyncio
from collections import Counter

import pytest

from lab.backends.behaviour import Behaviour
from lab.commandline.report import Report
from lab.commandline.run import run_lab
from lab.config import BackendSpec, LabConfig
from lab.errors import NotReadyError
from lab.nginx.binary import find_nginx
from lab.states import LoopKind
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import ask, ask_times


async def run(place: Place, **changes: object) -> Report:
    """A whole run in this process."""
    config = LabConfig(port=place.port, base_port=place.base_port, **changes)  # type: ignore[arg-type]
    return await run_lab(config, asyncio.Event())


def specs(*weights: int) -> tuple[BackendSpec, ...]:
    return tuple(BackendSpec(weight=weight) for weight in weights)


async def test_round_robin_spreads_requests_evenly(place: Place, nginx: str) -> None:
    """A fifth for each of five, none failed, and client, nginx and backends agree."""
    count = 1000 if nginx == "bundled" else 250
    report = await run(place, nginx=nginx, traffic=TrafficSpec(requests=count, connections=4))
    assert [backend.hits for backend in report.backends] == [count // 5] * 5
    assert len({backend.pid for backend in report.backends}) == 5
    traffic = report.traffic
    assert (traffic.sent, traffic.answered, traffic.failed, traffic.retried, traffic.errors) == (count, count, 0, 0, ())
    ledger = report.ledger
    assert (ledger.client_answered, ledger.nginx_logged, ledger.backends_served) == (count, count, count)
    assert (ledger.nginx_forwarded, ledger.other_clients) == (count, 0)
    assert ledger.is_balanced


async def test_weights_share_out_to_the_request(place: Place, nginx: str) -> None:
    """5:1:1:1:1 over 900 requests are exactly 500 and four times 100."""
    count = 900 if nginx == "bundled" else 90
    report = await run(
        place, nginx=nginx, backends=specs(5, 1, 1, 1, 1), traffic=TrafficSpec(requests=count, connections=4)
    )
    assert [backend.hits for backend in report.backends] == [5 * count // 9, *[count // 9] * 4]
    assert [backend.share for backend in report.backends] == pytest.approx([5 / 9, 1 / 9, 1 / 9, 1 / 9, 1 / 9])
    assert report.ledger.is_balanced


async def test_every_algorithm_picks_as_it_should(start_lab: StartLab, nginx: str) -> None:
    """One client with one URI is one backend to a hash; all others spread, and each request has its answer."""
    lab = await start_lab(nginx=nginx)
    available = [choice.name for choice in lab.parts.balancer.choices() if choice.is_available]
    answered = {}
    for name in available:
        await lab.use_algorithm(name)
        answered[name] = Counter(await ask_times(30, lab.parts.ports.nginx))
    assert set(available) >= {"round_robin", "least_conn", "random", "random_two", "ip_hash", "hash", "hash_consistent"}
    assert all(pids.total() == 30 for pids in answered.values())
    for name in ("ip_hash", "hash", "hash_consistent"):
        assert len(answered[name]) == 1, name
    for name in ("round_robin", "least_conn"):
        assert sorted(answered[name].values()) == [10, 10, 10], name
    for name in ("random", "random_two"):
        assert len(answered[name]) > 1, name
    assert (await lab.settle()).is_balanced


async def test_a_hash_of_the_uri_sends_each_uri_to_its_own(start_lab: StartLab) -> None:
    """Many URIs reach all backends, and the same one always the same."""
    lab = await start_lab()
    await lab.use_algorithm("hash")

    def ask_for_each() -> list[int]:
        return [ask(lab.parts.ports.nginx, f"/{number}").pid for number in range(40)]

    first = await asyncio.to_thread(ask_for_each)
    assert len(set(first)) == 3
    assert await asyncio.to_thread(ask_for_each) == first


async def test_least_conn_spares_whoever_is_busy(place: Place) -> None:
    """With eight requests under way on three backends nobody has more than one more than another at the start."""
    report = await run(
        place,
        algorithm="least_conn",
        backends=specs(1, 1, 1),
        behaviour=Behaviour(service_time_ms=100),
        traffic=TrafficSpec(requests=6, connections=6),
    )
    assert [backend.hits for backend in report.backends] == [2, 2, 2]


async def test_a_backup_gets_nothing_while_a_primary_lives(place: Place) -> None:
    """nginx asks it only when no primary is eligible."""
    report = await run(
        place, backends=(BackendSpec(), BackendSpec(), BackendSpec(is_backup=True)), traffic=TrafficSpec(requests=20)
    )
    assert [backend.hits for backend in report.backends] == [10, 10, 0]


async def test_an_open_loop_reports_its_rate(place: Place) -> None:
    """A second at 80/s: about 80 requests, each timed from the moment it was due."""
    report = await run(
        place,
        backends=specs(1, 1),
        behaviour=Behaviour(service_time_ms=20),
        traffic=TrafficSpec(rate_rps=80, duration_seconds=1),
    )
    traffic = report.traffic
    assert (traffic.loop, traffic.target_rps) == (LoopKind.OPEN, 80)
    assert 79 <= traffic.sent == traffic.answered <= 81
    assert traffic.latency.count == traffic.answered
    assert traffic.latency.min_ms is not None
    assert traffic.latency.min_ms >= 19  # reading the request is part of its service
    assert report.duration_seconds > 0.98


async def test_a_closed_loop_is_never_late(place: Place) -> None:
    """Late is what an open loop is for want of a free connection; a closed one sends when it can."""
    report = await run(place, backends=specs(1, 1), traffic=TrafficSpec(requests=20))
    assert report.traffic.loop is LoopKind.CLOSED
    assert report.traffic.late == 0


async def test_capacity_and_service_time_make_a_queue(place: Place) -> None:
    """Two single-threaded backends of 100 ms need half a second for ten requests, however many come at once."""
    report = await run(
        place,
        backends=specs(1, 1),
        behaviour=Behaviour(service_time_ms=100, capacity=1),
        traffic=TrafficSpec(requests=10, connections=10),
    )
    latency = report.traffic.latency
    assert latency.min_ms is not None
    assert latency.max_ms is not None
    assert latency.min_ms >= 100
    assert latency.max_ms >= 500
    assert report.traffic.failed == 0


async def test_several_workers_serve_and_are_reported(place: Place) -> None:
    """Each has a state of its own; the lab counts for all of them."""
    report = await run(place, nginx_workers=3, backends=specs(1, 1), traffic=TrafficSpec(requests=40, connections=4))
    assert report.workers == 3
    assert len(report.nginx.worker_pids) == 3
    assert sum(backend.hits for backend in report.backends) == 40
    assert report.ledger.is_balanced


async def test_an_nginx_too_old_for_the_algorithm_is_refused_before_anything_starts(place: Place, nginx: str) -> None:
    """The sentence says since when nginx has it, and which one was asked."""
    binary = await find_nginx(nginx)
    if "least_time" in binary.features:
        pytest.skip(f"nginx {binary.version_text} has least_time")
    with pytest.raises(NotReadyError) as refusal:
        await run(place, nginx=nginx, algorithm="least_time")
    sentence = str(refusal.value)
    assert sentence.startswith("least_time needs nginx 1.31.0 or newer")
    assert binary.version_text in sentence
    assert "--nginx bundled" in sentence
