"""What a fault does to the single request: drawn, so that it falls as unevenly as it does in real life."""

import math
import random

from lab.faults.fault import Fault, FaultKind

TAIL_SIGMA = 1.0
"""Of the logarithm: the 99th percentile is exp(2.33), ten times the median, and the 99.9th twenty-two times."""
LONGEST_TAIL = 30.0
"""In medians. One request in three thousand would take longer."""
_BEFALLING = (FaultKind.ERRORS, FaultKind.RESET, FaultKind.SILENCE)


def what_befalls(fault: Fault | None, rng: random.Random) -> Fault | None:
    """The fault, if it befalls the next request instead of an answer; None if that is answered."""
    if fault is None or fault.kind not in _BEFALLING or rng.random() >= fault.share:
        return None
    return fault


def service_time_ms(fault: Fault | None, usual_ms: float, rng: random.Random) -> float:
    """How long the next request takes."""
    match fault:
        case Fault(FaultKind.SLOW):
            return fault.service_time_ms
        case Fault(FaultKind.TAIL):
            return fault.service_time_ms * min(math.exp(rng.gauss(0.0, TAIL_SIGMA)), LONGEST_TAIL)
        case _:
            return usual_ms
