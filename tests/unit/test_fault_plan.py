"""Faults by the clock, as a person writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.config import BackendSpec, LabConfig
from lab.errors import UsageError
from lab.faults.fault import Fault, FaultKind
from lab.faults.plan import planned

WRITTEN = [
    ("kill:73@2s", Fault(FaultKind.KILL), 73, 2.0, None),
    ("terminate:73@500ms", Fault(FaultKind.TERMINATE), 73, 0.5, None),
    ("freeze:72@1s..4s", Fault(FaultKind.FREEZE), 72, 1.0, 4.0),
    ("slow:72:300ms@3s..6s", Fault(FaultKind.SLOW, 300.0), 72, 3.0, 6.0),
    ("slow:72@3s", Fault(FaultKind.SLOW), 72, 3.0, None),
    ("tail:72:20ms@0s", Fault(FaultKind.TAIL, 20.0), 72, 0.0, None),
    ("errors:71:503:30%@1s", Fault(FaultKind.ERRORS, status=503, share=0.3), 71, 1.0, None),
    ("errors:71:30%:503@1s", Fault(FaultKind.ERRORS, status=503, share=0.3), 71, 1.0, None),
    ("errors:71@1s", Fault(FaultKind.ERRORS), 71, 1.0, None),
    ("refuse:75@1m", Fault(FaultKind.REFUSE), 75, 60.0, None),
    ("reset:71:50%@1s", Fault(FaultKind.RESET, share=0.5), 71, 1.0, None),
    ("silence:71:2.5%@1.5", Fault(FaultKind.SILENCE, share=0.025), 71, 1.5, None),
]


@pytest.mark.parametrize(("text", "fault", "port", "start", "end"), WRITTEN, ids=[written[0] for written in WRITTEN])
def test_what_is_written_is_what_is_planned(text: str, fault: Fault, port: int, start: float, end: float) -> None:
    """Kind, backend, figures in any order, and when."""
    plan = planned(text)
    assert (plan.fault, plan.port, plan.place) == (fault, port, None)
    assert (plan.start_seconds, plan.end_seconds) == (start, end)
    assert plan.text == text


def test_a_backend_can_be_named_by_its_place() -> None:
    """Counted from 1, as people count."""
    assert planned("kill:#2@2s").place == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with no fault: give one of kill, terminate,"),
        ("boom:71@1s", "begins with no fault"),
        ("KILL:71@1s", "begins with no fault"),
        ("kill", "names no backend: write its port or its place, like kill:73@2s or kill:#2@2s"),
        ("slow:300ms@1s", "names no backend: write its port or its place, like slow:72:300ms@3s"),
        ("kill:-1@1s", "names no backend"),
        ("kill:٧٣@1s", "names no backend"),
        ("kill:73", "doesn't say when: write it like kill:73@2s"),
        ("kill:73@", "'' is no duration"),
        ("kill:73@soon", "'soon' is no duration"),
        ("kill:73@2s..", "'' is no duration"),
        ("kill:73@2s..1s", "would end before it begins"),
        ("kill:73@2s..2s", "would end before it begins"),
        ("kill:73:30%@2s", "has a '30%' too many: write it like kill:73@2s"),
        ("slow:72:20@2s", "has a '20' too many: write it like slow:72:300ms@3s"),
        ("slow:72:20ms:30ms@2s", "has a '30ms' too many"),
        ("errors:71:503:500@2s", "has a '500' too many: write it like errors:71:503:30%@1s"),
        ("errors:71:@2s", "has a '' too many"),
        ("errors:71:200@2s", "200 is no error's status"),
        ("reset:71:0%@2s", "share of 0%"),
        ("reset:71:101%@2s", "share of 101%"),
        ("slow:71:0ms@2s", "service time of 0 ms"),
    ],
)
def test_what_cant_be_is_told_in_a_sentence(text: str, complaint: str) -> None:
    """It says what is wrong, and mostly how to write it."""
    with pytest.raises(UsageError) as refusal:
        planned(text)
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


@given(st.text(alphabet="kilsow:#@.%7123ms0٣ \n", max_size=24) | st.text(max_size=40))
def test_any_text_is_a_plan_or_a_usage_error(text: str) -> None:
    """Nothing a person types is a crash."""
    try:
        plan = planned(text)
    except UsageError:
        return
    assert plan.fault.kind in list(FaultKind)


def lab_with(*faults: str, backends: int = 5, base_port: int | None = None) -> LabConfig:
    return LabConfig(
        backends=(BackendSpec(),) * backends, base_port=base_port, faults=tuple(planned(fault) for fault in faults)
    )


@pytest.mark.parametrize("text", ["kill:72@1s", "kill:8072@1s", "kill:#2@1s"])
def test_the_articles_ports_mean_the_same_backends_where_the_lab_had_to_move(text: str) -> None:
    """So that a plan can be repeated on a machine where port 71 isn't allowed, and the other way round."""
    lab = lab_with(text)
    assert lab.place_of(lab.faults[0]) == 1


def test_with_a_base_port_of_its_own_a_lab_has_these_ports_only() -> None:
    """Nothing moves then."""
    lab = lab_with("kill:9001@1s", base_port=9000)
    assert lab.place_of(lab.faults[0]) == 1
    with pytest.raises(UsageError, match="'kill:72@1s' is for a backend that isn't there: the lab has 9000 to 9004"):
        lab_with("kill:72@1s", base_port=9000)


@pytest.mark.parametrize("text", ["kill:76@1s", "kill:70@1s", "kill:#6@1s", "kill:#0@1s"])
def test_a_fault_of_a_backend_that_isnt_there_is_a_usage_error(text: str) -> None:
    """Told before anything is started."""
    with pytest.raises(UsageError, match=r"isn't there: the lab has 71 to 75"):
        lab_with(text)


def test_a_lab_of_one_names_its_only_port() -> None:
    """In the same sentence."""
    with pytest.raises(UsageError, match="the lab has only 71"):
        lab_with("kill:72@1s", backends=1)
