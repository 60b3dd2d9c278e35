"""What the lab infers of nginx's beliefs, held against what nginx does."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Callable

import psutil
import pytest

from lab.config import BackendSpec
from lab.logs.access_log import LogLine
from lab.logs.batch import Batch
from lab.models import Snapshot
from lab.nginx.belief import Belief, Standing
from lab.nginx.inference import CLOCK_SECONDS, Inference
from lab.session import LabSession
from lab.states import BackendState
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import StartLab
from tests.integration.facts import ask, backend_at, seen

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
RATE_RPS = 100.0
PROMPT_SECONDS = 0.5
"""Within which one of so many requests comes round to a backend that is due."""


class Witness:
    """Keeps every line that the lab reads from nginx's log."""

    def __init__(self, lab: LabSession) -> None:
        self.lines: list[LogLine] = []
        self._lab = lab
        inference = lab.parts.observer.inference
        note = inference.note_lines

        def note_lines(batch: Batch) -> None:
            self.lines += batch.lines
            note(batch)

        inference.note_lines = note_lines  # type: ignore[method-assign]  # Listens in.

    async def hear(self, more: int) -> None:
        """Wait for so many more lines."""
        wanted = len(self.lines) + more
        await seen(self._lab, lambda shown: len(self.lines) >= wanted, what=f"{more} more requests")

    def begins(self, port: int) -> list[float]:
        """When each attempt on that backend began, by nginx's clock."""
        found = []
        for line in self.lines:
            moment = line.time - sum(attempt.seconds or 0.0 for attempt in line.attempts)
            for attempt in line.attempts:
                if attempt.port == port:
                    found.append(moment)
                moment += attempt.seconds or 0.0
        return sorted(found)


def belief_of(snapshot: Snapshot, port: int) -> Belief:
    belief = backend_at(snapshot, port).belief
    assert belief is not None
    return belief


async def believed(lab: LabSession, port: int, standing: Standing, *, what: str = "") -> Belief:
    """Wait until nginx is believed to think so of it."""
    snapshot = await seen(
        lab, lambda shown: belief_of(shown, port).standing is standing, what=what or f"{port} to be {standing}"
    )
    return belief_of(snapshot, port)


async def failed_again(lab: LabSession, port: int, fails: int) -> Belief:
    """Wait until it has failed more often than that."""
    snapshot = await seen(lab, lambda shown: belief_of(shown, port).fails > fails, what="the test that fails")
    return belief_of(snapshot, port)


async def ask_once(lab: LabSession, **changes: str) -> int:
    """The status of one request, once the lab has read of it in nginx's log."""
    before = lab.parts.observer.tally.totals().other_clients
    reply = await asyncio.to_thread(ask, lab.parts.ports.nginx, **changes)  # type: ignore[arg-type]  # Method, path.
    await seen(lab, lambda shown: shown.traffic.other_clients > before, what="the request in the log")
    return reply.status


@pytest.mark.clock
@pytest.mark.parametrize("fail_timeout", [1, 2])
async def test_the_retry_comes_when_it_was_predicted(start_lab: StartLab, nginx: str, fail_timeout: int) -> None:
    """Not before, and within a fraction of a second after; twice, since the test fails. Restarted, it is cleared."""
    lab = await start_lab(
        nginx=nginx,
        backends=(BackendSpec(fail_timeout_seconds=fail_timeout),) * 3,
        is_firing=True,
        traffic=TrafficSpec(rate_rps=RATE_RPS),
    )
    witness = Witness(lab)
    port = lab.parts.ports.backends[1]
    await seen(lab, lambda shown: backend_at(shown, port).hits > 5, what="traffic")
    await lab.kill_backend(port)
    benched = await believed(lab, port, Standing.BENCHED)
    for fails in (1, 2):
        assert (benched.fails, benched.max_fails) == (fails, 1)
        retry_at = benched.retry_at
        assert retry_at is not None
        last = witness.begins(port)[-1]
        assert retry_at - fail_timeout - 1 <= last <= retry_at - fail_timeout + CLOCK_SECONDS
        benched = await failed_again(lab, port, fails)
        (test, *_) = [began for began in witness.begins(port) if began > last]
        assert retry_at - CLOCK_SECONDS <= test <= retry_at + PROMPT_SECONDS
    await lab.restart_backend(port)
    cleared = await believed(lab, port, Standing.IN_USE)
    assert cleared.fails == 0
    assert (await seen(lab, lambda shown: shown.traffic.answered, what="answers")).traffic.failed == 0


