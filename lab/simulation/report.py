"""The report of a simulation, as text, JSON or CSV; marked as simulated in each."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from lab.simulation.plan import Plan
from lab.simulation.queues import Result, simulated
from lab.simulation.theory import Theory, theory_of
from lab.simulation.traffic import drawn


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What was simulated, and what came of each algorithm."""

    plan: Plan
    results: tuple[Result, ...]

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
        lines = [
            f"simulated: {plan.requests:,} requests, {_count(plan.balancers, 'balancer')},"
            f" {_count(plan.backends, 'backend')}{slow}",
            f"{plan.service.value} service times, {plan.service_time_ms:g} ms on average, capacity {plan.capacity},"
            f" load {plan.load:.0%} ({plan.rate_per_ms * 1000:,.0f} req/s), seed {plan.seed}",
            "",
            f"{'algorithm':<16}{'mean':>10}{'p50':>10}{'p95':>10}{'p99':>10}{'max':>11}{'wait':>10}"
            f"{'in-flight':>11}{'fairness':>10}",
        ]
        for result in self.results:
            times = (result.mean_ms, result.p50_ms, result.p95_ms, result.p99_ms)
            lines.append(
                f"{result.algorithm:<16}{''.join(f'{time:>7,.1f} ms' for time in times)}{result.max_ms:>8,.0f} ms"
                f"{result.wait_ms:>7,.1f} ms{result.max_in_flight:>11,}{result.fairness:>10.4f}"
            )
            if (theory := theory_of(plan, result.algorithm)) is not None:
                lines.append(
                    f"{f'  theory ({theory.name})':<16}{theory.mean_ms:>7,.1f} ms{'':>41}{theory.wait_ms:>7,.1f} ms"
                )
        return "\n".join([*lines, "", "in-flight: the most that one backend had at once"]) + "\n"

    def _fields(self, result: Result) -> dict[str, Any]:
        theory = theory_of(self.plan, result.algorithm)
        row = self._row(result)
        return {
            "algorithm": result.algorithm,
            "response_ms": {name: row[f"{name}_ms"] for name in ("mean", "p50", "p95", "p99", "max")},
            "wait_ms": row["wait_ms"],
            "max_in_flight": result.max_in_flight,
            "fairness": row["fairness"],
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
        }


def simulate(plan: Plan) -> SimulationReport:
    """Run the same traffic under each algorithm."""
    traffic = drawn(plan)
    return SimulationReport(plan, tuple(simulated(plan, name, traffic) for name in plan.algorithms))


def _theory_fields(theory: Theory) -> dict[str, Any]:
    return {"name": theory.name, "mean_ms": round(theory.mean_ms, 3), "wait_ms": round(theory.wait_ms, 3)}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
