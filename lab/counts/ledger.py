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
    settling: int = 0
    """Requests so recent that not all three can have counted them yet."""
    direct: int = 0
    """Requests that the backends answered to those who came to them past nginx: in none of the other counts."""

    @property
    def largest_gap(self) -> int:
        """By how much two of the counts differ at the most, what is still settling included."""
        return max(abs(self.client_answered - self.nginx_logged), abs(self.nginx_forwarded - self.backends_served))

    @property
    def differences(self) -> tuple[str, ...]:
        """By how much and between whom the counts disagree, beyond what is still settling."""
        found = []
        if abs(gap := self.client_answered - self.nginx_logged) > self.settling:
            found.append(f"client has {abs(gap):,} {'more' if gap > 0 else 'fewer'} answers than nginx logged")
        if abs(gap := self.nginx_forwarded - self.backends_served) > self.settling:
            found.append(f"nginx has {abs(gap):,} {'more' if gap > 0 else 'fewer'} answers than the backends gave")
        return tuple(found)

    def settled(self) -> "Ledger":
        """The same counts once everybody has had the time to speak."""
        return replace(self, settling=0)

    @property
    def is_balanced(self) -> bool:
        return not self.differences
