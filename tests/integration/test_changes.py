"""Changes to a running lab: algorithms, weights, places in the upstream, traffic. Nothing is lost by them."""

import asyncio
import sys

import psutil
import pytest

from lab.algorithms import WITHOUT_BACKUPS
from lab.config import BackendSpec
from lab.errors import LabError, NginxRefusedError, UsageError
from lab.models import ConfigView
from lab.session import LabSession
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import StartLab
from tests.integration.facts import ask, ask_times, backend_at, seen

TEN_SWITCHES = (
    "least_conn",
    "random",
    "random_two",
    "ip_hash",
    "hash",
    "hash_consistent",
    "round_robin",
    "least_conn",
    "ip_hash",
    "round_robin",
)


def config_of(lab: LabSession) -> ConfigView:
    """The configuration in force."""
    config = lab.parts.balancer.config
    assert config is not None
    return config


def pid_at(lab: LabSession, place: int) -> int:
    """Of the backend at that place, counted from 0."""
    pid = lab.parts.fleet[lab.parts.ports.backends[place]].pid
    assert pid is not None
    return pid


async def answered_by(lab: LabSession, requests: int) -> list[int]:
    """How many of so many requests, one after the other, each backend answered, in the order of their ports."""
    pids = await ask_times(requests, lab.parts.ports.nginx)
    return [pids.count(backend.pid or 0) for backend in lab.parts.fleet]


