"""Follows what nginx believes of its backends, from its log, by its own rules: pure, the clock is passed in.

The rules are those of `ngx_http_upstream_round_robin.c`, which all balancing methods share. They reckon in whole
seconds of the day. Each worker of nginx has a memory of its own, and a reload begins it anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lab.algorithms import TAKING_TURNS
from lab.config import BackendSpec
from lab.logs.access_log import LogLine
from lab.logs.batch import Batch
from lab.nginx.belief import Belief, Standing
from lab.nginx.render import Upstream
from lab.nginx.verdict import cases_of

CLOCK_SECONDS = 0.005
"""By how much a moment that was reckoned from nginx's whole milliseconds may be off."""
SET_BACK_SECONDS = 1.0
"""A worker's lines are in order of time unless the clock was set back; by less than this doesn't matter."""
_RISING = (Standing.IN_USE, Standing.FAILING, Standing.DUE, Standing.TESTING, Standing.BENCHED)
"""From the best to the worst: what one of several workers believes worst is shown."""


@dataclass(slots=True)
class Account:
    """What one worker of nginx keeps of a backend that has failed; nginx's own names, in its whole seconds."""

    spec: BackendSpec
    fails: int = 0
    accessed: int = 0
    """When it failed last."""
    checked: int = 0
    """When it failed last, or was picked for the first time in more than `fail_timeout`."""
    failed: float = 0.0
    """When it failed last, on a clock that isn't set back."""
    passed_by: int = 0
    """Requests that began when it could be picked again, and went to others."""

    @property
    def is_full(self) -> bool:
        """Whether there are as many failures on it as put a backend aside."""
        return 0 < self.spec.max_fails <= self.fails

    @property
    def retry_at(self) -> int:
        """The first second in which it isn't skipped."""
        return self.checked + self.spec.fail_timeout_seconds + 1

    def pick(self, began: float, now: int) -> None:
        """A request was sent its way. One that came while it seems to be put aside proves that it no longer was."""
        is_proof = self.is_full and began >= self.failed + self.spec.fail_timeout_seconds - CLOCK_SECONDS
        if now >= self.retry_at or is_proof:
            self.checked = now
        self.passed_by = 0

    def fail(self, ended: float, now: int) -> None:
        """A request failed on it. nginx logs a request when it is over, so that another failure may be told first."""
        self.fails += 1
        self.passed_by = 0
        if ended >= self.failed:
            self.failed, self.accessed, self.checked = ended, now, now

    @property
    def is_cleared_by_success(self) -> bool:
        """Whether a request that doesn't fail now wipes it clean."""
        return self.accessed < self.checked

    def standing(self, now: int, patience: float) -> Standing:
        """As of `now`; so many requests can pass by a backend that could be picked, and not more."""
        if not self.is_full:
            return Standing.FAILING if self.fails and self.spec.max_fails else Standing.IN_USE
        if now < self.retry_at:
            return Standing.BENCHED
        return Standing.TESTING if self.passed_by > patience else Standing.DUE


class WorkerMemory:
    """What one worker of nginx has on its backends' accounts; one without failures has none."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self._latest = 0.0
        self._set_back = 0.0
        """By how much the clock was set back in all."""

    def note(self, line: LogLine, upstream: Upstream) -> None:
        """Reckon with a request: when each attempt on a backend began and ended, and how."""
        if line.time < self._latest - SET_BACK_SECONDS:
            self._set_back += self._latest - line.time
        self._latest = line.time
        attempts = line.attempts
        if not self.accounts and len(attempts) == 1 and attempts[0].is_answer:
            return
        specs = dict(upstream.backends)
        began = line.time - sum(attempt.seconds or 0.0 for attempt in attempts)
        self._pass_by(began, {attempt.port for attempt in attempts})
        for case in cases_of(line, upstream):
            ended = began + (case.attempt.seconds or 0.0)
            if (port := case.attempt.port) in specs and port is not None:
                self._reckon(port, specs[port], began, ended, is_failure=case.is_failure)
            began = ended

    def skip_to(self, time: float) -> None:
        """So far nothing happened that an account could tell of; without accounts nobody asks for the clock's past."""
        self._latest = time

    def _reckon(self, port: int, spec: BackendSpec, began: float, ended: float, *, is_failure: bool) -> None:
        account = self.accounts.get(port)
        if account is not None:
            account.pick(began + self._set_back, int(began))
        if is_failure:
            account = self.accounts.setdefault(port, Account(spec))
            account.fail(ended + self._set_back, int(ended))
        elif account is not None and account.is_cleared_by_success:
            del self.accounts[port]

    def _pass_by(self, began: float, tried: set[int | None]) -> None:
        for port, account in self.accounts.items():
            if port not in tried and began >= account.retry_at:
                account.passed_by += 1


