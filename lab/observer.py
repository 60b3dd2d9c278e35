"""Turns what is heard of a lab into what is shown of it: the log, the client's outcomes, the machine's figures."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.backends.backend_port import Backend
from lab.backends.fleet import Fleet
from lab.config import BackendSpec
from lab.counts.drift import Drift
from lab.counts.journal import Journal
from lab.counts.latency import LatencySummary
from lab.counts.ledger import Ledger
from lab.counts.tally import Tally
from lab.faults.fault import in_words
from lab.logs.access_log import AccessLog
from lab.logs.batch import Batch
from lab.machine.monitor import Monitor
from lab.models import BackendView, NginxView, Reload, TrafficView
from lab.nginx.balancer import Balancer
from lab.nginx.inference import Inference
from lab.nginx.server import NginxServer
from lab.traffic.driver import TrafficDriver, WorkerDeath
from lab.traffic.outcome import CLIENT_DIED, UNFINISHED, Outcome, failed

if TYPE_CHECKING:
    from lab.counts.noise import Noise
    from lab.counts.share_watch import ShareWatch
    from lab.xray.shadow import Shadow
    from lab.xray.view import XRay

OUTSIDE = BackendSpec(is_down=True)
"""Of a backend that isn't in the upstream yet, or any more."""


class Observer:
    """Reads and counts. Every figure it gives is of the moment it is asked."""

    def __init__(self, log: AccessLog, fleet: Fleet, balancer: Balancer, shot_name: str) -> None:
        self.log = log
        self.tally = Tally(time.monotonic)
        self.journal = Journal(shot_name, time.monotonic, fleet.pid_of)
        self.monitor = Monitor()
        self.inference = Inference(balancer.upstreams, balancer.frame.workers)
        self._shadow: Shadow | None = None
        self._share_watch: ShareWatch | None = None
        self._direct_before = 0
        """What the backends had answered past nginx when the counters were zeroed."""
        self._drift = Drift(time.monotonic, time.time)
        """Of what the backends served from what nginx forwarded."""
        self.journal.on_forwarded = self._drift.note
        self._server = balancer.server
        self._reloads = balancer.reloads
        self._fleet = fleet

    def begin_watching(self, balancer: Balancer) -> None:
        """Have a model follow nginx's picks from now on, and hold the shares against what was promised."""
        from lab.counts.share_watch import ShareWatch  # noqa: PLC0415
        from lab.xray.shadow import Shadow  # noqa: PLC0415 - they take 50 ms, and only a dashboard shows what they tell

        self._shadow = Shadow(balancer.upstreams, balancer.frame.workers)
        self._share_watch = ShareWatch(time.monotonic)

    def read_log(self) -> None:
        """Count what nginx has logged since the last time."""
        if lines := self.log.read():
            batch = Batch(lines, [line for line in lines if not self.journal.note_line(line)])
            self.tally.count_lines(batch)
            self.inference.note_lines(batch)
            self._reloads.note_lines(batch)
            if self._shadow is not None:
                self._shadow.note_lines(batch)
        if self._shadow is not None:
            self._shadow.settle(time.time())

    @property
    def worker_pids(self) -> frozenset[int]:
        """Of nginx's workers of which something is remembered; the model may follow one that is silent by now."""
        followed = () if self._shadow is None or not self._shadow.worker_pid else (self._shadow.worker_pid,)
        return self.inference.worker_pids.union(followed)

    def forget_workers(self, pids: frozenset[int]) -> None:
        """These workers of nginx have ended, so that all they will ever log is there to be read."""
        if pids:
            self.read_log()
            self.inference.forget(pids)
            if self._shadow is not None:
                self._shadow.forget(pids)

    def forget_nginx(self) -> None:
        """It has ended; nothing that it knew or logged is to be taken for the next one's."""
        self.read_log()
        self.forget_workers(self.worker_pids)

    def note_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Count what the lab's client tells."""
        self.tally.count_outcomes(outcomes)
        self._reloads.note_outcomes(outcomes)
        for outcome in outcomes:
            self.journal.note_outcome(outcome)

    def xray(self) -> "XRay | None":
        """The inside of the algorithm, by the model that follows nginx's log; None where nobody would look."""
        return None if self._shadow is None else self._shadow.view(time.time())

    def noise(self, algorithm: str, backends: Sequence[BackendView], reload: Reload | None) -> "Noise | None":
        """Whether the backends got what the algorithm promises, as they are now; None where nobody would look."""
        return None if self._share_watch is None else self._share_watch.look(algorithm, backends, reload)

    def zero(self) -> None:
        """Count hits, failures and latencies anew."""
        self.tally.zero()
        self._direct_before = self._fleet.direct
        if self._shadow is not None:
            self._shadow.zero()
        if self._share_watch is not None:
            self._share_watch.zero()

    def note_client_death(self, death: WorkerDeath) -> None:
        """Count the requests that were under way when the lab's client died, or was ended, as failed."""
        fate = failed(UNFINISHED if death.is_by_lab else CLIENT_DIED)
        self.tally.count_outcomes([Outcome(0, 0, 0, fate)] * death.lost)
        self.journal.note_client_death(death.numbers_end)

    def ledger(self) -> Ledger:
        """The three counts, with what can't be in all of them yet."""
        journal, served = self.journal, self._fleet.served
        gap = journal.nginx_forwarded - served
        doubtless = self._doubtless(gap)
        lasting = self._doubtless(-self._drift.look(served, journal.nginx_forwarded))
        return Ledger(
            client_answered=journal.client_answered,
            nginx_logged=journal.nginx_logged,
            backends_served=journal.nginx_forwarded - doubtless,
            nginx_forwarded=journal.nginx_forwarded,
            other_clients=journal.other_clients,
            crossed=journal.crossed + max(doubtless - gap, 0),
            client_moving=journal.moving(),
            backends_moving=doubtless - lasting,
            direct=self._fleet.direct,
        )

    def _doubtless(self, gap: int) -> int:
        """What is left of what nginx forwarded beyond what the backends served, once all doubts are allowed for.

        A backend that is killed while it writes an answer can't tell whether it was sent: nginx can. One that answers
        in the very moment in which nginx gives up doesn't notice: there can be no more of those than nginx broke off.
        """
        return max(gap - self._fleet.in_doubt, 0) if gap > 0 else min(gap + self.journal.broken_off, 0)

    def backends(self, specs: dict[int, BackendSpec]) -> tuple[BackendView, ...]:
        """Each backend with its place in the upstream."""
        rates = self.tally.hit_rates_rps()
        _, latencies = self.tally.recent_latencies()
        totals = self.tally.numbers()
        beliefs = {} if self._server.master_pid is None else self.inference.beliefs(time.time())
        all_hits = sum(totals.hits[backend.port] for backend in self._fleet)

        def view(backend: Backend) -> BackendView:
            spec, hits = specs.get(backend.port, OUTSIDE), totals.hits[backend.port]
            usage = self.monitor.usage.get(backend.pid or 0)
            return BackendView(
                port=backend.port,
                state=backend.state,
                pid=backend.pid,
                weight=spec.weight,
                is_down=spec.is_down,
                is_backup=spec.is_backup,
                service_time_ms=backend.service_time_ms,
                is_slowed=backend.is_slowed,
                hits=hits,
                share=hits / all_hits if all_hits else None,
                failures=totals.failures[backend.port],
                rate_rps=rates.get(backend.port, 0.0),
                in_flight=backend.in_flight,
                latency=latencies.get(backend.port, LatencySummary()),
                cpu_percent=usage.cpu_percent if usage else None,
                rss_bytes=usage.rss_bytes if usage else None,
                fault=in_words(backend.fault) if backend.fault else None,
                belief=beliefs.get(backend.port),
                note=backend.note,
                revivals=backend.revivals,
                left_alone=backend.left_alone,
            )

        return tuple(view(backend) for backend in self._fleet)

    def nginx(self, server: NginxServer, port: int, worker_pids: Sequence[int]) -> NginxView:
        """The running nginx."""
        pids = (server.master_pid or 0, *worker_pids)
        usage = [self.monitor.usage[pid] for pid in pids if pid in self.monitor.usage]
        return NginxView(
            version=server.binary.version_text,
            source=server.binary.source,
            port=port,
            master_pid=server.master_pid,
            worker_pids=() if server.master_pid is None else tuple(worker_pids),
            stopped_pids=() if server.master_pid is None else tuple(filter(self.monitor.is_stopped.get, pids)),
            cpu_percent=sum(each.cpu_percent for each in usage) if usage else None,
            rss_bytes=sum(each.rss_bytes for each in usage) if usage else None,
        )

    def traffic(self, driver: TrafficDriver) -> TrafficView:
        """The lab's own client."""
        totals = self.tally.numbers()
        latency, _ = self.tally.recent_latencies()
        return TrafficView(
            loop=driver.loop,
            target_rps=driver.rate_rps,
            connections=driver.connections,
            is_paused=driver.is_paused,
            is_dead=driver.is_dead,
            stopped_pid=driver.pid if self.monitor.is_stopped.get(driver.pid or 0) else None,
            is_done=driver.is_done,
            sent=totals.answered + totals.failed + driver.in_flight,
            answered=totals.answered,
            failed=totals.failed,
            retried=totals.retried,
            resent=totals.resent,
            late=totals.late,
            in_flight=driver.in_flight,
            errors=tuple(totals.errors.most_common()),
            statuses=tuple(totals.statuses.most_common()),
            rate_rps=self.tally.answer_rate_rps(),
            other_clients=totals.other_clients,
            direct=self._fleet.direct - self._direct_before,
            latency=latency,
        )
