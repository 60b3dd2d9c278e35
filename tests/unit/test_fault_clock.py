"""A plan of faults, carried out by the clock."""

import asyncio
from collections.abc import Callable

from lab.errors import LabError
from lab.faults.clock import FaultClock
from lab.faults.fault import Fault
from lab.faults.plan import planned
from tests.unit.clock import in_virtual_time, virtual_seconds


class Patient:
    """A backend that writes down what is done to it, and when."""

    def __init__(self, takes_seconds: float = 0.0, refuses: str | None = None) -> None:
        self.fault: Fault | None = None
        self.history: list[tuple[float, str]] = []
        self._takes_seconds = takes_seconds
        self._refuses = refuses

    async def inject(self, fault: Fault) -> None:
        self.history.append((round(virtual_seconds(), 3), str(fault.kind)))
        if self._refuses is not None:
            raise LabError(self._refuses)
        await asyncio.sleep(self._takes_seconds)
        self.fault = fault

    async def undo(self, fault: Fault) -> bool:
        if fault != self.fault:
            return False
        self.history.append((round(virtual_seconds(), 3), "undo"))
        self.fault = None
        return True


def carried_out(
    *texts: str,
    patients: dict[int, Patient],
    begins_after: float = 0.0,
    ends_after: float = 100.0,
    tell: Callable[[str], None] = lambda _: None,
) -> FaultClock:
    """The clock after it has run, or was broken off."""

    async def run() -> FaultClock:
        plan = [(plan.port, plan) for plan in map(planned, texts)]
        clock = FaultClock(plan, patients.__getitem__, virtual_seconds, tell=tell)
        has_begun = asyncio.Event()
        asyncio.get_running_loop().call_later(begins_after, has_begun.set)
        try:
            async with asyncio.timeout(ends_after):
                await clock.run(has_begun)
        except TimeoutError:
            assert ends_after < 100
        return clock

    return in_virtual_time(run())


def test_faults_come_and_go_at_their_times() -> None:
    """Each at its own, whatever the order in which they were written."""
    patients = {71: Patient(), 72: Patient()}
    clock = carried_out("slow:72:300ms@3s..6s", "kill:71@2s", patients=patients)
    assert patients[71].history == [(2, "kill")]
    assert patients[72].history == [(3, "slow"), (6, "undo")]
    assert [(each.port, each.fault) for each in clock.injections] == [(72, "slow 300 ms"), (71, "killed")]
    assert [(each.at_seconds, each.until_seconds) for each in clock.injections] == [(3, 6), (2, None)]
    assert [each.refusal for each in clock.injections] == [None, None]


def test_time_counts_from_the_first_request() -> None:
    """However long the lab took to start."""
    patient = Patient()
    clock = carried_out("kill:71@2s", patients={71: patient}, begins_after=10)
    assert patient.history == [(12, "kill")]
    assert clock.injections[0].at_seconds == 2


def test_a_fault_that_takes_long_doesnt_hold_up_the_others() -> None:
    """Each follows its own clock."""
    patients = {71: Patient(takes_seconds=5), 72: Patient()}
    carried_out("terminate:71@1s", "kill:72@2s", patients=patients)
    assert patients[72].history == [(2, "kill")]


def test_an_end_undoes_nothing_that_has_taken_its_place() -> None:
    """The kill stands, though the slowness before it was to end later."""
    patient = Patient()
    clock = carried_out("slow:71:300ms@1s..5s", "kill:71@3s", patients={71: patient})
    assert patient.history == [(1, "slow"), (3, "kill")]
    assert [each.until_seconds for each in clock.injections] == [3, None]


def test_of_two_faults_for_the_same_moment_the_later_one_in_the_plan_acts() -> None:
    """Though each takes a while: the first one ends when the second begins, and not the other way round, too."""
    patient = Patient(takes_seconds=0.2)
    clock = carried_out("reset:71@1s..2s", "errors:71@1s..3s", patients={71: patient})
    assert patient.history == [(1, "reset"), (1.2, "errors"), (3, "undo")]
    assert [each.until_seconds for each in clock.injections] == [1, 3]


def test_an_end_undoes_no_equal_fault_that_began_later() -> None:
    """It was replaced by it, and the later one has an end of its own."""
    patient = Patient()
    clock = carried_out("freeze:71@1s..2s", "freeze:71@1.5s..3s", patients={71: patient})
    assert patient.history == [(1, "freeze"), (1.5, "freeze"), (3, "undo")]
    assert [each.until_seconds for each in clock.injections] == [1.5, 3]


def test_what_was_refused_is_told_and_nothing_of_it_undone() -> None:
    """The other faults of the plan go on."""
    patients = {71: Patient(refuses="It isn't running: restart it first."), 72: Patient()}
    told: list[str] = []
    carried_out("slow:71:20ms@1s..2s", "kill:72@3s", patients=patients, tell=told.append)
    assert patients[71].history == [(1, "slow")]
    assert patients[72].history == [(3, "kill")]
    assert told == ["slow:71:20ms@1s..2s: It isn't running: restart it first."]


def test_what_the_run_was_too_short_for_has_no_time() -> None:
    """It wasn't injected, and the record says so."""
    clock = carried_out("kill:71@2s", patients={71: Patient()}, ends_after=1)
    assert clock.injections[0].at_seconds is None
