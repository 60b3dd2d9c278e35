"""What algorithms are compared under: each scenario shows one thing that decides between them."""

from dataclasses import dataclass, replace

from lab.backends.behaviour import Behaviour
from lab.config import BackendSpec, LabConfig
from lab.errors import UsageError
from lab.traffic.plan import TrafficSpec


@dataclass(frozen=True, slots=True)
class Scenario:
    """Backends that work on a given number of requests at once, and requests that arrive by chance (Poisson)."""

    name: str
    description: str
    rate_rps: float
    service_time_ms: float
    """The mean of each request's; how much a request asks for is drawn once, and the same under each algorithm."""
    is_heavy_tailed: bool = False
    """A few requests take many times as long as most; otherwise they are spread exponentially."""
    slowness: tuple[float, ...] = (1, 1, 1, 1, 1)
    """By how much each backend stretches what a request asks for."""
    weights: tuple[int, ...] = (1, 1, 1, 1, 1)
    capacity: int = 1
    """How many requests a backend works on at once."""
    timeout_seconds: float = 30.0
    """The client's patience: long, so that slowness is measured rather than cut off."""
    seconds: float = 10.0
    """How long each algorithm gets, unless somebody says otherwise."""
    dies: int | None = None
    """The backend (its place, from 0) that is killed after a third of the time, and started again after two thirds."""

    @property
    def capacity_rps(self) -> float:
        """How many requests a second all backends together could answer."""
        return sum(self.capacity * 1000 / (self.service_time_ms * slow) for slow in self.slowness)

    @property
    def traffic(self) -> str:
        """What arrives, in a few words."""
        return f"Poisson arrivals, {self.rate_rps:g} req/s"

    @property
    def fleet(self) -> str:
        """What works on it, in a few words."""
        kind = "heavy-tailed" if self.is_heavy_tailed else "exponential"
        backends = f"{len(self.slowness)} backends of capacity {self.capacity}"
        return f"{backends}, {kind} service times of {self.service_time_ms:g} ms"


SCENARIOS = (
    Scenario("even", "five equal backends at 60 % of what they can take", rate_rps=150, service_time_ms=20),
    Scenario(
        "one-slow",
        "one of five backends is ten times slower than the others",
        rate_rps=40,
        service_time_ms=10,
        slowness=(1, 1, 1, 1, 10),
        seconds=20.0,
    ),
    Scenario(
        "heavy-tail",
        "a few requests ask for many times as much as most",
        rate_rps=150,
        service_time_ms=20,
        is_heavy_tailed=True,
    ),
    Scenario(
        "weighted",
        "one backend of five has three times the speed and the weight",
        rate_rps=210,
        service_time_ms=20,
        slowness=(1 / 3, 1, 1, 1, 1),
        weights=(3, 1, 1, 1, 1),
    ),
    Scenario(
        "overload",
        "a fifth more requests than the backends can answer",
        rate_rps=300,
        service_time_ms=20,
        timeout_seconds=2.0,
    ),
    Scenario("one-dies", "one of five backends is killed, and comes back", rate_rps=150, service_time_ms=20, dies=2),
)


def scenario_named(name: str) -> Scenario:
    """The scenario of that name.

    Raises:
        UsageError: there is none.
    """
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    raise UsageError(f"There is no scenario {name!r}: give one of {', '.join(each.name for each in SCENARIOS)}.")


def lab_for(scenario: Scenario, config: LabConfig) -> LabConfig:
    """The lab that a scenario needs, with the ports and the nginx of `config`."""
    return replace(
        config,
        backends=tuple(BackendSpec(weight=weight, fail_timeout_seconds=1) for weight in scenario.weights),
        behaviour=Behaviour(scenario.service_time_ms, scenario.capacity),
        traffic=TrafficSpec(rate_rps=scenario.rate_rps, timeout_seconds=scenario.timeout_seconds),
    )
