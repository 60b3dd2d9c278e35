"""What a person should know of how the lab fares, beside what its figures show."""

MOST_NOTICES = 100
"""Of the deaths as of all else: whatever happens often takes no room from what is grave."""
MORE = "More has happened than is told here: quit and start the lab again."


class Notices:
    """Sentences in the order in which they were told; none is ever taken back, so that a reader may count them."""

    def __init__(self) -> None:
        self.told: tuple[str, ...] = ()
        self._deaths = self._others = 0
        """How many of each were told."""
        self._is_closed = False

    def tell(self, sentence: str) -> None:
        """Add a sentence; the same one twice in a row says nothing new."""
        self._others += self._add(sentence, self._others)

    def tell_of_death(self, sentence: str) -> None:
        """Add what a person must know: what has died and doesn't start again by itself, and what became of it."""
        self._deaths += self._add(sentence, self._deaths)

    def close(self) -> None:
        """Hear nothing any more: what ends now ends because the lab does."""
        self._is_closed = True

    def _add(self, sentence: str, already: int) -> bool:
        if self._is_closed or self.told[-1:] == (sentence,) or already > MOST_NOTICES:
            return False
        self.told += (MORE if already == MOST_NOTICES else sentence,)
        return True
