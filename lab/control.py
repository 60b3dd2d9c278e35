"""What a lab can be told and asked: the one face the dashboard knows."""

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lab.comparison.result import Comparison
    from lab.comparison.standing import Standing
    from lab.counts.latency import LatencySeries
    from lab.faults.fault import Fault
    from lab.models import Snapshot
    from lab.witnesses import RequestDetail, RequestView


class Lab(Protocol):
    """A running load-balancing lab.

    Every command returns when its effect stands (nginx reloaded, process gone) and raises a `LabError`, whose text
    is meant for a person, when it can't be done; the lab then runs on as it was.
    """

    async def start(self) -> None:
        """Start backends, nginx and traffic; progress shows in the snapshots' `activity`."""

    async def stop(self) -> None:
        """End every process and remove every file; safe to call twice and at any time."""

    def snapshots(self) -> "AsyncIterator[Snapshot]":
        """The newest snapshot, then each newer one, five a second; a slow reader skips. Ends when the lab stopped."""

    async def use_algorithm(self, name: str) -> None:
        """Balance by the algorithm of that name from now on."""

    async def kill_backend(self, port: int) -> None:
        """SIGKILL it."""

    async def restart_backend(self, port: int) -> None:
        """Start it anew, with a new PID; ends it first if it still runs."""

    async def toggle_freeze(self, port: int) -> None:
        """SIGSTOP it, or SIGCONT it if it is frozen."""

    async def slow_backend(self, port: int) -> None:
        """Raise its service time to the next step, and after the last one that nginx waits for back to what it was."""

    async def inject(self, port: int, fault: "Fault") -> None:
        """Make it fail like this; a fault takes the place of the one before."""

    async def undo_faults(self, port: int) -> None:
        """Undo whatever was done to it: thaw it, start it anew if it is dead, let it answer as at first."""

    async def add_backend(self) -> None:
        """Start one more backend, on the next free port, and put it into the upstream."""

    async def remove_backend(self, port: int) -> None:
        """Take it out of the upstream, and end it once it has answered what it has on its hands."""

    async def set_retry_rules(self, rules: tuple[str, ...]) -> None:
        """Have nginx try another backend in these cases only, given by the names in `lab.nginx.retry_rules`."""

    async def repair(self) -> None:
        """Start again what has died and isn't a backend: nginx, the lab's client."""

    async def change_weight(self, port: int, by: int) -> None:
        """Raise or lower its weight."""

    async def toggle_down(self, port: int) -> None:
        """Take it out of rotation (`down`), or back in."""

    async def toggle_backup(self, port: int) -> None:
        """Make it a `backup`, or a primary again."""

    async def toggle_traffic(self) -> None:
        """Pause or resume the lab's client."""

    async def step_rate(self, steps: int) -> None:
        """Raise (or lower, if negative) the open loop's rate, or the closed loop's connections, by so many steps."""

    async def fire_once(self) -> None:
        """Send one request now, paused or not."""

    def latencies(self) -> "tuple[LatencySeries, ...]":
        """The latencies in detail: of all together first, then of each backend. Reckoned when asked."""

    async def request_detail(self, request: "RequestView") -> "RequestDetail":
        """What nginx logged of a request, and what the client and the backends saw of it, while they remember it."""

    def compare(self, scenario: str, seconds: float) -> "AsyncGenerator[Standing, None]":
        """Replay the scenario's traffic under one algorithm after the other, each for so long, in a lab of its own.

        This lab's client pauses meanwhile. It is over with the last standing; closing the generator before ends it.
        """

    async def save_comparison(self, comparison: "Comparison") -> Path:
        """Write it as a page into the working folder."""

    def zero_counters(self) -> None:
        """Count hits, failures and latencies anew; the ledger goes on."""
