"""What a measurement can't do without: figures of a lab that lacks it are no result."""

from collections.abc import Container
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from lab.parts import Parts


def require_nginx(parts: "Parts") -> None:
    """Refusals by an nginx that isn't there aren't to be reported as failures of the load balancing.

    Raises:
        LabError: nginx has died.
    """
    if parts.balancer.server.master_pid is None:
        raise LabError("nginx died in the middle of the run: run it again, or try another one with --nginx.")


def require_backends(parts: "Parts", *, mortal: Container[int] = ()) -> None:
    """Of all ports but the mortal ones, whose backends may be dead.

    Raises:
        LabError: one has died.
    """
    for backend in parts.fleet:
        if not backend.state.is_alive and backend.port not in mortal:
            raise LabError(
                f"The backend on port {backend.port} died in the middle of the run ({backend.note}): run it again."
            )