class Inference:
    """What nginx believes, as far as its log has told."""

    def __init__(self, upstreams: dict[int, Upstream], workers: int) -> None:
        """`upstreams` has what was balanced under each generation of the configuration, the newest last."""
        self._upstreams = upstreams
        self._workers = workers
        self._generation = 0
        self._memories: dict[int, WorkerMemory] = {}
        """By the worker's PID, the one that was heard of last being the last."""

    def note_lines(self, batch: Batch) -> None:
        """nginx has logged requests."""
        latest = batch.lines[-1]
        memory = self._memories.get(latest.worker_pid)
        if memory is not None and not memory.accounts and batch.is_plain(self._generation, latest.worker_pid):
            memory.skip_to(latest.time)
            self._memories[latest.worker_pid] = self._memories.pop(latest.worker_pid)
            return
        for line in batch.lines:
            self.note_line(line)

    def note_line(self, line: LogLine) -> None:
        """nginx has logged a request. What old workers finish after a reload doesn't matter to the new ones."""
        if line.generation < self._generation or (upstream := self._upstreams.get(line.generation)) is None:
            return
        if line.generation > self._generation:
            self._generation = line.generation
            self._memories.clear()
        memory = self._memories.pop(line.worker_pid, None) or WorkerMemory()
        if len(self._memories) >= self._workers:
            # More than there can be: the one not heard of for longest was replaced, and took its memory with it.
            del self._memories[next(iter(self._memories))]
        self._memories[line.worker_pid] = memory
        memory.note(line, upstream)

    @property
    def worker_pids(self) -> frozenset[int]:
        """Of the workers that have been heard of."""
        return frozenset(self._memories)

    def forget(self, worker_pids: Iterable[int]) -> None:
        """These workers have ended, and what they knew is gone; whoever follows them begins anew."""
        for pid in worker_pids:
            self._memories.pop(pid, None)

    def beliefs(self, now: float) -> dict[int, Belief]:
        """By port, at that time of day; of several workers that disagree, what the most pessimistic believes."""
        if not self._upstreams:
            return {}
        generation, upstream = next(reversed(self._upstreams.items()))
        memories = self._memories.values() if generation == self._generation else ()
        patience = _patience(upstream)
        found = {}
        for port, spec in upstream.backends:
            accounts = [memory.accounts[port] for memory in memories if port in memory.accounts]
            found[port] = _belief(spec, accounts, int(now), patience)
        return _with_spares(found, upstream)


def _patience(upstream: Upstream) -> float:
    """How many requests may pass by a backend that could be picked.

    One that was picked last stands a whole round behind the others, and after a failure its weight climbs back step
    by step.
    """
    if upstream.algorithm not in TAKING_TURNS:
        return float("inf")
    weights = [spec.weight for _, spec in upstream.backends]
    return 2 * sum(weights) + max(weights)


def _belief(spec: BackendSpec, accounts: Sequence[Account], now: int, patience: float) -> Belief:
    """Of one backend: the worst that the accounts of the workers say."""
    if spec.is_down:
        return Belief(Standing.OUT, max_fails=spec.max_fails)
    if not accounts:
        return Belief(Standing.IN_USE, max_fails=spec.max_fails)
    worst = max(accounts, key=lambda each: (_RISING.index(each.standing(now, patience)), each.retry_at, each.fails))
    standing = worst.standing(now, patience)
    retry_at = float(worst.retry_at) if standing is Standing.BENCHED else None
    return Belief(standing, worst.fails, spec.max_fails, retry_at)


def _with_spares(found: dict[int, Belief], upstream: Upstream) -> dict[int, Belief]:
    """The same, with the backups that wait for the primaries to fail named so."""
    pickable = (Standing.IN_USE, Standing.FAILING, Standing.DUE)
    if not any(found[port].standing in pickable for port, spec in upstream.backends if not spec.is_backup):
        return found
    backups = {port for port, spec in upstream.backends if spec.is_backup}
    return {
        port: replace(belief, standing=Standing.SPARE)
        if port in backups and belief.standing is Standing.IN_USE
        else belief
        for port, belief in found.items()
    }
