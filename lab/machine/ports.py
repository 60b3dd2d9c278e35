"""Which ports the lab gets: the article's where they are allowed, others where they aren't."""

import contextlib
import errno
import socket
import sys
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil

from lab.config import FALLBACK_PORTS, LabConfig
from lab.errors import LabError, NotReadyError
from lab.machine.loopback import HOST, MAX_PORT

NEARBY = 100
"""How far a further backend's port may be from the last one's."""
FARTHER = 1000
"""How far another lab's ports may be."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one lab, all of them free a moment ago."""

    nginx: int
    backends: tuple[int, ...]
    notice: str | None = None
    """What a person should know: that the lab moved, and what would allow the article's ports."""


def choose_ports(config: LabConfig) -> Ports:
    """The ports asked for, or the fallback for those that were left open and aren't allowed.

    Raises:
        NotReadyError: a port is taken (the sentence names who holds it), or one that was asked for isn't allowed.
    """
    count = len(config.backends)
    port, base_port = config.preferred_ports
    moved = []
    if not is_allowed(port):
        if config.port is not None:
            raise _not_allowed(port)
        moved.append(port)
        port = FALLBACK_PORTS[0]
    if not all(is_allowed(base_port + n) for n in range(count)):
        if config.base_port is not None:
            raise _not_allowed(base_port)
        moved.append(base_port)
        base_port = FALLBACK_PORTS[1]
    ports = Ports(port, tuple(range(base_port, base_port + count)), _moved_notice(moved, port, base_port))
    if port in ports.backends:
        raise NotReadyError(f"Port {port} would serve nginx and a backend both: give another --port or --base-port.")
    return ports


def require_free(ports: Ports) -> None:
    """Make sure that nobody listens on them.

    Raises:
        NotReadyError: somebody does; the sentence names who, if this user may know.
    """
    for sentence in obstacles(ports):
        raise NotReadyError(sentence)


def obstacles(ports: Ports) -> Iterator[str]:
    """A sentence for each of them that somebody listens on, with who it is if this user may know, and the remedy."""
    for candidate in (ports.nginx, *ports.backends):
        if _bind_error(candidate) is not None:
            option = "--port" if candidate == ports.nginx else "--base-port"
            yield f"Port {candidate} is taken by {_holder(candidate)}: end that, or give another {option}."


def next_free_port(after: int, taken: Container[int]) -> int:
    """The first port above `after` that nobody listens on, this user may, and isn't taken otherwise.

    Raises:
        LabError: there is none nearby.
    """
    last = min(after + NEARBY, MAX_PORT)
    for port in range(after + 1, last + 1):
        if port not in taken and _bind_error(port) is None:
            return port
    raise LabError(f"There is no free port from {after + 1} to {last} for one more backend: end what listens there.")


def free_row(after: int, count: int) -> int:
    """The first of so many ports in a row above `after` that nobody listens on and this user may.

    Raises:
        LabError: there is none nearby.
    """
    last = min(after + FARTHER, MAX_PORT)
    first = after + 1
    for port in range(after + 1, last + 1):
        if _bind_error(port) is not None:
            first = port + 1
        elif port - first == count - 1:
            return first
    raise LabError(f"There are no {count} free ports in a row from {after + 1} to {last}: end what listens there.")


def is_allowed(port: int) -> bool:
    """Whether this user may listen on the port, free or not."""
    error = _bind_error(port)
    return error is None or error.errno not in (errno.EACCES, errno.EPERM)


def permission_remedy(port: int) -> str:
    """The command that would allow the port on this system."""
    if sys.platform == "linux":
        return f"sudo sysctl net.ipv4.ip_unprivileged_port_start={port}"
    return "sudo lablb"


def _bind_error(port: int) -> OSError | None:
    with socket.socket() as probe:
        if sys.platform == "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def _not_allowed(port: int) -> NotReadyError:
    return NotReadyError(
        f"Port {port} isn't allowed for this user: give one above 1023, or allow it with: {permission_remedy(port)}"
    )


def _moved_notice(moved: Iterable[int], port: int, base_port: int) -> str | None:
    refused = list(moved)
    if not refused:
        return None
    return (
        f"Ports below 1024 aren't allowed here, so nginx is at {port} and the backends from {base_port} on;"
        f" to have {refused[0]}: {permission_remedy(refused[0])}"
    )


def _holder(port: int) -> str:
    """Who listens on the port, as far as this user may know."""
    with contextlib.suppress(psutil.Error):
        pid = _holder_pid(port)
        if pid is not None:
            return f"{psutil.Process(pid).name()} (PID {pid})"
    return "a process of another user"


def _holder_pid(port: int) -> int | None:
    """From the system's table; where that is root's alone, as on macOS, from each process that this user may ask."""
    try:
        return next((each.pid for each in psutil.net_connections("tcp") if _listens(each, port)), None)
    except psutil.AccessDenied:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if any(_listens(each, port) for each in process.net_connections("tcp")):
                    return process.pid
        return None


def _listens(connection: Any, port: int) -> bool:
    return bool(connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,))
