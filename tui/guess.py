"""Guessing whom nginx picks next: a guess, one real request, its answer, and the score. Pure."""

from dataclasses import dataclass, replace

from lab.models import Snapshot
from lab.witnesses import RequestView
from lab.xray import Pick


@dataclass(frozen=True)
class Answer:
    """What nginx did with the one request."""

    guessed: int
    port: int | None
    """Whom it picked first; None if it found no live backend."""
    pick: Pick | None
    """What the X-ray knows of it; None where there is none."""

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
    answer: Answer | None = None
    """To the guess before."""

    def guess(self, port: int, snapshot: Snapshot) -> "Game":
        """Somebody guessed; one request is fired now."""
        newest = snapshot.feed[-1].number if snapshot.feed else 0
        return replace(self, guessed=port, newest=newest, answer=None)

    def look(self, snapshot: Snapshot) -> "Game":
        """The answer, once the feed has the request and the X-ray has gone through it."""
        request = self._fired(snapshot)
        if self.guessed is None or request is None:
            return self
        xray = snapshot.xray
        picks = {pick.request_id: pick for pick in xray.picks} if xray is not None else {}
        pick = picks.get(request.request_id)
        if pick is None and xray is not None and xray.why_not is None:
            return self
        answer = Answer(self.guessed, request.attempts[0].port if request.attempts else None, pick)
        return replace(self, guessed=None, answer=answer, rounds=self.rounds + 1, right=self.right + answer.is_right)

    def _fired(self, snapshot: Snapshot) -> RequestView | None:
        """The lab's own first request since the guess."""
        return next((each for each in snapshot.feed if each.number > self.newest and each.client is None), None)

    @property
    def score(self) -> str:
        return f"{self.right} of {self.rounds} right" if self.rounds else "no guess yet"