async def test_failures_are_counted_up_to_max_fails(start_lab: StartLab, nginx: str) -> None:
    """One of three, two of three, and with the third it is benched."""
    lab = await start_lab(nginx=nginx, backends=(BackendSpec(max_fails=3), BackendSpec()))
    port = lab.parts.ports.backends[0]
    await lab.kill_backend(port)
    seen_so_far = [Belief(Standing.IN_USE, 0, 3)]
    for _ in range(12):
        assert await ask_once(lab) == 200
        snapshot = await seen(lab, lambda shown: True, what="a snapshot")
        if (belief := belief_of(snapshot, port)) != seen_so_far[-1]:
            seen_so_far.append(belief)
    retry_at = seen_so_far[-1].retry_at
    assert seen_so_far == [
        Belief(Standing.IN_USE, 0, 3),
        Belief(Standing.FAILING, 1, 3),
        Belief(Standing.FAILING, 2, 3),
        Belief(Standing.BENCHED, 3, 3, retry_at),
    ]
    assert len([line for line in _disabled(lab) if f"127.0.0.1:{port}/" in line]) == 1


async def test_a_backup_is_spare_until_the_primary_is_benched(start_lab: StartLab, nginx: str) -> None:
    """Then it is in use; when it fails too, nobody is live, which is nobody's failure."""
    lab = await start_lab(nginx=nginx, backends=(BackendSpec(), BackendSpec(is_backup=True)))
    primary, backup = lab.parts.ports.backends
    assert await ask_once(lab) == 200
    await believed(lab, backup, Standing.SPARE)
    await lab.kill_backend(primary)
    assert await ask_once(lab) == 200
    await believed(lab, primary, Standing.BENCHED)
    await believed(lab, backup, Standing.IN_USE)
    await lab.kill_backend(backup)
    assert await ask_once(lab) == 502
    before = await believed(lab, backup, Standing.BENCHED)
    assert await ask_once(lab) == 502
    snapshot = await seen(lab, lambda shown: shown.feed[-1].attempts[0].port is None, what="no live upstreams")
    assert belief_of(snapshot, backup) == before


async def test_an_only_backend_is_asked_whatever_it_did(start_lab: StartLab, nginx: str) -> None:
    """It is never benched, and nginx goes on to try it."""
    lab = await start_lab(nginx=nginx, backends=1)
    (port,) = lab.parts.ports.backends
    await lab.kill_backend(port)
    for _ in range(3):
        assert await ask_once(lab) == 502
    snapshot = await seen(lab, lambda shown: len(shown.feed) == 3, what="three requests")
    assert [[attempt.port for attempt in view.attempts] for view in snapshot.feed] == [[port]] * 3
    assert belief_of(snapshot, port) == Belief(Standing.IN_USE)


async def test_a_sibling_that_is_down_ends_the_exception(start_lab: StartLab, nginx: str) -> None:
    """The one that is left is benched by a single failure, and nginx knows no live upstream."""
    lab = await start_lab(nginx=nginx, backends=(BackendSpec(), BackendSpec(is_down=True)))
    port, sibling = lab.parts.ports.backends
    await lab.kill_backend(port)
    assert await ask_once(lab) == 502
    await believed(lab, port, Standing.BENCHED)
    assert await ask_once(lab) == 502
    snapshot = await seen(lab, lambda shown: len(shown.feed) == 2, what="two requests")
    assert [view.attempts[0].port for view in snapshot.feed] == [port, None]
    assert belief_of(snapshot, sibling).standing is Standing.OUT


