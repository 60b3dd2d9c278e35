"""The web application that is balanced: `python -m lab.backend 71` runs one by hand.

It answers every path with its PID, as the runner of the article does. With `--lab` it obeys the lab's orders on
stdin (how to behave), keeps its counts where the lab can read them, and ends at EOF.
"""

import argparse
import asyncio
import os
import socket
import sys
from pathlib import Path

import tornado.web
from tornado.http1connection import HTTP1Connection

from lab.config import MAX_PORT, Behaviour
from lab.desk import Desk
from lab.orders import obey
from lab.scoreboard import Scoreboard
from lab.stdio import Message, emit

HOST = "127.0.0.1"
BACKLOG = 1024
REMEMBERED = 4096
"""How many of the latest requests can still be asked about."""


class Hello(tornado.web.RequestHandler):
    """Says which process answered."""

    def initialize(self, desk: Desk) -> None:
        self._desk = desk
        self._visit = desk.accept(self.request.headers.get("X-Request-Id", ""))
        self._is_there = True
        self._is_client_gone = False

    def on_connection_close(self) -> None:
        self._is_client_gone = True

    def on_finish(self) -> None:
        """Whatever was answered has been served: Tornado's own refusal of a method, too."""
        self._leave(is_served=True)

    async def answer(self) -> None:
        """Answer whatever was asked, after the time that the lab ordered it to take."""
        try:
            await self._desk.work(self._visit)
            if not (self._is_client_gone or self._has_hung_up()):
                self._desk.begin_answer()
                await self.finish(f"Hello from Process Id = {os.getpid()}")
        finally:
            self._leave(is_served=False)

    get = post = put = patch = delete = head = options = answer

    def _leave(self, *, is_served: bool) -> None:
        if self._is_there:
            self._is_there = False
            self._desk.dismiss(self._visit, is_served=is_served)

    def _has_hung_up(self) -> bool:
        """Whether the client has closed the connection, and the event loop hasn't come round to telling.

        After a thaw it hasn't: the requests that nginx gave up on meanwhile would count as answered.
        """
        connection = self.request.connection
        stream = connection.stream if isinstance(connection, HTTP1Connection) else None
        if stream is None or stream.socket is None:
            return True
        try:
            return stream.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except ConnectionError:
            return True


async def serve(port: int, scoreboard: Path | None, *, is_in_lab: bool) -> None:
    """Listen on `port` of the loopback interface until the lab is gone, or for ever.

    Raises:
        OSError: the port is taken or not allowed.
    """
    desk = Desk(Scoreboard(scoreboard))

    def handle(order: Message) -> None:
        match order:
            case {"order": "behave", "service_time_ms": service_time_ms, "capacity": capacity}:
                desk.behave(Behaviour(service_time_ms, capacity))
            case {"order": "recall", "id": request_id}:
                witness = (visit := desk.recall(request_id)) and {
                    "port": port,
                    "pid": os.getpid(),
                    "arrived": visit.arrived,
                    "in_flight": visit.in_flight,
                    "done": visit.done,
                }
                emit({"event": "recalled", "key": request_id, "witness": witness})

    application = tornado.web.Application([(r".*", Hello, {"desk": desk})], log_function=lambda _: None)
    server = application.listen(port, HOST, backlog=BACKLOG)
    if is_in_lab:
        emit({"event": "ready"})
        await obey(handle)
        server.stop()
    else:
        print(f"Running on {port}", flush=True)
        await asyncio.Event().wait()


def main() -> int:
    """The command `python -m lab.backend`."""
    parser = argparse.ArgumentParser(prog="python -m lab.backend", description="Answers with its process ID.")
    parser.add_argument("port", type=int, help="port to listen on, at 127.0.0.1")
    parser.add_argument("--lab", action="store_true", help="obey orders on stdin; the lab starts it so")
    parser.add_argument("--scoreboard", type=Path, metavar="FILE", help="keep the count of answers in this file")
    arguments = parser.parse_args()
    if not 1 <= arguments.port <= MAX_PORT:
        parser.error(f"there is no port {arguments.port}: give 1 to {MAX_PORT}")
    try:
        asyncio.run(serve(arguments.port, arguments.scoreboard, is_in_lab=arguments.lab))
    except KeyboardInterrupt:
        return 130
    except (OSError, OverflowError) as error:
        print(f"Can't listen on port {arguments.port}: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
