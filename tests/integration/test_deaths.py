"""What isn't a backend dies: it is told within a second, started again when asked, and nothing is left in the end."""

import asyncio
import contextlib
import json
import random
import sys
import time
from functools import partial

import psutil
import pytest

from lab.errors import LabError
from lab.machine.guard import MOST_IN_A_ROW
from lab.models import Snapshot
from lab.session import LabSession
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import Place, StartLab
from tests.integration.facts import HOST, POLL_SECONDS, ask, is_free, lablb_running, only_one, running, seen, wait_until
from tests.soak.deaths import VICTIMS, Victim, die_alone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")

NOTICED_SECONDS = 1.0
UNLOGGED_REQUESTS = 20
"""nginx writes its log every 0.1 s, if the machine lets it: at 50 requests a second that is five."""


async def told(lab: LabSession, words: str) -> Snapshot:
    """The first snapshot with a notice that has these words."""
    return await seen(lab, lambda now: any(words in notice for notice in now.notices), what=f"a notice of {words!r}")


async def told_at_once(lab: LabSession, words: str) -> Snapshot:
    """As `told`, within a second."""
    since = time.monotonic()
    shown = await told(lab, words)
    assert time.monotonic() - since < NOTICED_SECONDS
    return shown


def master_of(lab: LabSession) -> psutil.Process:
    pid = lab.parts.balancer.server.master_pid
    assert pid is not None
    return psutil.Process(pid)


async def answered(lab: LabSession, more: int) -> Snapshot:
    """Wait until the lab's client has got so many more answers."""
    before = lab.parts.observer.tally.totals().answered
    return await seen(lab, lambda now: now.traffic.answered >= before + more, what=f"{more} more answers")


async def balances(lab: LabSession, *, unlogged: int = 0) -> Snapshot:
    """The lab once its client is paused and all is counted; the ledger agrees, but for what nginx couldn't log."""
    await lab.toggle_traffic()
    last = await seen(lab, lambda now: now.traffic.in_flight == 0, what="the last answer")
    ledger = await lab.settle()
    assert 0 <= ledger.client_answered - ledger.nginx_logged <= unlogged, ledger
    assert 0 <= ledger.backends_served - ledger.nginx_forwarded <= unlogged, ledger
    assert last.traffic.sent == last.traffic.answered + last.traffic.failed
    return last


@pytest.mark.clock
async def test_an_nginx_that_is_killed_is_told_and_repaired(start_lab: StartLab, nginx: str) -> None:
    """Its workers don't outlive it; started again it runs on the configuration in force, and traffic goes on."""
    lab = await start_lab(nginx=nginx, is_firing=True)
    await lab.use_algorithm("least_conn")
    await answered(lab, 5)
    master = master_of(lab)
    workers = master.children()
    assert workers
    master.kill()
    shown = await told_at_once(lab, f"nginx (PID {master.pid}) has died (signal 9), and")
    assert shown.nginx is not None
    assert (shown.nginx.master_pid, shown.nginx.worker_pids) == (None, ())
    psutil.wait_procs(workers, timeout=1)
    assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]
    assert is_free(lab.parts.ports.nginx)
    with pytest.raises(LabError, match="nginx isn't running: R starts it again"):
        await lab.use_algorithm("round_robin")
    await lab.repair()
    await answered(lab, 20)
    shown = await told(lab, f"nginx runs again (PID {master_of(lab).pid})")
    assert shown.algorithm == "least_conn"
    assert "least_conn;" in (lab.parts.balancer.server.folder / "sites-available" / "lablb.conf").read_text()
    await lab.use_algorithm("round_robin")
    last = await balances(lab, unlogged=UNLOGGED_REQUESTS)
    assert set(dict(last.traffic.errors)) <= {"refused", "reset", "broken_off", "no_connection"}


async def test_a_worker_of_nginx_that_is_killed_is_replaced_by_nginx(
    start_lab: StartLab, nginx: str, excused: list[str]
) -> None:
    """The lab shows the new PID and says what happened; what was under way on the old one fails, and no more."""
    excused.append("exited on signal 9")
    lab = await start_lab(nginx=nginx, is_firing=True)
    await answered(lab, 5)
    worker = only_one(master_of(lab).children())
    worker.kill()
    await told(lab, f"nginx's worker (PID {worker.pid}) has died (signal 9), and")
    shown = await seen(
        lab,
        lambda now: now.nginx and now.nginx.worker_pids and worker.pid not in now.nginx.worker_pids,
        what="the new worker",
    )
    assert shown.nginx is not None
    assert shown.nginx.worker_pids == tuple(child.pid for child in master_of(lab).children())
    await answered(lab, 20)
    assert (await balances(lab, unlogged=UNLOGGED_REQUESTS)).traffic.failed <= 5


