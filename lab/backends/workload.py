"""How much work each request is: drawn by its number, so that request 417 is as heavy under every algorithm."""

import math
import random
from dataclasses import dataclass

_SIGMA = 1.5
"""Of the log-normal spread: one in a hundred takes 33 times as long as half of them do."""
_MOST = 100.0
"""No request is more than so many times the mean."""
_STRIDE = 1_000_003


@dataclass(frozen=True, slots=True)
class Workload:
    """Service times spread by chance round a mean, the same for the same seed."""

    seed: int
    is_heavy_tailed: bool = False
    """Spread log-normally; otherwise exponentially."""

    def share(self, number: int) -> float:
        """What the request of that number asks for, as a multiple of the mean."""
        rng = random.Random(self.seed * _STRIDE + number)  # noqa: S311 - traffic, not secrets
        if self.is_heavy_tailed:
            return min(rng.lognormvariate(-(_SIGMA**2) / 2, _SIGMA), _MOST)
        return min(-math.log(1.0 - rng.random()), _MOST)
