"""Whether this machine allows what is asked of the lab: files (pipes and connections are some, too) and memory."""

import math
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from lab.errors import NotReadyError

if TYPE_CHECKING:
    from lab.config import LabConfig

LAB_FILES = 40
"""What the lab itself may have open beside the pipes to its backends (measured: 18, a few more for a moment)."""
FILES_A_BACKEND = 4
"""Of the lab's: three pipes and the scoreboard."""
NGINX_FILES = 14
"""What a worker of nginx has open beside connections."""
FILES_A_SIBLING = 2
"""Of nginx's: what its workers speak through with the master."""
CONNECTIONS_A_REQUEST = 2
"""Of nginx's: the client's and the backend's."""
IDLE_CONNECTIONS = 34
"""Of nginx's: its port, its master, and the 32 that it keeps alive to backends."""
USABLE_CONNECTIONS = 15 / 16
"""With less than the rest of them free nginx closes idle ones (ngx_connection.c, ngx_drain_connections), and
a client that is about to use one is reset."""
ROOMY_FILES = 8192
"""Asked for where nobody says how many there will be: other clients come, and backends can be added."""
ROOMY_CONNECTIONS = 4096
"""nginx's `worker_connections` likewise."""
BACKEND_BYTES = 18 * 2**20
"""Memory that a backend shares with nobody (measured: 17.3 MB)."""


def require_room(config: "LabConfig") -> None:
    """Have this process, and all that it starts, be allowed the files that the lab needs; and look for its memory.

    Raises:
        NotReadyError: the machine has less.
    """
    import psutil  # noqa: PLC0415 - takes 25 ms, and the lab's client needs only the rest

    backends, connections = len(config.backends), config.traffic.connections or 1
    for_backends = LAB_FILES + FILES_A_BACKEND * backends
    for_requests = _connections_for(connections) + _nginx_files(config.nginx_workers)
    _raise_to(max(ROOMY_FILES, for_backends, for_requests))
    if for_backends > (allowed := files_allowed()):
        most = (allowed - LAB_FILES) // FILES_A_BACKEND
        raise _too_few_files(f"A lab of {_counted(backends, 'backend')} needs", for_backends, "--backends", most)
    if for_requests > allowed:
        most = most_connections(config.nginx_workers)
        raise _too_few_files(f"For {_counted(connections, 'connection')} nginx needs", for_requests, "-c", most)
    free = psutil.virtual_memory().available
    if backends * BACKEND_BYTES > free:
        raise NotReadyError(
            f"{backends:,} backends need about {backends * BACKEND_BYTES / 2**30:,.1f} GB of memory, and"
            f" {free / 2**30:,.1f} GB are free: give --backends {max(free // BACKEND_BYTES, 1)} or fewer."
        )


def files_allowed() -> int:
    """How many files this process, and each that it starts, may have open at once."""
    if sys.platform == "win32":  # sockets don't count as files there
        return sys.maxsize
    import resource  # noqa: PLC0415 - POSIX only

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def most_connections(nginx_workers: int = 1) -> int:
    """How many requests can be under way at once with the files that nginx may have open."""
    usable = int((files_allowed() - _nginx_files(nginx_workers)) * USABLE_CONNECTIONS)
    return (usable - IDLE_CONNECTIONS) // CONNECTIONS_A_REQUEST


def worker_connections(config: "LabConfig") -> int:
    """nginx's directive: enough for the lab's client and a few others, and no more than nginx may have files."""
    wanted = max(ROOMY_CONNECTIONS, _connections_for(config.traffic.connections or 1))
    return min(wanted, files_allowed() - _nginx_files(config.nginx_workers))


def _connections_for(requests: int) -> int:
    """What nginx needs to have so many requests under way."""
    return math.ceil((CONNECTIONS_A_REQUEST * requests + IDLE_CONNECTIONS) / USABLE_CONNECTIONS)


def _nginx_files(workers: int) -> int:
    return NGINX_FILES + FILES_A_SIBLING * workers


def _raise_to(wanted: int) -> None:
    """As far as an ordinary user may."""
    if sys.platform == "win32" or files_allowed() >= wanted:
        return
    import resource  # noqa: PLC0415 - POSIX only

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(ValueError, OSError):  # macOS may allow less than its limit says
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _too_few_files(who_needs: str, count: int, option: str, most: int) -> NotReadyError:
    fewer = f"give {option} {most} or fewer, or " if most > 0 else ""
    return NotReadyError(
        f"{who_needs} {count:,} open files, and this system allows a process {files_allowed():,}:"
        f" {fewer}have root allow more with: ulimit -n {count}"
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