async def test_without_max_fails_nginx_tries_it_each_time(start_lab: StartLab) -> None:
    """`max_fails=0`: it keeps its turn."""
    lab = await start_lab(backends=(BackendSpec(max_fails=0),) * 2)
    port = lab.parts.ports.backends[0]
    await lab.kill_backend(port)
    for _ in range(6):
        assert await ask_once(lab) == 200
    snapshot = await seen(lab, lambda shown: backend_at(shown, port).failures == 3, what="three tries in vain")
    assert belief_of(snapshot, port).standing is Standing.IN_USE


async def test_a_reload_forgets(start_lab: StartLab, nginx: str) -> None:
    """The new workers try a dead backend at once."""
    lab = await start_lab(nginx=nginx, backends=(BackendSpec(),) * 2)
    port = lab.parts.ports.backends[0]
    await lab.kill_backend(port)
    assert [await ask_once(lab) for _ in range(2)] == [200, 200]
    await believed(lab, port, Standing.BENCHED)
    await lab.use_algorithm("least_conn")
    await believed(lab, port, Standing.IN_USE)
    assert [await ask_once(lab) for _ in range(2)] == [200, 200]
    await believed(lab, port, Standing.BENCHED)


async def a_benched_backend(lab: LabSession) -> int:
    """Its port, once it is dead and nginx has put it aside."""
    port = lab.parts.ports.backends[0]
    await lab.kill_backend(port)
    assert [await ask_once(lab) for _ in range(2)] == [200, 200]
    await believed(lab, port, Standing.BENCHED)
    return port


@posix_only
async def test_a_dead_nginx_believes_nothing_and_a_new_one_begins_anew(start_lab: StartLab) -> None:
    """Before anybody asks it: the first requests then show that it does."""
    lab = await start_lab(backends=(BackendSpec(),) * 2)
    port = await a_benched_backend(lab)
    psutil.Process(lab.parts.balancer.server.master_pid).kill()
    dead = await seen(lab, lambda now: now.nginx and now.nginx.master_pid is None, what="nginx's end to be noticed")
    assert [backend.belief for backend in dead.backends] == [None, None]
    await lab.repair()
    snapshot = await seen(lab, lambda shown: backend_at(shown, port).belief, what="a belief of the new nginx")
    assert belief_of(snapshot, port) == Belief(Standing.IN_USE)
    assert [await ask_once(lab) for _ in range(2)] == [200, 200]
    await believed(lab, port, Standing.BENCHED)


@posix_only
@pytest.mark.parametrize("end", [psutil.Process.kill, psutil.Process.terminate])
async def test_a_worker_that_ends_takes_its_beliefs_with_it(
    start_lab: StartLab, excused: list[str], end: Callable[[psutil.Process], None]
) -> None:
    """Nobody has to ask the next one for that to be seen, nor need nginx complain."""
    excused.append("exited on signal 9")
    lab = await start_lab(backends=(BackendSpec(),) * 2)
    port = await a_benched_backend(lab)
    (worker,) = psutil.Process(lab.parts.balancer.server.master_pid).children()
    end(worker)
    await believed(lab, port, Standing.IN_USE)