async def test_what_a_killed_worker_never_logged_is_missing_at_any_rate(
    start_lab: StartLab, excused: list[str]
) -> None:
    """Its log's buffer dies with it. Hundreds on their way hide nothing of that, nor does any time."""
    excused.append("exited on signal 9")
    lab = await start_lab(is_firing=True, traffic=TrafficSpec(rate_rps=20))
    observer = lab.parts.observer
    for _ in range(3):
        await answered(lab, 5)
        worker = only_one(master_of(lab).children())
        async with asyncio.timeout(20):  # for an answer that nginx hasn't logged yet, which is so for 0.1 s
            while observer.journal.client_answered <= observer.journal.nginx_logged:
                await asyncio.sleep(POLL_SECONDS / 10)
        worker.kill()
        await told(lab, f"nginx's worker (PID {worker.pid}) has died")
    await lab.toggle_traffic()
    await seen(lab, lambda now: now.traffic.in_flight == 0, what="the last answer")
    lost = (await lab.settle()).differences
    assert len(lost) == 2
    await seen(lab, lambda now: now.ledger.differences == lost, what="both gaps in the ledger")
    await lab.step_rate(4)
    await lab.toggle_traffic()
    await seen(lab, lambda now: now.traffic.rate_rps > 250, what="more traffic")
    before = lab.parts.observer.tally.totals().answered
    async for now in lab.snapshots():
        assert now.ledger.differences == lost
        if now.traffic.answered >= before + 1000:
            break


@pytest.mark.clock
async def test_a_client_that_is_killed_is_told_and_repaired(start_lab: StartLab, place: Place) -> None:
    """What it had under way has failed; the new one goes on at the rate that was set, and the counts agree."""
    lab = await start_lab(is_firing=True, traffic=TrafficSpec(rate_rps=20))
    await lab.step_rate(3)
    for port in lab.parts.ports.backends:
        await lab.slow_backend(port)
        await lab.slow_backend(port)
    await answered(lab, 20)
    client = only_one(running("lab.traffic.worker", place.folder))
    client.kill()
    shown = await told_at_once(lab, f"The lab's client (PID {client.pid}) has died (signal 9), with ")
    assert dict(shown.traffic.errors)["client_died"] == shown.traffic.failed > 0
    assert shown.traffic.is_dead
    assert shown.traffic.in_flight == 0
    for command in (lab.toggle_traffic, lab.fire_once):
        with pytest.raises(LabError, match="client has ended: R starts it again"):
            await command()
    await lab.repair()
    again = await answered(lab, 50)
    assert (again.traffic.target_rps, again.traffic.is_paused) == (200, False)
    last = await balances(lab)
    assert dict(last.traffic.errors) == {"client_died": shown.traffic.failed}


async def test_a_paused_client_that_dies_comes_back_paused(start_lab: StartLab, place: Place) -> None:
    """Nobody is fired at who hasn't asked for it; a single shot works."""
    lab = await start_lab(backends=1)
    await lab.fire_once()
    await answered(lab, 1)
    only_one(running("lab.traffic.worker", place.folder)).kill()
    await told(lab, "has died (signal 9): R starts it again")
    await lab.repair()
    await lab.fire_once()
    shown = await seen(lab, lambda now: now.traffic.answered == 2, what="the second answer")
    assert shown.traffic.is_paused
    ledger = await lab.settle()
    assert (ledger.client_answered, ledger.nginx_logged, ledger.backends_served) == (2, 2, 2)


async def test_what_was_stopped_from_outside_is_named(start_lab: StartLab, place: Place) -> None:
    """A worker of nginx, and the lab's client; until somebody lets them go on."""
    lab = await start_lab(is_firing=True)
    worker = only_one(master_of(lab).children())
    client = only_one(running("lab.traffic.worker", place.folder))
    for process in (worker, client):
        process.suspend()
    try:
        await seen(
            lab,
            lambda now: now.nginx and now.nginx.stopped_pids == (worker.pid,) and now.traffic.stopped_pid == client.pid,
            what="both to be named",
        )
    finally:
        for process in (worker, client):
            process.resume()
    await seen(
        lab,
        lambda now: now.nginx and not now.nginx.stopped_pids and now.traffic.stopped_pid is None,
        what="nothing to be stopped",
    )
    await answered(lab, 5)


