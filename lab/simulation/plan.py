"""What is to be simulated."""

import math
from dataclasses import dataclass
from enum import StrEnum

from lab.algorithms import algorithm_named
from lab.errors import UsageError

MOST_BACKENDS = 100_000
MOST_REQUESTS = 10_000_000
"""About a gigabyte, and minutes."""
HEAVY_SQUARED_VARIATION = 10.0
"""Of the heavy tail: the variance is so many times the squared mean; of the exponential distribution it is 1."""


class Service(StrEnum):
    """How the service times of requests are spread around their mean."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"
    HEAVY = "heavy"
    """Log-normal: most are short, a few very long."""

    @property
    def adjective(self) -> str:
        """For people."""
        return "heavy-tailed" if self is Service.HEAVY else self.value

    @property
    def squared_variation(self) -> float:
        """The variance divided by the squared mean."""
        return {Service.FIXED: 0.0, Service.EXPONENTIAL: 1.0, Service.HEAVY: HEAVY_SQUARED_VARIATION}[self]


@dataclass(frozen=True, slots=True)
class Plan:
    """Backends, balancers in front of them that don't know of each other, and Poisson arrivals.

    Raises:
        UsageError: a value makes no sense.
    """

    algorithms: tuple[str, ...] = ("round_robin",)
    backends: int = 5
    balancers: int = 1
    requests: int = 100_000
    weights: tuple[int, ...] = ()
    """One a backend; all alike if empty."""
    load: float = 0.8
    """Arrivals to what all backends together can serve."""
    service: Service = Service.EXPONENTIAL
    service_time_ms: float = 20.0
    """On average."""
    capacity: int = 1
    """How many requests a backend works on at once; the others wait in the order in which they came."""
    slow: int = 0
    """So many backends, the last ones, are slow."""
    slow_factor: float = 10.0
    """How many times longer they take."""
    seed: int = 1
    keys: int = 10_000
    """How many different URIs and clients there are, for the hashes."""

    def __post_init__(self) -> None:
        for name in self.algorithms:
            algorithm_named(name)
        for what, value, most in (
            ("backends", self.backends, MOST_BACKENDS),
            ("balancers", self.balancers, MOST_BACKENDS),
            ("requests", self.requests, MOST_REQUESTS),
            ("a capacity", self.capacity, MOST_BACKENDS),
            ("keys", self.keys, MOST_REQUESTS),
        ):
            if not 1 <= value <= most:
                raise UsageError(f"{value:,} as the number of {what} can't be: give 1 to {most:,}.")
        for what, amount in (
            ("load", self.load),
            ("service time", self.service_time_ms),
            ("slow factor", self.slow_factor),
        ):
            if not 0 < amount < math.inf:
                raise UsageError(f"A {what} of {amount:g} can't be: give more than 0.")
        if not 0 <= self.slow <= self.backends:
            raise UsageError(f"{self.slow} of {self.backends} backends can't be slow: give 0 to {self.backends}.")
        if self.weights and (least := min(self.weights)) < 1:
            raise UsageError(f"A weight of {least} can't be: give each backend 1 or more.")
        if self.weights and len(self.weights) != self.backends:
            raise UsageError(
                f"{len(self.weights)} weights don't fit {self.backends} backends: give one for each of them."
            )

    @property
    def peer_weights(self) -> tuple[int, ...]:
        """One a backend."""
        return self.weights or (1,) * self.backends

    @property
    def slowness(self) -> tuple[float, ...]:
        """How many times longer each backend takes."""
        return (1.0,) * (self.backends - self.slow) + (self.slow_factor,) * self.slow

    @property
    def is_even(self) -> bool:
        """Whether all backends are alike, in weight and in speed."""
        return len(set(self.peer_weights)) == len(set(self.slowness)) == 1

    @property
    def rate_per_ms(self) -> float:
        """Of all arrivals together."""
        return self.load * self.capacity * sum(1 / (self.service_time_ms * factor) for factor in self.slowness)
