"""How a person, a terminal or a system ends the lab from outside."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def ended_by_signals(end: Callable[[], object]) -> Iterator[None]:
    """Have Ctrl-C, a termination or a hang-up end the lab in good order."""
    loop = asyncio.get_running_loop()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handled = []
    for name in names:
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C then cancels the main task
            loop.add_signal_handler(getattr(signal, name), end)
            handled.append(name)
    try:
        yield
    finally:
        for name in handled:
            loop.remove_signal_handler(getattr(signal, name))
