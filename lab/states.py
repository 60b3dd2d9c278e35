"""In which state a lab and its parts can be."""

from enum import Enum


class Phase(Enum):
    """Where the lab is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


class BackendState(Enum):
    """What the operating system says of a backend's process."""

    STARTING = "starting"
    UP = "up"
    ENDING = "ending"
    """It was told to end (SIGTERM), and finishes what it has on its hands."""
    FROZEN = "frozen"
    """It is stopped (SIGSTOP), whoever did it."""
    KILLED = "killed"
    """The lab killed it."""
    EXITED = "exited"
    """It ended by itself, or somebody else ended it."""

    @property
    def is_alive(self) -> bool:
        return self not in (BackendState.KILLED, BackendState.EXITED)


class LoopKind(Enum):
    """How the lab's client decides when to send: by the clock, or when an answer came back."""

    OPEN = "open"
    CLOSED = "closed"