async def answers(lab: LabSession, requests: int, *, by: str) -> None:
    """Wait until the lab's client has got so many more answers by that algorithm."""
    before = lab.parts.observer.tally.totals().answered
    await seen(
        lab,
        lambda shown: shown.algorithm == by and shown.traffic.answered >= before + requests,
        what=f"{requests} answers by {by}",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
async def test_a_change_that_was_told_as_failed_does_not_come_late(
    start_lab: StartLab, nginx: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped master still has its signal when it goes on: what it reads then is the configuration in force."""
    monkeypatch.setattr("lab.nginx.server.RELOAD_SECONDS", 1.0)
    lab = await start_lab(nginx=nginx, backends=2)
    server = lab.parts.balancer.server
    assert server.master_pid is not None
    master, workers = psutil.Process(server.master_pid), set(server.worker_pids())
    port = lab.parts.ports.backends[0]
    master.suspend()
    try:
        with pytest.raises(LabError, match=f"master .PID {master.pid}. is stopped, and goes on with SIGCONT"):
            await lab.change_weight(port, 8)
    finally:
        master.resume()
    await seen(
        lab,
        lambda now: now.nginx and now.nginx.worker_pids and not workers.intersection(now.nginx.worker_pids),
        what="new workers",
    )
    shown = await seen(lab, lambda now: True, what="the lab as it is")
    assert backend_at(shown, port).weight == 1
    assert await answered_by(lab, 20) == [10, 10]
    await lab.change_weight(port, 3)
    assert await answered_by(lab, 20) == [16, 4]
    assert config_of(lab).generation == 2


async def test_ten_switches_under_traffic_lose_nothing(start_lab: StartLab, nginx: str) -> None:
    """At 120 requests a second, every one is answered, and client, nginx and backends agree in the end."""
    lab = await start_lab(nginx=nginx, backends=5, is_firing=True, traffic=TrafficSpec(rate_rps=120))
    for algorithm in TEN_SWITCHES:
        await lab.use_algorithm(algorithm)
        await answers(lab, 15, by=algorithm)
    await lab.toggle_traffic()
    snapshot = await seen(lab, lambda shown: shown.traffic.in_flight == 0, what="the last answer")
    assert (snapshot.traffic.failed, snapshot.traffic.errors) == (0, ())
    assert snapshot.traffic.answered >= 150
    assert config_of(lab).generation == 1 + len(TEN_SWITCHES)
    ledger = await lab.settle()
    assert ledger.is_balanced, ledger.differences
    assert ledger.client_answered == lab.parts.observer.tally.totals().answered


async def test_switching_changes_one_line_and_takes_effect(start_lab: StartLab, nginx: str) -> None:
    """The diff shows the directive, and the very next request is picked by it."""
    lab = await start_lab(nginx=nginx)
    assert await answered_by(lab, 6) == [2, 2, 2]
    await lab.use_algorithm("ip_hash")
    config = config_of(lab)
    assert [line.text.strip() for line in config.site_diff if line.mark == "+"] == ["ip_hash;"]
    assert [line.mark for line in config.site_diff].count("-") == 0
    assert config.change == "round_robin → ip_hash"
    assert sorted(await answered_by(lab, 6)) == [0, 0, 6]


async def test_switching_to_the_algorithm_in_force_changes_nothing(start_lab: StartLab) -> None:
    """No reload, which would begin the round anew."""
    lab = await start_lab(backends=2)
    before = config_of(lab)
    await lab.use_algorithm("round_robin")
    assert config_of(lab) is before


async def test_commands_given_at_once_are_carried_out_one_after_the_other(start_lab: StartLab) -> None:
    """Two hasty keys make two generations, and both changes stand."""
    lab = await start_lab()
    first, second, third = lab.parts.ports.backends
    await asyncio.gather(
        lab.use_algorithm("least_conn"),
        lab.change_weight(first, 1),
        lab.change_weight(first, 1),
        lab.toggle_down(second),
        lab.toggle_backup(third),
    )
    site = config_of(lab).site
    assert config_of(lab).generation == 6
    assert f"server 127.0.0.1:{first} weight=3 fail_timeout=1s;" in site
    assert f"server 127.0.0.1:{second} fail_timeout=1s down;" in site
    assert f"server 127.0.0.1:{third} fail_timeout=1s backup;" in site
    assert "least_conn;" in site
    assert await answered_by(lab, 5) == [5, 0, 0]


async def test_a_weight_takes_effect_with_the_next_request(start_lab: StartLab, nginx: str) -> None:
    """Raised to 3 of 5 it gets six of ten; lowered again, a third."""
    lab = await start_lab(nginx=nginx)
    port = lab.parts.ports.backends[0]
    await lab.change_weight(port, 2)
    config = config_of(lab)
    assert f"server 127.0.0.1:{port} weight=3 fail_timeout=1s;" in config.site
    assert config.change == f"weight of {port}: 1 → 3"
    assert await answered_by(lab, 10) == [6, 2, 2]
    snapshot = await seen(lab, lambda shown: shown.traffic.other_clients == 10, what="ten requests in the log")
    assert [(backend.weight, backend.hits) for backend in snapshot.backends] == [(3, 6), (1, 2), (1, 2)]
    await lab.change_weight(port, -2)
    assert await answered_by(lab, 9) == [3, 3, 3]


async def test_a_weight_below_one_is_refused_and_nothing_changes(start_lab: StartLab) -> None:
    """The sentence names the weight that can't be."""
    lab = await start_lab(backends=2)
    before = config_of(lab)
    with pytest.raises(UsageError, match="weight of 0"):
        await lab.change_weight(lab.parts.ports.backends[0], -1)
    assert config_of(lab) is before
    assert await answered_by(lab, 4) == [2, 2]


async def test_a_backend_out_of_rotation_gets_nothing_until_it_is_back(start_lab: StartLab) -> None:
    """`down` in the configuration and in the snapshot; its process lives on."""
    lab = await start_lab()
    port = lab.parts.ports.backends[1]
    pid = pid_at(lab, 1)
    await lab.toggle_down(port)
    assert f"server 127.0.0.1:{port} fail_timeout=1s down;" in config_of(lab).site
    assert await answered_by(lab, 6) == [3, 0, 3]
    snapshot = await seen(lab, lambda shown: backend_at(shown, port).is_down, what="it to be shown as down")
    assert backend_at(snapshot, port).pid == pid
    await lab.toggle_down(port)
    assert "down" not in config_of(lab).site
    assert await answered_by(lab, 6) == [2, 2, 2]


async def test_a_backup_answers_when_no_primary_can(start_lab: StartLab) -> None:
    """It gets nothing while one lives, and everything after."""
    lab = await start_lab(backends=2)
    primary, backup = lab.parts.ports.backends
    await lab.toggle_backup(backup)
    assert f"server 127.0.0.1:{backup} fail_timeout=1s backup;" in config_of(lab).site
    assert await answered_by(lab, 4) == [4, 0]
    await lab.kill_backend(primary)
    assert await answered_by(lab, 4) == [0, 4]


async def test_what_nginx_refuses_leaves_the_running_configuration_as_it_was(
    start_lab: StartLab, nginx: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the lab to let a backup pass under ip_hash: nginx has its own words, and the old configuration serves on."""
    monkeypatch.setattr("lab.nginx.balancer.require_fitting_backups", lambda *_: None)
    lab = await start_lab(nginx=nginx, backends=(BackendSpec(), BackendSpec(), BackendSpec(is_backup=True)))
    before = config_of(lab)
    with pytest.raises(NginxRefusedError) as refusal:
        await lab.use_algorithm("ip_hash")
    assert 'does not support parameter "backup"' in str(refusal.value)
    assert "\n" not in str(refusal.value)
    folder = lab.parts.balancer.server.folder
    assert str(folder) not in str(refusal.value)
    assert (folder / "sites-available" / "lablb.conf").read_text() == before.site
    assert config_of(lab) is before
    assert await answered_by(lab, 4) == [2, 2, 0]
    snapshot = await seen(lab, lambda shown: shown.traffic.other_clients == 4, what="the requests in the log")
    assert snapshot.algorithm == "round_robin"
    await lab.use_algorithm("least_conn")
    assert config_of(lab).generation == before.generation + 1


async def test_a_lab_without_a_primary_is_refused(start_lab: StartLab) -> None:
    """The last primary can't become a backup, and the sentence is that of a start."""
    lab = await start_lab(backends=(BackendSpec(), BackendSpec(is_backup=True)))
    with pytest.raises(LabError, match=r"^nginx needs a backend that is no backup: make fewer of them backups\.$"):
        await lab.toggle_backup(lab.parts.ports.backends[0])
    assert await answered_by(lab, 2) == [2, 0]


@pytest.mark.parametrize("algorithm", sorted(WITHOUT_BACKUPS))
async def test_backups_and_an_algorithm_without_them_are_refused_as_at_the_start(
    start_lab: StartLab, algorithm: str
) -> None:
    """Whichever of the two is changed, one sentence names the remedy; nginx isn't asked."""
    lab = await start_lab(backends=2)
    before, backup = config_of(lab), lab.parts.ports.backends[1]
    refused = f"^nginx refuses backups with {algorithm}: make none of the backends one, or choose round_robin,"
    await lab.use_algorithm(algorithm)
    with pytest.raises(UsageError, match=refused):
        await lab.toggle_backup(backup)
    await lab.use_algorithm("round_robin")
    await lab.toggle_backup(backup)
    with pytest.raises(UsageError, match=refused):
        await lab.use_algorithm(algorithm)
    assert config_of(lab).generation == before.generation + 3
    assert await answered_by(lab, 2) == [2, 0]


async def test_what_isnt_there_is_refused(start_lab: StartLab) -> None:
    """A port without a backend, and an algorithm that doesn't exist, each with a sentence that names it."""
    lab = await start_lab(backends=1)
    for command in (lab.kill_backend, lab.toggle_freeze, lab.toggle_down, lab.toggle_backup, lab.slow_backend):
        with pytest.raises(LabError, match=r"There is no backend on port 1\."):
            await command(1)
    with pytest.raises(LabError, match=r"There is no backend on port 1\."):
        await lab.restart_backend(1)
    with pytest.raises(UsageError, match=r"no algorithm 'fastest': choose one of round_robin"):
        await lab.use_algorithm("fastest")
    assert config_of(lab).generation == 1


async def test_what_an_nginx_lacks_is_shown_and_refused(start_lab: StartLab, nginx: str) -> None:
    """An algorithm that this binary doesn't know says since when nginx has it; all others are there."""
    lab = await start_lab(nginx=nginx, backends=2)
    has_least_time = "least_time" in lab.parts.balancer.server.binary.features
    snapshot = await seen(lab, lambda shown: shown.algorithms, what="the algorithms")
    choices = {choice.name: choice for choice in snapshot.algorithms}
    assert len(choices) == 8
    assert all(
        choice.is_available and choice.why_not is None for name, choice in choices.items() if name != "least_time"
    )
    least_time = choices["least_time"]
    assert least_time.is_available is has_least_time
    if has_least_time:
        await lab.use_algorithm("least_time")
        assert await answered_by(lab, 2) == [1, 1]
    else:
        assert "1.31.0" in (least_time.why_not or "")
        with pytest.raises(LabError, match=r"1\.31\.0"):
            await lab.use_algorithm("least_time")
        assert config_of(lab).generation == 1


async def test_traffic_pauses_and_goes_on(start_lab: StartLab) -> None:
    """Paused, nothing is sent; resumed, it is."""
    lab = await start_lab(backends=1, is_firing=True)
    await seen(lab, lambda shown: shown.traffic.answered > 5, what="traffic")
    await lab.toggle_traffic()
    paused = await seen(lab, lambda shown: shown.traffic.is_paused and not shown.traffic.in_flight, what="the pause")
    await seen(lab, lambda shown: shown.traffic.rate_rps == 0, what="the rate to fall to nothing")
    assert lab.parts.observer.tally.totals().answered <= paused.traffic.answered + 1
    await lab.toggle_traffic()
    await seen(lab, lambda shown: shown.traffic.answered > paused.traffic.answered + 5, what="traffic again")


async def test_the_rate_goes_by_steps(start_lab: StartLab) -> None:
    """Up from 20 is 50, down again and once more is 10, and the client keeps to it."""
    lab = await start_lab(backends=1, is_firing=True, traffic=TrafficSpec(rate_rps=1))
    await lab.step_rate(5)
    snapshot = await seen(lab, lambda shown: shown.traffic.target_rps == 50, what="50 requests a second as the target")
    await seen(lab, lambda shown: shown.traffic.sent > snapshot.traffic.sent + 20, what="twenty more requests")
    await lab.step_rate(-1)
    await seen(lab, lambda shown: shown.traffic.target_rps == 20, what="20 requests a second as the target")


async def test_a_closed_loop_goes_by_connections(start_lab: StartLab) -> None:
    """It has no rate to raise, so that a step is one of connections."""
    lab = await start_lab(backends=1, is_firing=True, traffic=TrafficSpec(connections=1))
    await lab.slow_backend(lab.parts.ports.backends[0])
    await lab.step_rate(2)
    snapshot = await seen(lab, lambda shown: shown.traffic.in_flight == 4, what="four requests under way")
    assert (snapshot.traffic.connections, snapshot.traffic.target_rps) == (4, None)


async def test_one_request_can_be_fired_while_traffic_is_paused(start_lab: StartLab) -> None:
    """One, and no more."""
    lab = await start_lab(backends=1)
    await lab.fire_once()
    snapshot = await seen(lab, lambda shown: shown.traffic.answered == 1, what="its answer")
    assert snapshot.traffic.is_paused
    assert snapshot.traffic.sent == 1


async def test_zeroing_counts_anew_and_leaves_the_ledger(start_lab: StartLab) -> None:
    """Hits, answers and latencies begin at nothing; what was counted since the start still has to agree."""
    lab = await start_lab(backends=2)
    for _ in range(4):
        await lab.fire_once()
    await seen(
        lab,
        lambda shown: shown.traffic.answered == 4 and [backend.hits for backend in shown.backends] == [2, 2],
        what="four answers",
    )
    await lab.settle()
    lab.zero_counters()
    snapshot = await seen(lab, lambda shown: shown.traffic.answered == 0, what="the counters at zero")
    assert [(backend.hits, backend.share) for backend in snapshot.backends] == [(0, None), (0, None)]
    assert (snapshot.traffic.sent, snapshot.traffic.latency.count) == (0, 0)
    assert snapshot.ledger.client_answered == 4
    await lab.fire_once()
    await seen(lab, lambda shown: shown.traffic.answered == 1, what="the first answer after zero")
    ledger = await lab.settle()
    assert (ledger.client_answered, ledger.nginx_logged, ledger.backends_served) == (5, 5, 5)


async def test_a_request_under_way_survives_a_reload(start_lab: StartLab) -> None:
    """The old worker finishes what it has begun."""
    lab = await start_lab(backends=2)
    for port in lab.parts.ports.backends:
        for _ in range(3):
            await lab.slow_backend(port)
    under_way = asyncio.create_task(asyncio.to_thread(ask, lab.parts.ports.nginx))
    await seen(
        lab, lambda shown: sum(backend.in_flight or 0 for backend in shown.backends) == 1, what="it to be worked on"
    )
    await lab.use_algorithm("least_conn")
    assert (await under_way).status == 200
