"""Three independent counts of the same requests, and whether they agree."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Ledger:
    """Three independent counts since the lab started: client, nginx, backends."""

    client_answered: int = 0
    """Complete responses that the lab's client received."""
    nginx_logged: int = 0
    """Responses that nginx logged as sent to the lab's client in full."""
    backends_served: int = 0
    """Requests that the backends say they answered to nginx, by whomever they were sent."""
    nginx_forwarded: int = 0
    """Attempts that nginx logged as answered by a backend, by whomever they were sent."""
    other_clients: int = 0
    """Requests of other clients, in nginx's log."""
    crossed: int = 0
    """Answers that one side gave and the other didn't get whole: whoever waited for them gave up, or they were cut in
    the body. Already settled in the counts above."""
    client_moving: int = 0
    """Of the answers that the client has more than nginx (fewer, when negative): those that nginx may still log."""
    backends_moving: int = 0
    """Of the answers that nginx has more than the backends gave (fewer, when negative): those that are on the way."""
    direct: int = 0
    """Requests that the backends answered to those who came to them past nginx: in none of the other counts."""

    @property
    def largest_gap(self) -> int:
        """By how much two of the counts differ at the most, what is on the way included."""
        return max(abs(self._client_gap), abs(self._backends_gap))

    @property
    def on_the_way(self) -> int:
        """By how much two of the counts differ at the most only because not everybody can have spoken yet."""
        return max(abs(self.client_moving), abs(self.backends_moving))

    @property
    def differences(self) -> tuple[str, ...]:
        """By how much and between whom the counts disagree, beyond what is on the way."""
        found = []
        to_client, to_backends = self.nginx_beyond
        if to_client:
            found.append(f"client has {_answers(-to_client)} than nginx logged")
        if to_backends:
            found.append(f"nginx has {_answers(to_backends)} than the backends gave")
        return tuple(found)

    @property
    def nginx_beyond(self) -> tuple[int, int]:
        """How many more answers nginx has than the client, and than the backends, for good; negative for fewer."""
        return self.client_moving - self._client_gap, self._backends_gap - self.backends_moving

    @property
    def _client_gap(self) -> int:
        return self.client_answered - self.nginx_logged

    @property
    def _backends_gap(self) -> int:
        return self.nginx_forwarded - self.backends_served

    def settled(self) -> "Ledger":
        """The same counts once everybody has had the time to speak."""
        return replace(self, client_moving=0, backends_moving=0)

    @property
    def is_balanced(self) -> bool:
        return not self.differences


def _answers(gap: int) -> str:
    return f"{abs(gap):,} {'more' if gap > 0 else 'fewer'} answer{'' if abs(gap) == 1 else 's'}"
