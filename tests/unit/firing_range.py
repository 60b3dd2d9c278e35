"""A gun and what it fires at, on a clock that jumps."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import cast

from lab.traffic.gun import Gun
from lab.traffic.lane import Lane, Owner
from lab.traffic.outcome import Fate, Shot, answered, failed
from lab.traffic.plan import TrafficSpec
from tests.unit.clock import LoopWaker, in_virtual_time, virtual_seconds

ENDLESS_SECONDS = 100_000


@dataclass
class Range:
    """What a gun fires at: lanes that take a fixed time, and notes of what they did."""

    seconds: float = 0.0
    dues: list[float] = field(default_factory=list)
    """When each request fell due, in the order they were sent."""
    numbers: list[int] = field(default_factory=list)
    lanes: int = 0
    closed: int = 0
    under_way: int = 0
    most_under_way: int = 0

    def make_lane(self, owner: Owner) -> Lane:
        self.lanes += 1
        return cast("Lane", RangeLane(self, owner))


class RangeLane:
    """A lane that answers after the range's time."""

    is_open = True

    def __init__(self, target: Range, owner: Owner) -> None:
        self._range = target
        self._owner = owner
        self._answer: asyncio.TimerHandle | None = None

    def fire(self, number: int, due: float, *, is_resent: bool = False) -> None:
        assert self._answer is None, "a lane fires one request at a time"
        target = self._range
        target.dues.append(due)
        target.numbers.append(number)
        target.under_way += 1
        target.most_under_way = max(target.most_under_way, target.under_way)
        answer = (number, due, virtual_seconds(), answered(200, b"", b"", False))
        self._answer = asyncio.get_running_loop().call_later(target.seconds, self._finish, *answer)

    def give_up(self, error: str) -> None:
        assert self._answer is not None
        number, due, sent, *_ = self._answer._args
        self._answer.cancel()
        self.is_open = False
        self._finish(number, due, sent, failed(error))

    def close(self) -> None:
        self._range.closed += 1

    def _finish(self, number: int, due: float, sent: float, fate: Fate) -> None:
        self._answer = None
        self._range.under_way -= 1
        done = virtual_seconds()
        self._owner.finish(cast("Lane", self), Shot(number, due, sent, done, done, fate))


def a_gun(spec: TrafficSpec, target: Range, record: Callable[[Shot], None]) -> Gun:
    """A gun whose target is the range."""
    return Gun(spec, target.make_lane, record, LoopWaker)


@dataclass
class Fired:
    """A gun that has fired, and all it told."""

    gun: Gun
    shots: list[Shot]
    seconds: float
    """How long it fired."""


Script = Callable[[Gun], Awaitable[None]]


async def let_it_be(gun: Gun) -> None:
    """Fire by the plan alone."""
    gun.resume()


def fire(
    spec: TrafficSpec, target: Range, script: Script = let_it_be, patience_seconds: float = ENDLESS_SECONDS
) -> Fired:
    """Fire the plan to its end while the script gives orders."""

    async def scenario() -> Fired:
        shots: list[Shot] = []
        start = virtual_seconds()
        gun = a_gun(replace(spec, timeout_seconds=patience_seconds), target, shots.append)
        orders = asyncio.ensure_future(script(gun))
        await gun.is_done.wait()
        seconds = virtual_seconds() - start
        await orders
        gun.close()
        return Fired(gun, shots, seconds)

    return in_virtual_time(scenario())