@posix_only
async def test_a_test_under_way_is_inferred_from_those_who_are_sent_elsewhere(start_lab: StartLab) -> None:
    """A frozen backend holds its test for two seconds; whenever it was said to be tested, it turns out that it was."""
    lab = await start_lab(
        backends=(BackendSpec(fail_timeout_seconds=2),) * 3, is_firing=True, traffic=TrafficSpec(rate_rps=RATE_RPS)
    )
    witness = Witness(lab)
    port = lab.parts.ports.backends[0]
    await lab.toggle_freeze(port)
    await believed(lab, port, Standing.BENCHED)
    claims: list[float] = []

    def is_over(shown: Snapshot) -> bool:
        if belief_of(shown, port).standing is Standing.TESTING:
            claims.append(max(line.time for line in witness.lines))
        return bool(claims) and belief_of(shown, port).standing is Standing.BENCHED

    await seen(lab, is_over, what="a test, and its end")
    test = witness.begins(port)[-1]
    assert all(test <= claim + CLOCK_SECONDS for claim in claims)


@posix_only
@pytest.mark.parametrize("max_fails", [1, 2])
async def test_through_random_faults_no_attempt_contradicts_it(start_lab: StartLab, nginx: str, max_fails: int) -> None:
    """Replayed line by line: nobody was asked while benched, and nginx put aside as often as was inferred."""
    lab = await start_lab(
        nginx=nginx,
        backends=(BackendSpec(max_fails=max_fails, fail_timeout_seconds=1),) * 4,
        is_firing=True,
        traffic=TrafficSpec(rate_rps=RATE_RPS),
    )
    witness = Witness(lab)
    chance = random.Random(max_fails)
    ports = lab.parts.ports.backends
    for _ in range(8):
        port = chance.choice(ports[:3])
        backend = lab.parts.fleet[port]
        if backend.state is BackendState.KILLED:
            await lab.restart_backend(port)
        elif backend.state is BackendState.FROZEN or chance.random() < 0.4:
            await lab.toggle_freeze(port)
        else:
            await lab.kill_backend(port)
        await witness.hear(70)
    await lab.toggle_traffic()
    await seen(lab, lambda shown: shown.traffic.in_flight == 0, what="the last answer")
    await lab.settle()
    assert _contradictions(witness.lines, lab) == []
    disabled = Counter(_port_of_warning(line) for line in _disabled(lab))
    assert disabled == _put_aside(witness.lines, lab)
    assert disabled.total() >= 3


def _contradictions(lines: list[LogLine], lab: LabSession) -> list[tuple[float, int, Belief]]:
    """Attempts on a backend that was benched by what nginx had logged until then."""
    starts = []
    for line in lines:
        moment = line.time - sum(attempt.seconds or 0.0 for attempt in line.attempts)
        for attempt in line.attempts:
            starts.append((moment, attempt.port or 0))
            moment += attempt.seconds or 0.0
    told = sorted(lines, key=lambda line: line.time)
    inference = Inference(lab.parts.balancer.upstreams, workers=1)
    found = []
    place = 0
    for began, port in sorted(starts):
        while place < len(told) and told[place].time < began - CLOCK_SECONDS:
            inference.note_line(told[place])
            place += 1
        belief = inference.beliefs(began + CLOCK_SECONDS)[port]
        if belief.standing is Standing.BENCHED:
            found.append((began, port, belief))
    return found


def _put_aside(lines: list[LogLine], lab: LabSession) -> Counter[int]:
    """How often each backend was put aside, or anew, by what is inferred."""
    inference = Inference(lab.parts.balancer.upstreams, workers=1)
    times: Counter[int] = Counter()
    fails: Counter[int] = Counter()
    for line in lines:
        inference.note_line(line)
        for port, belief in inference.beliefs(line.time).items():
            times[port] += belief.fails > fails[port] and belief.fails >= belief.max_fails
            fails[port] = belief.fails
    return +times


def _disabled(lab: LabSession) -> list[str]:
    """nginx's own words for putting a backend aside."""
    log = lab.parts.balancer.server.error_log.read_text(errors="replace")
    return [line for line in log.splitlines() if "temporarily disabled" in line]


def _port_of_warning(line: str) -> int:
    return int(line.partition('upstream: "http://127.0.0.1:')[2].partition("/")[0])
