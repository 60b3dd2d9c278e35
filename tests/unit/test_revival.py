"""Bringing dead backends back."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest

from lab.backends.backend_port import Backend
from lab.backends.revival import Reviver
from lab.errors import NotReadyError
from tests.unit.clock import in_virtual_time, virtual_seconds


@dataclass
class Mortal:
    """A backend that dies again until it has been revived often enough."""

    cures: int
    """How many revivals it takes."""
    lives_seconds: float = 0.0
    """How long it lives each time before it dies again; 0 if it doesn't even start."""
    port: int = 71
    has_failed: bool = True
    note: str | None = "ended with code 3: no such luck"
    notes: list[tuple[float, str | None]] = field(default_factory=list)
    last_words: tuple[str, ...] = ("Traceback:", "no such luck")
    revivals: int = 0
    left_alone: tuple[str, ...] | None = None
    told: list[str] = field(default_factory=list)
    """By who revives it."""

    reviver: Reviver | None = None
    """Who hears of its further deaths."""

    def __post_init__(self) -> None:
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.end.set_result(None)

    async def revive(self) -> bool:
        self.notes.append((virtual_seconds(), self.note))
        self.cures -= 1
        self.note = None
        if self.cures > 0 and self.lives_seconds == 0:
            self.note = "ended with code 3: no such luck"
            raise NotReadyError("It didn't start.")
        self.has_failed = False
        self.end = asyncio.get_running_loop().create_future()
        if self.cures > 0:
            asyncio.get_running_loop().call_later(self.lives_seconds, self.die)
        return True

    def die(self) -> None:
        self.has_failed, self.note = True, "ended by signal 11"
        self.end.set_result(None)
        if self.reviver is not None:
            self.reviver.consider(cast("Backend", self))


def revived(cures: int, lives_seconds: float = 0.0) -> Mortal:
    """What has become of it after a minute."""

    async def scenario() -> Mortal:
        mortal = Mortal(cures, lives_seconds)
        mortal.reviver = Reviver(mortal.told.append, mortal.told.append)
        mortal.reviver.consider(cast("Backend", mortal))
        await asyncio.sleep(60)
        return mortal

    return in_virtual_time(scenario())


def test_a_dead_backend_is_brought_back_and_its_note_says_when() -> None:
    """Half a second later, with the reason of its death."""
    mortal = revived(cures=1)
    assert mortal.notes == [(0.5, "restarting in 0.5 s (try 1 of 5): ended with code 3: no such luck")]
    assert not mortal.has_failed
    assert mortal.note is None


def test_each_further_try_comes_after_twice_the_time() -> None:
    """Until one succeeds."""
    mortal = revived(cures=3)
    assert [at for at, _ in mortal.notes] == [0.5, 1.5, 3.5]
    assert mortal.notes[2][1] == "restarting in 2 s (try 3 of 5): ended with code 3: no such luck"
    assert not mortal.has_failed


@pytest.mark.parametrize(
    ("lives_seconds", "last_words"), [(0.0, "ended with code 3: no such luck"), (2.0, "ended by signal 11")]
)
def test_one_that_keeps_dying_is_left_alone_after_five_tries(lives_seconds: float, last_words: str) -> None:
    """Whether it doesn't start or dies soon after; its last words stay."""
    mortal = revived(cures=99, lives_seconds=lives_seconds)
    assert len(mortal.notes) == 5
    assert mortal.has_failed
    assert mortal.note == f"left alone after 5 tries: {last_words}"


@pytest.mark.parametrize("lives_seconds", [2.0, 15.0], ids=["in a row", "each on its own"])
def test_bringing_back_is_counted_each_time_and_told_once(lives_seconds: float) -> None:
    """The count is the report's; whoever looks at the dashboard needs one sentence."""
    mortal = revived(cures=3, lives_seconds=lives_seconds)
    assert mortal.revivals == 3
    assert mortal.told == [
        "The backend on port 71 was gone (ended with code 3: no such luck): --restart brought it back."
    ]
    assert mortal.left_alone is None


def test_leaving_alone_is_told_with_the_reason_and_its_last_words() -> None:
    """One that never started was never brought back."""
    mortal = revived(cures=99)
    assert (mortal.revivals, mortal.left_alone) == (0, ("ended with code 3", "Traceback:", "no such luck"))
    assert mortal.told == [
        "The backend on port 71 keeps failing and is left alone after 5 tries: ended with code 3: no such luck."
    ]


def test_one_that_ended_in_good_order_stays_ended() -> None:
    """It was told to, and whoever told it doesn't want it back."""

    async def scenario() -> Mortal:
        mortal = Mortal(cures=1, has_failed=False)
        Reviver(lambda _: None, lambda _: None).consider(cast("Backend", mortal))
        await asyncio.sleep(60)
        return mortal

    assert in_virtual_time(scenario()).notes == []


@pytest.mark.parametrize("is_all_over", [False, True], ids=["removed", "the lab ends"])
def test_nobody_is_revived_that_isnt_wanted_any_more(is_all_over: bool) -> None:
    """A removed backend, or all when the lab ends."""

    async def scenario() -> Mortal:
        reviver, mortal = Reviver(lambda _: None, lambda _: None), Mortal(cures=1)
        reviver.consider(cast("Backend", mortal))
        await asyncio.sleep(0.1)
        if is_all_over:
            reviver.stop()
            reviver.consider(cast("Backend", mortal))
        else:
            reviver.forget(mortal.port)
        await asyncio.sleep(60)
        return mortal

    assert in_virtual_time(scenario()).notes == []


def test_another_backend_on_the_same_port_is_told_of_anew() -> None:
    """The first was removed, and its port given to the next one that was added."""

    async def scenario() -> list[str]:
        told: list[str] = []
        reviver = Reviver(told.append, told.append)
        for _ in range(2):
            reviver.consider(cast("Backend", Mortal(cures=1)))
            await asyncio.sleep(60)
            reviver.forget(71)
        return told

    assert len(in_virtual_time(scenario())) == 2


def test_one_that_was_left_alone_and_started_by_hand_is_told_of_anew() -> None:
    """The last that was told of it is that nobody brings it back."""

    async def scenario() -> list[str]:
        mortal = Mortal(cures=6, lives_seconds=2)
        reviver = mortal.reviver = Reviver(mortal.told.append, mortal.told.append)
        reviver.consider(cast("Backend", mortal))
        await asyncio.sleep(60)
        reviver.consider(cast("Backend", mortal))
        await asyncio.sleep(60)
        return mortal.told

    told = in_virtual_time(scenario())
    assert ["brought it back" in sentence for sentence in told] == [True, False, True]