async def test_a_dead_client_that_is_told_to_go_on_does_so_once_it_is_repaired(
    start_lab: StartLab, place: Place
) -> None:
    """The game pauses it, and lets it go on when it is left; it may have died in between."""
    lab = await start_lab(is_firing=True)
    await answered(lab, 5)
    await lab.toggle_traffic()
    only_one(running("lab.traffic.worker", place.folder)).kill()
    await told(lab, "has died (signal 9)")
    with pytest.raises(LabError, match="R starts it again"):
        await lab.toggle_traffic()
    await lab.repair()
    await answered(lab, 5)


@pytest.mark.clock
async def test_a_guardian_that_is_killed_is_replaced_and_the_new_one_holds_nginx(
    start_lab: StartLab, place: Place
) -> None:
    """It tells of nginx's death as the first one did, and ends what outlives the lab."""
    lab = await start_lab(is_firing=True)
    guardian, master = only_one(running("lab.machine.guardian", place.folder)), master_of(lab)
    guardian.kill()
    await told_at_once(lab, f"The guardian (PID {guardian.pid}) has died (signal 9): another one (PID ")
    new = only_one(running("lab.machine.guardian", place.folder))
    assert new.pid != guardian.pid
    await answered(lab, 10)
    workers = master.children()
    master.kill()
    shown = await told_at_once(lab, f"nginx (PID {master.pid}) has died, and")
    assert shown.nginx is not None
    assert shown.nginx.master_pid is None
    psutil.wait_procs(workers, timeout=1)
    await lab.repair()
    await answered(lab, 10)
    assert master_of(lab).ppid() == new.pid


def _has_notices(count: int, shown: Snapshot) -> bool:
    return len(shown.notices) == count


async def test_guardians_that_die_one_after_the_other_are_given_up(start_lab: StartLab, place: Place) -> None:
    """A machine on which none lives is told of; the lab runs on, and still leaves nothing behind."""
    lab = await start_lab(backends=1)
    for number in range(MOST_IN_A_ROW + 1):
        only_one(running("lab.machine.guardian", place.folder)).kill()
        await seen(lab, partial(_has_notices, number + 1), what=f"notice {number + 1}")
    assert lab.parts.ports.notice is None
    assert "No guardian lives long here" in lab._notices.told[-1]
    assert (await asyncio.to_thread(ask, lab.parts.ports.nginx)).status == 200
    await lab.stop()
    place.wait_until_empty()


async def test_where_nothing_has_died_there_is_nothing_to_repair(start_lab: StartLab) -> None:
    """The sentence says so."""
    lab = await start_lab(backends=1)
    with pytest.raises(LabError, match="there is nothing to start again"):
        await lab.repair()


async def test_a_repair_that_finds_the_port_taken_says_so(start_lab: StartLab, excused: list[str]) -> None:
    """In nginx's own words; with the port free again, the next one succeeds."""
    excused.append("bind()")
    lab = await start_lab(backends=1)
    port = lab.parts.ports.nginx
    master_of(lab).kill()
    await told(lab, "has died (signal 9)")
    thief = await asyncio.start_server(lambda reader, writer: writer.close(), HOST, port)
    async with contextlib.AsyncExitStack() as exits:
        exits.push_async_callback(thief.wait_closed)
        exits.callback(thief.close)
        with pytest.raises(LabError, match=r"bind\(\) .* failed \(98: Address (already )?in use\)"):
            await lab.repair()
    await lab.repair()
    assert (await asyncio.to_thread(ask, port)).status == 200


def test_a_run_reports_what_died_under_it(place: Place) -> None:
    """The figures alone wouldn't say why nginx logged less than it answered."""
    with lablb_running("run", "-z", "4s", "-q", "200", "--format", "json", *place.port_options) as lab:
        wait_until(place.is_traffic_flowing, what="traffic")
        (master,) = only_one(running("lab.machine.guardian", place.folder)).children()
        (worker,) = master.children()
        worker.kill()
        out, err = lab.communicate(timeout=20)
    assert (lab.returncode, err) == (0, "")
    (notice,) = json.loads(out)["notices"]
    assert notice.startswith(f"nginx's worker (PID {worker.pid}) has died (signal 9), and ")


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.name)
def test_whatever_dies_alone_at_a_random_moment_leaves_nothing(place: Place, victim: Victim, seed: int) -> None:
    """Under traffic; then the lab is quit, or gone, and the next one starts on the same ports."""
    die_alone(victim, place, random.Random(seed))


async def test_a_bug_in_what_hears_a_child_is_the_labs_end(
    start_lab: StartLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't a silence in which requests seem to be under way for ever."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("lab.observer.Observer.note_outcomes", fail)
    lab = await start_lab(is_firing=True)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        async with asyncio.timeout(10):
            await lab.fail()
    with pytest.raises(ZeroDivisionError, match="a bug"):
        await seen(lab, lambda now: False, what="nothing")
