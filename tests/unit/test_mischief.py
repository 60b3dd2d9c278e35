"""What a fault does to single requests."""

import random
from statistics import quantiles

import pytest

from lab.faults.fault import Fault, FaultKind
from lab.faults.mischief import LONGEST_TAIL, service_time_ms, what_befalls


def times_ms(fault: Fault | None, requests: int, seed: int = 71) -> list[float]:
    rng = random.Random(seed)
    return [service_time_ms(fault, 7.0, rng) for _ in range(requests)]


def test_a_tail_has_the_median_that_was_asked_for_and_a_99th_percentile_of_ten_times_that() -> None:
    """Log-normal: most requests take about the median, a few many times as long."""
    percentiles = quantiles(times_ms(Fault(FaultKind.TAIL, 20), 100_000), n=100)
    assert percentiles[49] == pytest.approx(20, rel=0.02)
    assert percentiles[98] == pytest.approx(205, rel=0.05)


def test_a_tail_ends_somewhere() -> None:
    """So that no request waits for a day by chance."""
    assert max(times_ms(Fault(FaultKind.TAIL, 20), 100_000)) == 20 * LONGEST_TAIL


def test_a_seed_repeats_a_tail_and_another_one_doesnt() -> None:
    """A report can be repeated, and the backends don't stumble in step."""
    fault = Fault(FaultKind.TAIL, 20)
    assert times_ms(fault, 100) == times_ms(fault, 100)
    assert times_ms(fault, 100) != times_ms(fault, 100, seed=72)


def test_a_slow_backend_takes_a_fixed_time_and_any_other_its_own() -> None:
    """Errors and resets take as long as answers."""
    assert set(times_ms(Fault(FaultKind.SLOW, 300), 10)) == {300}
    for fault in (None, *(Fault(kind) for kind in FaultKind if kind not in (FaultKind.SLOW, FaultKind.TAIL))):
        assert set(times_ms(fault, 10)) == {7}


@pytest.mark.parametrize("kind", [FaultKind.ERRORS, FaultKind.RESET, FaultKind.SILENCE])
def test_a_share_of_the_requests_is_befallen(kind: FaultKind) -> None:
    """About as many as was asked for; all of them if it is all."""
    rng = random.Random(71)
    fault = Fault(kind, share=0.3)
    befallen = [what_befalls(fault, rng) for _ in range(10_000)]
    assert set(befallen) == {fault, None}
    assert befallen.count(fault) == pytest.approx(3000, rel=0.05)
    assert {what_befalls(Fault(kind), rng) for _ in range(1000)} == {Fault(kind)}


def test_no_other_fault_befalls_single_requests() -> None:
    """They are done to the process, or to its time."""
    rng = random.Random(71)
    for fault in (None, Fault(FaultKind.SLOW), Fault(FaultKind.TAIL), Fault(FaultKind.REFUSE), Fault(FaultKind.KILL)):
        assert what_befalls(fault, rng) is None
