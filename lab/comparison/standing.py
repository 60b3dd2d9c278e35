"""How a comparison stands that runs beside a lab, and how that is told from one process to the other."""

from dataclasses import asdict, dataclass
from typing import Any

from lab.comparison.result import Comparison, Run, Share
from lab.counts.latency import LatencySummary


@dataclass(frozen=True, slots=True)
class Standing:
    """Which run it is at, and what is known by now."""

    number: int
    """Of the run, from 1."""
    count: int
    title: str
    """Of the run."""
    seconds_left: float
    comparison: Comparison
    """With the runs that are over."""
    is_over: bool = False
    """All runs are, and nothing of the lab that they were in is left."""


def pack(standing: Standing) -> dict[str, Any]:
    """As JSON can have it."""
    return asdict(standing)


def unpack(fields: dict[str, Any]) -> Standing:
    """Back from JSON."""
    comparison = fields["comparison"]
    runs = tuple(_run(each) for each in comparison["runs"])
    return Standing(**(fields | {"comparison": Comparison(**(_frozen(comparison) | {"runs": runs}))}))


def _run(fields: dict[str, Any]) -> Run:
    shares = tuple(Share(**share) for share in fields["shares"])
    return Run(**(_frozen(fields) | {"latency": LatencySummary(**fields["latency"]), "shares": shares}))


def _frozen(value: Any) -> Any:
    """JSON's arrays as tuples."""
    if isinstance(value, dict):
        return {name: _frozen(each) for name, each in value.items()}
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
