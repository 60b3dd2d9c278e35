"""The report of a simulation, as text, JSON or CSV; marked as simulated in each."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from lab.simulation.plan import Plan
from lab.simulation.queues import Result, simulated
from lab.simulation.theory import Theory, theory_of
from lab.simulation.traffic import drawn

NAME_CELLS = 17
CLEARLY_OVERLOADED = 1.05
"""Arrivals to what can be served; chance alone may bring one backend a little over 1."""


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What was simulated, and what came of each algorithm."""

    plan: Plan
    results: tuple[Result, ...]

    @classmethod
    def of(cls, plan: Plan, algorithms: Iterable[str] | None = None) -> Self:
        """Run the same traffic under each algorithm: the plan's, handed in by whoever wants to see how far it is."""
        traffic = drawn(plan)
        names = plan.algorithms if algorithms is None else algorithms
        return cls(plan, tuple(simulated(plan, name, traffic) for name in names))

    def as_json(self) -> str:
        """One object; fields are added in later versions, never renamed or removed."""
        plan = self.plan
        content = {
            "simulated": True,
            "backends": plan.backends,
            "balancers": plan.balancers,
            "requests": plan.requests,
            "load": plan.load,
            "rate_rps": round(plan.rate_per_ms * 1000, 3),
            "service": plan.service.value,
            "service_time_ms": plan.service_time_ms,
            "capacity": plan.capacity,
            "slow": plan.slow,
            "slow_factor": plan.slow_factor,
            "seed": plan.seed,
            "algorithms": [self._fields(result) for result in self.results],
        }
        return json.dumps(content, indent=2) + "\n"

    def as_csv(self) -> str:
        """One row an algorithm; columns are appended in later versions, never inserted."""
        rows = [self._row(result) for result in self.results]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def as_text(self) -> str:
        """For people."""
        plan = self.plan
        slow = f", {plan.slow} of them {plan.slow_factor:g} times slower" if plan.slow else ""
        fleet = f"{_count(plan.balancers, 'balancer')}, {_count(plan.backends, 'backend')}{slow}"
        work = f"{plan.service.value} service times, {plan.service_time_ms:g} ms on average, capacity {plan.capacity}"
        load = f"load {plan.load:.0%} ({plan.rate_per_ms * 1000:,.0f} req/s), seed {plan.seed}"
        times = "".join(f"{name:>10}" for name in ("mean", "p50", "p95", "p99", "max", "wait"))
        lines = [
            f"simulated: {plan.requests:,} requests, {fleet}",
            f"{work}, {load}",
            "",
            f"{'algorithm':<{NAME_CELLS}}{times}{'in-flight':>11}{'fairness':>10}",
        ]
        for result in self.results:
            shown = (result.mean_ms, result.p50_ms, result.p95_ms, result.p99_ms, result.max_ms, result.wait_ms)
            lines.append(
                f"{result.algorithm:<{NAME_CELLS}}{''.join(_time(each) for each in shown)}"
                f"{result.max_in_flight:>11,}{result.fairness:>10.4f}"
            )
            if (theory := theory_of(plan, result.algorithm)) is not None:
                name = f"  exact ({theory.name})"
                lines.append(f"{name:<{NAME_CELLS}}{_time(theory.mean_ms)}{'':>40}{_time(theory.wait_ms)}")
        lines += ["", "in-flight: the most that one backend had at once"]
        for result in self.results:
            if (many := self.overloaded(result)) > 0:
                lines.append(
                    f"{result.algorithm} gives {_count(many, 'backend')} more than it can serve:"
                    " the longer this goes on, the longer it takes"
                )
        return "\n".join(lines) + "\n"

    def overloaded(self, result: Result) -> int:
        """How many backends were given clearly more than they can serve, so that their queues never settle."""
        plan = self.plan
        offered = (
            hits / plan.requests * plan.rate_per_ms * plan.service_time_ms * factor / plan.capacity
            for hits, factor in zip(result.hits, plan.slowness, strict=True)
        )
        return sum(load > CLEARLY_OVERLOADED for load in offered)

    def _fields(self, result: Result) -> dict[str, Any]:
        theory = theory_of(self.plan, result.algorithm)
        row = self._row(result)
        return {
            "algorithm": result.algorithm,
            "response_ms": {name: row[f"{name}_ms"] for name in ("mean", "p50", "p95", "p99", "max")},
            "wait_ms": row["wait_ms"],
            "max_in_flight": result.max_in_flight,
            "fairness": row["fairness"],
            "overloaded": self.overloaded(result),
            "shares": [round(hits / self.plan.requests, 6) for hits in result.hits],
            "theory": None if theory is None else _theory_fields(theory),
        }

    def _row(self, result: Result) -> dict[str, Any]:
        theory = theory_of(self.plan, result.algorithm)
        shares = [hits / self.plan.requests for hits in result.hits]
        return {
            "simulated": "simulated",
            "algorithm": result.algorithm,
            "mean_ms": round(result.mean_ms, 3),
            "p50_ms": round(result.p50_ms, 3),
            "p95_ms": round(result.p95_ms, 3),
            "p99_ms": round(result.p99_ms, 3),
            "max_ms": round(result.max_ms, 3),
            "wait_ms": round(result.wait_ms, 3),
            "max_in_flight": result.max_in_flight,
            "fairness": round(result.fairness, 6),
            "least_share": round(min(shares), 6),
            "largest_share": round(max(shares), 6),
            "theory": None if theory is None else theory.name,
            "theory_mean_ms": None if theory is None else round(theory.mean_ms, 3),
            "theory_wait_ms": None if theory is None else round(theory.wait_ms, 3),
            "overloaded": self.overloaded(result),
        }


def _theory_fields(theory: Theory) -> dict[str, Any]:
    return {"name": theory.name, "mean_ms": round(theory.mean_ms, 3), "wait_ms": round(theory.wait_ms, 3)}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _time(milliseconds: float) -> str:
    """In ten cells."""
    if milliseconds < 100:
        return f"{milliseconds:>7.1f} ms"
    return f"{milliseconds:>7,.0f} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:>8,.1f} s"
