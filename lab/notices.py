"""What a person should know of how the lab fares, beside what its figures show."""

MOST_NOTICES = 100


class Notices:
    """Sentences in the order in which they were told; none is ever taken back, so that a reader may count them."""

    def __init__(self) -> None:
        self.told: tuple[str, ...] = ()
        self._is_closed = False

    def tell(self, sentence: str) -> None:
        """Add a sentence; the same one twice in a row says nothing new."""
        if self._is_closed or self.told[-1:] == (sentence,) or len(self.told) > MOST_NOTICES:
            return
        full = len(self.told) == MOST_NOTICES
        self.told += ("More has happened than is told here: quit and start the lab again.",) if full else (sentence,)

    def close(self) -> None:
        """Hear nothing any more: what ends now ends because the lab does."""
        self._is_closed = True
