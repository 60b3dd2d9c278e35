"""Faults in words."""

import pytest

from lab.faults.fault import Fault, FaultKind, in_words


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(FaultKind.KILL), "killed"),
        (Fault(FaultKind.TERMINATE), "terminated"),
        (Fault(FaultKind.FREEZE), "frozen"),
        (Fault(FaultKind.SLOW), "slow 300 ms"),
        (Fault(FaultKind.SLOW, 3000), "slow 3,000 ms"),
        (Fault(FaultKind.TAIL, 20), "tail 20 ms"),
        (Fault(FaultKind.TAIL, 2.5), "tail 2.5 ms"),
        (Fault(FaultKind.ERRORS), "errors 500"),
        (Fault(FaultKind.ERRORS, status=503, share=0.3), "errors 503, 30 %"),
        (Fault(FaultKind.REFUSE), "refuses"),
        (Fault(FaultKind.RESET), "resets"),
        (Fault(FaultKind.RESET, share=0.5), "resets, 50 %"),
        (Fault(FaultKind.SILENCE), "silent"),
        (Fault(FaultKind.SILENCE, share=0.025), "silent, 2.5 %"),
    ],
)
def test_a_fault_is_told_in_a_few_words(fault: Fault, words: str) -> None:
    """With the figures that it has, and no others."""
    assert in_words(fault) == words


def test_every_kind_has_words() -> None:
    """And no two the same."""
    assert len({in_words(Fault(kind)) for kind in FaultKind}) == len(FaultKind)
