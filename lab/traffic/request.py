"""The bytes of a request: all but the shot's number, which comes between head and tail."""

from dataclasses import dataclass

from lab.machine.loopback import HOST
from lab.traffic.plan import RequestSpec

USER_AGENT = "lablb"
REPEATABLE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))
"""Those that may be sent twice (RFC 9110, section 9.2.2)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to fire, and what."""

    port: int
    heads: tuple[bytes, ...]
    """One a path, taken in turn."""
    tail: bytes
    is_head: bool = False
    """The method is HEAD: its response has no body."""
    is_repeatable: bool = True

    def request(self, number: int) -> bytes:
        """The request of that number."""
        heads = self.heads
        return b"%b%d%b" % (heads[number % len(heads)], number, self.tail)


def aim(port: int, shot_name: str, spec: RequestSpec) -> Target:
    """What `spec` asks for, under the name that joins it with nginx's log."""
    body = spec.body.encode()
    own = {"host", "user-agent"} & {name.lower() for name, _ in spec.headers}
    fields = [("Host", f"{HOST}:{port}"), ("User-Agent", USER_AGENT)]
    fields = [(name, value) for name, value in fields if name.lower() not in own] + list(spec.headers)
    if not spec.keeps_alive:
        fields.append(("Connection", "close"))
    if body or spec.method in ("POST", "PUT", "PATCH"):
        fields.append(("Content-Length", str(len(body))))
    lines = "".join(f"\r\n{name}: {value}" for name, value in fields)
    # The shot's name is the first header, as nginx reads none after one that it refuses.
    return Target(
        port,
        tuple(f"{spec.method} {path} HTTP/1.1\r\nX-Lablb-Shot: {shot_name}-".encode("latin-1") for path in spec.paths),
        f"{lines}\r\n\r\n".encode("latin-1") + body,
        is_head=spec.method == "HEAD",
        is_repeatable=spec.method in REPEATABLE_METHODS,
    )
