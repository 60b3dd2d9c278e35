"""Guessing whom nginx picks next: a guess, one real request, its answer, and the score. Pure."""

from dataclasses import dataclass, replace

from lab.models import Snapshot
from lab.witnesses import RequestView
from lab.xray.view import Pick


@dataclass(frozen=True)
class Answer:
    """What nginx did with the one request."""

    guessed: int
    port: int | None
    """Whom it picked first; None if it found no live backend."""
    request_id: str
    pick: Pick | None
    """What the X-ray knows of it; it comes a moment later, or never."""

    @property
    def is_right(self) -> bool:
        return self.guessed == self.port


@dataclass(frozen=True)
class Game:
    """Where the game is: it waits for a guess, or for the answer to one."""

    rounds: int = 0
    right: int = 0
    guessed: int | None = None
    """The port, while the answer is awaited."""
    newest: int = 0
    """The number of the newest request in the feed when that was guessed."""
    ended: int = 0
    """How many requests of the lab's client had ended then."""
    is_missed: bool = False
    """The request that was guessed at went by among too many others."""
    answer: Answer | None = None
    """To the guess before."""

    def guess(self, port: int, snapshot: Snapshot) -> "Game":
        """Somebody guessed; one request is fired now."""
        newest = snapshot.feed[-1].number if snapshot.feed else 0
        return replace(self, guessed=port, newest=newest, ended=_ended(snapshot), is_missed=False, answer=None)

    def look(self, snapshot: Snapshot) -> "Game":
        """The answer, once the feed has the request; its explanation, once the X-ray has gone through it."""
        if self.guessed is None:
            return self.explained(snapshot)
        request = self._fired(snapshot)
        if request is None:
            has_passed = bool(snapshot.feed) and snapshot.feed[0].number > self.newest + 1
            is_missed = has_passed and _ended(snapshot) > self.ended
            return replace(self, guessed=None, is_missed=True) if is_missed else self
        port = request.attempts[0].port if request.attempts else None
        answer = Answer(self.guessed, port, request.request_id, None)
        right = self.right + answer.is_right
        return replace(self, guessed=None, answer=answer, rounds=self.rounds + 1, right=right).explained(snapshot)

    def explained(self, snapshot: Snapshot) -> "Game":
        """With what the X-ray says of the answer, if it says something by now."""
        answer, xray = self.answer, snapshot.xray
        if answer is None or answer.pick is not None or xray is None:
            return self
        pick = next((each for each in xray.picks if each.request_id == answer.request_id), None)
        return self if pick is None else replace(self, answer=replace(answer, pick=pick))

    def _fired(self, snapshot: Snapshot) -> RequestView | None:
        """The lab's own first request since the guess."""
        return next((each for each in snapshot.feed if each.number > self.newest and each.client is None), None)

    @property
    def score(self) -> str:
        return f"{self.right} of {self.rounds} right" if self.rounds else "no guess yet"


def _ended(snapshot: Snapshot) -> int:
    return snapshot.traffic.answered + snapshot.traffic.failed
