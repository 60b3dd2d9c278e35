"""A scenario of `lablb compare` without nginx: the same arrivals and service times, picked for by the readable models.

A test holds its figures to those of the real thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from lab.backends.workload import Workload
from lab.balancing.methods import upstream_named
from lab.balancing.peer import PeerSpec
from lab.balancing.upstream import Upstream
from lab.comparison.scenarios import Scenario, lab_for
from lab.config import BackendSpec, LabConfig
from lab.counts.counts import Counts
from lab.errors import UsageError
from lab.simulation.agenda import Agenda
from lab.simulation.workplace import Job, Workplace
from lab.traffic.gun import PATIENCE_CHECK_SECONDS
from lab.traffic.plan import Arrivals
from lab.traffic.schedule import Schedule

DEFAULT_OVERHEAD_MS = 0.8
"""What client, kernel and nginx add to a request on average: measured on two virtual cores."""
_PATIENCE_ENDED = "timeout"
MOST_REQUESTS = 1_000_000
LEAST_OVERHEAD_PART = 0.5
"""Of the average; what is above it is spread exponentially, so that no two requests are quite alike."""
RESTART_MS = 500.0
"""Until a backend that is started again listens."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A scenario for one algorithm. Equal rehearsals come out equal.

    Raises:
        UsageError: it would be empty, or too long.
    """

    scenario: Scenario
    algorithm: str
    seconds: float
    seed: int
    """Of arrivals and service times, as in a real race."""
    throw: int = 0
    """Of nginx's own dice, which nobody can seed: another throw is another run of the same traffic."""
    overhead_ms: float = DEFAULT_OVERHEAD_MS

    def __post_init__(self) -> None:
        most_seconds = MOST_REQUESTS / self.scenario.rate_rps
        if not 0 < self.seconds <= most_seconds:
            raise UsageError(
                f"A scenario can't take {self.seconds:g} s: give more than 0, and up to {most_seconds:g} s."
            )

    def run(self) -> Counts:
        """Let it happen. The backends' ports are their numbers, from 1."""
        stage = Stage(self)
        stage.agenda.run()
        return stage.counts


class Stage:
    """Client, nginx and backends of one rehearsal."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        scenario = rehearsal.scenario
        self.agenda = Agenda()
        self.counts = Counts()
        self._mean_overhead_ms = rehearsal.overhead_ms
        self.patience_ms = scenario.timeout_seconds * 1000
        config = lab_for(scenario, LabConfig())
        self.read_timeout_ms = config.read_timeout_ms
        self.rng = Random(f"{rehearsal.seed} {rehearsal.throw}")  # noqa: S311 - a die, not a key
        self.workplaces = [Workplace(self.agenda, scenario.capacity, factor) for factor in scenario.slowness]
        self.upstream = self._upstream(rehearsal.algorithm, config.backends)
        self.place_of = {peer: place for place, peer in enumerate(self.upstream.primaries)}
        self._enter_arrivals(rehearsal)
        self._enter_misfortune(rehearsal)

    def overhead_ms(self) -> float:
        """What the way adds to one request."""
        spread = 1 - LEAST_OVERHEAD_PART
        return self._mean_overhead_ms * (LEAST_OVERHEAD_PART + spread * self.rng.expovariate(1.0))

    def _upstream(self, algorithm: str, backends: Sequence[BackendSpec]) -> Upstream:
        servers = [
            PeerSpec(f"127.0.0.1:{71 + place}", spec.weight, 0, spec.max_fails, spec.fail_timeout_seconds)
            for place, spec in enumerate(backends)
        ]
        offset_ms = 1e6 + 1000 * self.rng.random()
        return upstream_named(
            algorithm,
            servers,
            clock=lambda: int((self.agenda.now_ms + offset_ms) / 1000),
            chance=lambda: self.rng.getrandbits(31),
        )

    def _enter_arrivals(self, rehearsal: Rehearsal) -> None:
        scenario = rehearsal.scenario
        schedule = Schedule(scenario.rate_rps, Arrivals.POISSON, Random(rehearsal.seed))  # noqa: S311 - as above
        workload = Workload(rehearsal.seed, scenario.is_heavy_tailed)
        due, number = 0.0, 0
        while due < rehearsal.seconds:
            number += 1
            errand = Errand(self, due * 1000, scenario.service_time_ms * workload.share(number))
            self.agenda.at(due * 1000, errand.begin)
            due += schedule.gap_seconds(due)

    def _enter_misfortune(self, rehearsal: Rehearsal) -> None:
        if rehearsal.scenario.dies is None:
            return
        victim = self.workplaces[rehearsal.scenario.dies]
        third_ms = rehearsal.seconds * 1000 / 3
        self.agenda.at(third_ms, victim.die)
        self.agenda.at(2 * third_ms + RESTART_MS, victim.revive)


class Errand:
    """One request of the client: nginx asks one backend after the other, until one answers or the client has gone."""

    def __init__(self, stage: Stage, due_ms: float, work_ms: float) -> None:
        self._stage = stage
        self._due_ms = due_ms
        self._work_ms = work_ms
        self._attempt = 0
        self._is_over = False

    def begin(self) -> None:
        """It is due."""
        stage = self._stage
        self._request = stage.upstream.begin()
        check_ms = PATIENCE_CHECK_SECONDS * 1000
        stage.agenda.after(stage.patience_ms + check_ms * stage.rng.random(), self._give_up)
        self._ask()

    def _ask(self) -> None:
        stage = self._stage
        self._request.pick()
        if (peer := self._request.peer) is None:
            self._fail("http_502")
            return
        self._attempt += 1
        attempt = self._attempt
        workplace = stage.workplaces[stage.place_of[peer]]
        if workplace.is_dead:
            self._go_on(attempt, "http_502")
            return
        stage.agenda.after(stage.read_timeout_ms, lambda: self._go_on(attempt, "http_504"))
        workplace.take(
            Job(
                self._work_ms,
                on_done=lambda: stage.agenda.after(stage.overhead_ms(), lambda: self._answer(attempt)),
                on_death=lambda: self._go_on(attempt, "http_502"),
            )
        )

    def _go_on(self, attempt: int, error: str) -> None:
        """The backend didn't answer: nginx asks another one, if it may."""
        if self._is_over or attempt != self._attempt:
            return
        if self._request.failed():
            self._ask()
        else:
            self._fail(error)

    def _answer(self, attempt: int) -> None:
        if self._is_over or attempt != self._attempt:
            return
        stage, peer = self._stage, self._request.peer
        assert peer is not None
        self._is_over = True
        number = stage.place_of[peer] + 1
        latency_ms = stage.agenda.now_ms - self._due_ms
        self._request.succeeded(round(latency_ms))
        stage.counts.answered += 1
        stage.counts.retried += attempt > 1
        stage.counts.hits[number] += 1
        stage.counts.latencies[number].record((latency_ms * 1000,))

    def _give_up(self) -> None:
        """The client hangs up: nginx drops the request, and holds it against nobody."""
        if not self._is_over:
            self._request.succeeded()
            self._fail(_PATIENCE_ENDED)

    def _fail(self, error: str) -> None:
        self._is_over = True
        self._stage.counts.failed += 1
        # A client that gives up doesn't get to know.
        self._stage.counts.retried += self._attempt > 1 and error != _PATIENCE_ENDED
        self._stage.counts.errors[error] += 1
