"""When the requests of an open loop are due: evenly or by chance, at a rate that stays or ramps."""

import random

from lab.traffic.plan import Arrivals, Ramp


class Schedule:
    """Due times, one after the other, in seconds from the first.

    With `Arrivals.POISSON` the gaps are exponentially distributed: arrivals as they come from many independent people.
    """

    def __init__(self, rate_rps: float, arrivals: Arrivals, rng: random.Random, ramp: Ramp | None = None) -> None:
        self._rate_rps = rate_rps
        self._arrivals = arrivals
        self._rng = rng
        self._ramp = ramp

    def set_rate(self, rate_rps: float) -> None:
        """Go on at this rate; a ramp ends with it."""
        self._rate_rps = rate_rps
        self._ramp = None

    def rate_rps(self, elapsed_seconds: float) -> float:
        """The rate so long after the first request."""
        return self._rate_rps if self._ramp is None else self._ramp.rate_rps(elapsed_seconds)

    def gap_seconds(self, elapsed_seconds: float) -> float:
        """From a request that is due so long after the first, to the next one."""
        rate_rps = self.rate_rps(elapsed_seconds)
        return self._rng.expovariate(rate_rps) if self._arrivals is Arrivals.POISSON else 1 / rate_rps
