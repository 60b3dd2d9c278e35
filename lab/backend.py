"""The web application that is balanced: `python -m lab.backend 71` runs one by hand.

It answers every path with its PID, as the runner of the article does. With `--lab` it obeys the lab's orders on
stdin (how to behave), keeps its counts where the lab can read them, and ends at EOF.
"""

import argparse
import asyncio
import os
import socket
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

import tornado.web
from tornado.http1connection import HTTP1Connection

from lab.config import MAX_PORT, Behaviour
from lab.orders import obey
from lab.scoreboard import Scoreboard
from lab.stdio import Message, emit

HOST = "127.0.0.1"
BACKLOG = 1024
REMEMBERED = 4096
"""How many of the latest requests can still be asked about."""


@dataclass(slots=True)
class Visit:
    """One request as the backend saw it. Times are seconds since the epoch."""

    arrived: float
    in_flight: int
    """With this one."""
    done: float | None = None


class Desk:
    """Where requests are worked on: at most `capacity` at once, each for its service time; the others queue."""

    def __init__(self, scoreboard: Scoreboard | None = None) -> None:
        self._scores = scoreboard or Scoreboard()
        self._visits: dict[str, Visit] = {}
        self._behaviour = Behaviour()
        self._working = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    def behave(self, behaviour: Behaviour) -> None:
        """Work like this from the next request on."""
        self._behaviour = behaviour
        self._call_next()

    def accept(self, request_id: str = "") -> "Visit":
        """A request has arrived."""
        self._scores.note_arrival()
        visit = self._visits[request_id] = Visit(time.time(), self._scores.in_flight)
        if len(self._visits) > REMEMBERED:
            del self._visits[next(iter(self._visits))]
        return visit

    def begin_answer(self) -> None:
        """A request is about to be answered."""
        self._scores.note_answer()

    def dismiss(self, visit: "Visit", *, is_served: bool) -> None:
        """A request was answered, or its client has gone."""
        self._scores.note_departure(is_served=is_served)
        if is_served:
            visit.done = time.time()

    def recall(self, request_id: str) -> "Visit | None":
        """What became of a request, while it is remembered."""
        return self._visits.get(request_id)

    async def work(self) -> None:
        """Queue for a turn, then take the service time, waiting rather than burning it."""
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._call_next()
        await turn
        try:
            if self._behaviour.service_time_ms > 0:
                await asyncio.sleep(self._behaviour.service_time_ms / 1000)
        finally:
            self._working -= 1
            self._call_next()

    def _call_next(self) -> None:
        capacity = self._behaviour.capacity
        while self._queue and (capacity is None or self._working < capacity):
            self._working += 1
            turn = self._queue.popleft()
            if turn.cancelled():
                self._working -= 1
            else:
                turn.set_result(None)


class Hello(tornado.web.RequestHandler):
    """Says which process answered."""

    def initialize(self, desk: Desk) -> None:
        self._desk = desk
        self._visit: Visit | None = desk.accept(self.request.headers.get("X-Request-Id", ""))
        self._is_client_gone = False

    def on_connection_close(self) -> None:
        self._is_client_gone = True

    def on_finish(self) -> None:
        """Whatever was answered has been served: Tornado's own refusal of a method, too."""
        self._leave(is_served=True)

    async def answer(self) -> None:
        """Answer whatever was asked, after the time that the lab ordered it to take."""
        try:
            await self._desk.work()
            if not (self._is_client_gone or self._has_hung_up()):
                self._desk.begin_answer()
                await self.finish(f"Hello from Process Id = {os.getpid()}")
        finally:
            self._leave(is_served=False)

    get = post = put = patch = delete = head = options = answer

    def _leave(self, *, is_served: bool) -> None:
        if self._visit is not None:
            self._desk.dismiss(self._visit, is_served=is_served)
            self._visit = None

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
                visit = desk.recall(request_id)
                witness = None if visit is None else {"port": port, "pid": os.getpid(), **asdict(visit)}
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
