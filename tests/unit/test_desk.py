"""A backend's desk: how many requests it works on, and for how long."""

import asyncio
from types import SimpleNamespace

import pytest

from lab.backends.alarm import Alarm
from lab.backends.behaviour import Behaviour
from lab.backends.desk import Desk
from lab.backends.scoreboard import Scoreboard
from lab.faults.fault import Fault, FaultKind
from lab.logs.request_id import has_nginxs
from tests.unit.clock import LoopWaker, in_virtual_time, virtual_seconds


@pytest.fixture(autouse=True)
def _virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Desk and alarm read the virtual loop's clock."""
    for module in ("desk", "alarm"):
        clock = SimpleNamespace(perf_counter=virtual_seconds, time=lambda: 0.0, thread_time=lambda: 0.0)
        monkeypatch.setattr(f"lab.backends.{module}.time", clock)


def finishing_times(desk: Desk, requests: int) -> list[float]:
    """When each of so many requests that come at once is done, in milliseconds."""

    async def one() -> float:
        await desk.work(desk.accept())
        return round(virtual_seconds() * 1000, 3)

    async def all_at_once() -> list[float]:
        return await asyncio.gather(*(one() for _ in range(requests)))

    return in_virtual_time(all_at_once())


def desk_with(behaviour: Behaviour) -> Desk:
    desk = Desk(alarm=Alarm(LoopWaker))
    desk.behave(behaviour)
    return desk


def test_without_a_capacity_all_are_worked_on_at_once() -> None:
    """Each takes its service time from its arrival on."""
    assert finishing_times(desk_with(Behaviour(50)), 4) == [50, 50, 50, 50]


def test_with_a_capacity_the_others_wait_their_turn() -> None:
    """A single-threaded backend of 50 ms answers 20 requests a second, on any machine."""
    assert finishing_times(desk_with(Behaviour(50, capacity=1)), 4) == [50, 100, 150, 200]
    assert finishing_times(desk_with(Behaviour(50, capacity=3)), 4) == [50, 50, 50, 100]


def test_without_a_service_time_nobody_waits() -> None:
    """Not even behind others."""
    assert finishing_times(desk_with(Behaviour(0, capacity=1)), 3) == [0, 0, 0]


def test_a_new_behaviour_holds_from_the_next_request_on() -> None:
    """Raising the capacity calls those who wait; the one being worked on keeps its time."""

    async def scenario() -> list[float]:
        desk = desk_with(Behaviour(100, capacity=1))
        done: list[float] = []

        async def one() -> None:
            await desk.work(desk.accept())
            done.append(round(virtual_seconds() * 1000, 3))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(one())
            await asyncio.sleep(0.05)
            desk.behave(Behaviour(10, capacity=3))
        return done

    assert in_virtual_time(scenario()) == [60, 60, 100]


def test_counts_tell_what_is_on_hand_and_what_was_served() -> None:
    """A request whose client has gone was not served; one without nginx's ID came past nginx."""

    async def scenario() -> tuple[int, int, int]:
        scores = Scoreboard()
        desk = Desk(scores)
        visits = [desk.accept(request_id) for request_id in (*("a" * 32, "b" * 32, "c" * 32), "")]
        desk.begin_answer(visits[3])
        desk.dismiss(visits[3], is_served=True)
        assert (scores.begun, scores.direct) == (0, 1)
        desk.dismiss(visits[0], is_served=True)
        desk.dismiss(visits[1], is_served=False)
        return scores.served, scores.direct, scores.in_flight

    assert in_virtual_time(scenario()) == (1, 1, 1)


@pytest.mark.parametrize("request_id", ["", "1", "A" * 32, "a" * 33, "a" * 31 + "g", "a" * 32 + "\n", "a" * 32 + ",b"])
def test_an_id_that_isnt_nginxs_is_no_proof_that_nginx_sent_it(request_id: str) -> None:
    """Anybody may send that header to a backend: it came past nginx all the same, and nobody asks after it."""

    async def scenario() -> tuple[bool, bool]:
        desk = Desk()
        return desk.accept(request_id).is_direct, desk.recall(request_id) is None

    assert in_virtual_time(scenario()) == (True, True)


@pytest.mark.parametrize(
    ("line", "is_nginxs"),
    [
        (b"X-Request-Id: 0123456789abcdef0123456789abcdef\r\n", True),
        (b"x-request-id:0123456789abcdef0123456789abcdef\n", True),
        (b"X-Request-Id: 0123456789ABCDEF0123456789ABCDEF\r\n", False),
        (b"X-Request-Id: 7\r\n", False),
        (b"X-Request-Id: 0123456789abcdef0123456789abcdef0\r\n", False),
        (b"Not-X-Request-Id: 0123456789abcdef0123456789abcdef\r\n", False),
    ],
)
def test_a_head_that_is_no_http_tells_whether_nginx_sent_it(line: bytes, is_nginxs: bool) -> None:
    """By the same form."""
    assert has_nginxs(b"GET / HTTP/1.1\r\n" + line + b"\r\n") is is_nginxs


@pytest.mark.parametrize(("shot", "number"), [("us-7", 7), ("us-", None), ("us-1.5", None), ("us-" + "9" * 5000, None)])
def test_a_request_tells_its_number_or_none(shot: str, number: int | None) -> None:
    """Anybody may send that header, with more digits than Python reads."""

    async def scenario() -> int | None:
        return Desk().accept(shot=shot).number

    assert in_virtual_time(scenario()) == number


def test_a_slow_desk_takes_that_time_instead_of_its_own() -> None:
    """With the capacity that it has."""
    desk = desk_with(Behaviour(50, capacity=1))
    desk.fail(Fault(FaultKind.SLOW, 200))
    assert finishing_times(desk, 2) == [200, 400]


def test_the_same_fault_befalls_the_same_requests_each_time() -> None:
    """So that a run can be repeated; another backend's seed makes another pattern."""

    def pattern(desk: Desk) -> list[bool]:
        desk.fail(Fault(FaultKind.ERRORS, share=0.5))
        return [desk.what_befalls() is not None for _ in range(64)]

    desk = Desk(seed=71)
    assert pattern(desk) == pattern(desk) == pattern(Desk(seed=71))
    assert pattern(desk) != pattern(Desk(seed=72))
    desk.fail(None)
    assert desk.what_befalls() is None
