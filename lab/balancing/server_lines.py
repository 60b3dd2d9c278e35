"""The lab's backends as the models of `lab.balancing` know them: one `server` line each."""

from collections.abc import Iterable

from lab.balancing.peer import PeerSpec
from lab.config import BackendSpec


def servers_of(backends: Iterable[tuple[int, BackendSpec]]) -> list[PeerSpec]:
    """As nginx's configuration has them, in its order."""
    return [
        PeerSpec(
            server=f"127.0.0.1:{port}",
            weight=spec.weight,
            max_fails=spec.max_fails,
            fail_timeout_seconds=spec.fail_timeout_seconds,
            is_down=spec.is_down,
            is_backup=spec.is_backup,
        )
        for port, spec in backends
    ]
