"""What makes a lab unfit to go on although none of its own tasks has failed: a child that can't be heard any more."""

import asyncio
from typing import Any


class Breakdown:
    """Of the lab that the running event loop drives; the loop's exception handler notes it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._failure: asyncio.Future[Exception] = loop.create_future()
        loop.set_exception_handler(self._note)

    async def wait(self) -> None:
        """Wait until it comes.

        Raises:
            Exception: the one that made the child unheard.
        """
        raise await asyncio.shield(self._failure)

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        failure = context.get("exception")
        if "child" in context and isinstance(failure, Exception) and not self._failure.done():
            self._failure.set_result(failure)
        else:
            loop.default_exception_handler(context)
