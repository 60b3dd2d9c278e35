"""The faults that can be had by a key: with which figures, what they do to the process, and what nginx makes of it."""

from dataclasses import dataclass

from lab.faults.fault import Fault, FaultKind
from lab.models import Snapshot
from lab.states import BackendState

_REFUSED = frozenset({FaultKind.KILL, FaultKind.TERMINATE, FaultKind.REFUSE})
_UNANSWERED = frozenset({FaultKind.FREEZE, FaultKind.SILENCE})
_LATE = frozenset({FaultKind.SLOW, FaultKind.TAIL})


@dataclass(frozen=True)
class Circumstances:
    """On what it depends what nginx makes of a fault."""

    rules: tuple[str, ...]
    """The words that `proxy_next_upstream` lists."""
    others: int = 1
    """How many other backends nginx could ask."""
    is_only: bool = False
    """Whether the upstream has no other backend at all: nginx counts no failures of an only one."""


def circumstances_of(snapshot: Snapshot, port: int) -> Circumstances:
    """Of a fault of that backend, as of now."""
    others = [backend for backend in snapshot.backends if backend.port != port]
    return Circumstances(
        snapshot.retry_rules,
        sum(not backend.is_down and backend.state is BackendState.UP for backend in others),
        is_only=not others,
    )


@dataclass(frozen=True)
class FaultChoice:
    """One fault as a person chooses it."""

    key: str
    name: str
    does: str
    """What it does to the process."""
    fault: Fault

    def nginx_makes(self, given: Circumstances) -> str:
        """What nginx will make of it (ngx_http_upstream_next)."""
        kind, rules, others, is_only = self.fault.kind, given.rules, given.others, given.is_only
        counted = "not counted: only one" if is_only else "counted as a failure"
        if kind in _REFUSED:
            then = "it asks another one" if "error" in rules and others else "and the client gets 502"
            return f"refused at once, {then}; {counted}"
        if kind in _UNANSWERED:
            post = "" if "non_idempotent" in rules else " (POST: 504)"
            then = f"asks another one{post}" if "timeout" in rules and others else "and the client gets 504"
            return f"times out, {then}; {counted}"
        if kind in _LATE:
            return "an answer is an answer, however late: not retried, not counted"
        if kind is FaultKind.RESET:
            return "too late for another one: the client gets a cut 200; not counted"
        word = f"http_{self.fault.status}"
        if word in rules and others:
            return f"{word} is listed, so it asks another one; counted as a failure"
        return "passed on to the client as it is: not retried, not counted"


FAULT_CHOICES = (
    FaultChoice("1", "kill", "SIGKILL: the process is gone at once", Fault(FaultKind.KILL)),
    FaultChoice("2", "terminate", "SIGTERM: it answers what it has, and ends", Fault(FaultKind.TERMINATE)),
    FaultChoice("3", "freeze", "SIGSTOP: its port accepts, and nobody answers", Fault(FaultKind.FREEZE)),
    FaultChoice("4", "slow, 300 ms", "each request takes 300 ms", Fault(FaultKind.SLOW, service_time_ms=300)),
    FaultChoice(
        "5",
        "heavy tail, 20 ms",
        "half take up to 20 ms, a few many times as long",
        Fault(FaultKind.TAIL, service_time_ms=20),
    ),
    FaultChoice(
        "6",
        "errors 500, 30 %",
        "30 % of the requests are answered 500",
        Fault(FaultKind.ERRORS, status=500, share=0.3),
    ),
    FaultChoice("7", "errors 503", "every request is answered 503", Fault(FaultKind.ERRORS, status=503)),
    FaultChoice("8", "refuse", "it closes its port; the process lives on", Fault(FaultKind.REFUSE)),
    FaultChoice(
        "9",
        "reset, 30 %",
        "30 % of the connections are reset in the body",
        Fault(FaultKind.RESET, share=0.3),
    ),
    FaultChoice("0", "silence", "it takes requests and never answers", Fault(FaultKind.SILENCE)),
)
"""In the order of `FaultKind`."""
