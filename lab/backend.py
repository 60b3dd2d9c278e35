"""The web application that is balanced: `python -m lab.backend 71` runs one by hand.

It answers every path with its PID, as the runner of the article does. At SIGTERM it answers what it has on its hands,
and ends. With `--lab` it obeys the lab's orders on stdin (how to behave, how to fail), keeps its counts where the lab
can read them, and ends at EOF.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import struct
import sys
from http.client import responses
from pathlib import Path

import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import IOStream

from lab.backends.behaviour import Behaviour
from lab.backends.desk import Desk
from lab.backends.door import Door
from lab.backends.scoreboard import Scoreboard
from lab.backends.workload import Workload
from lab.faults.fault import Fault, FaultKind
from lab.logs.request_id import REQUEST_ID, has_nginxs
from lab.machine.loopback import MAX_PORT
from lab.machine.orders import obey
from lab.machine.privileges import become
from lab.machine.stdio import Message, emit

RESET_AT_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""For SO_LINGER: close() throws away what isn't sent yet, and sends RST."""


class House:
    """Where requests come in, and where they are worked on; it takes the lab's orders."""

    def __init__(self, port: int, desk: Desk) -> None:
        self.desk = desk
        self.collapse: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails with the `OSError` for which the port can't be opened again."""
        self._port = port
        application = tornado.web.Application([(r".*", Hello, {"house": self})], log_function=lambda _: None)
        self.door = Door(application, port, on_refusal=self._note_refusal)

    def _note_refusal(self, head: bytes) -> None:
        self.desk.note_refusal(is_direct=not has_nginxs(head))

    def handle(self, order: Message) -> None:
        """Obey the lab."""
        match order:
            case {"order": "behave", "service_time_ms": service_time_ms, "capacity": capacity, "workload": workload}:
                self.desk.behave(
                    Behaviour(service_time_ms, capacity, None if workload is None else Workload(**workload))
                )
            case {"order": "fail", "number": number, "fault": fault}:
                self._fail(None if fault is None else Fault(**fault | {"kind": FaultKind(fault["kind"])}))
                emit({"event": "obeyed", "number": number})
            case {"order": "recall", "id": request_id}:
                witness = (visit := self.desk.recall(request_id)) and {
                    "port": self._port,
                    "pid": os.getpid(),
                    "arrived": visit.arrived,
                    "in_flight": visit.in_flight,
                    "done": visit.done,
                }
                emit({"event": "recalled", "key": request_id, "witness": witness})

    async def end_once(self, is_told: asyncio.Event, *, is_in_lab: bool) -> None:
        """Wait until it is told to end; then let nobody in any more, and return when everybody inside has an answer."""
        await is_told.wait()
        self.door.shut()
        if is_in_lab:
            emit({"event": "ending"})
        await self.door.wait_until_empty()

    def _fail(self, fault: Fault | None) -> None:
        self.desk.fail(fault)
        if fault is not None and fault.kind is FaultKind.REFUSE:
            self.door.shut()
            return
        try:
            self.door.open()
        except OSError as error:
            self.collapse.set_exception(error)


class Hello(tornado.web.RequestHandler):
    """Says which process answered."""

    def initialize(self, house: House) -> None:
        self._desk, self._door = house.desk, house.door
        headers = self.request.headers
        self._visit = self._desk.accept(headers.get(REQUEST_ID, ""), headers.get("X-Lablb-Shot", ""))
        self._is_there = True
        self._is_client_gone = asyncio.Event()
        connection = self.request.connection
        self._stream: IOStream | None = connection.stream if isinstance(connection, HTTP1Connection) else None
        if self._stream is not None:
            self._door.note_request(self._stream)

    def on_connection_close(self) -> None:
        self._is_client_gone.set()

    def on_finish(self) -> None:
        """Whatever was answered has been served: Tornado's own refusal of a method, too."""
        self._leave(is_served=True)

    async def answer(self) -> None:
        """Answer whatever was asked, after the time that the lab ordered it to take; or fail as it was ordered to."""
        fault = self._desk.what_befalls()
        try:
            if fault is not None and fault.kind is FaultKind.SILENCE:
                await self._is_client_gone.wait()
                return
            await self._desk.work(self._visit)
            if self._is_client_gone.is_set() or self._has_hung_up():
                return
            self._desk.begin_answer(self._visit)
            if fault is None:
                await self._finish("Hello")
            elif fault.kind is FaultKind.RESET:
                self._break_off()
            else:
                self.set_status(fault.status)
                await self._finish(responses.get(fault.status, "Error"))
        finally:
            self._leave(is_served=False)

    get = post = put = patch = delete = head = options = answer

    async def _finish(self, greeting: str) -> None:
        if not self._door.is_open:
            self.set_header("Connection", "close")
        await self.finish(_signed(greeting))

    def _break_off(self) -> None:
        """Send the header and half of the body, and reset the connection."""
        assert self._stream is not None
        body = _signed("Hello").encode()
        self.set_header("Content-Length", len(body))
        self.write(body[: len(body) // 2])
        self.flush()
        self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        self._leave(is_served=True)
        self._stream.close()

    def _leave(self, *, is_served: bool) -> None:
        if self._is_there:
            self._is_there = False
            self._desk.dismiss(self._visit, is_served=is_served)
            if self._stream is not None:
                self._door.note_answer(self._stream)

    def _has_hung_up(self) -> bool:
        """Whether the client has closed the connection, and the event loop hasn't come round to telling.

        After a thaw it hasn't: the requests that nginx gave up on meanwhile would count as answered.
        """
        if self._stream is None or self._stream.socket is None:
            return True
        try:
            return self._stream.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except ConnectionError:
            return True


async def serve(port: int, scoreboard: Path | None, *, is_in_lab: bool, user: str | None = None) -> None:
    """Listen on `port` of the loopback interface until SIGTERM, or until the lab is gone.

    Raises:
        OSError: the port is taken or not allowed.
    """
    house = House(port, Desk(Scoreboard(scoreboard), seed=port))
    if user is not None:
        become(user)
    is_told_to_end = asyncio.Event()
    with contextlib.suppress(NotImplementedError):  # Windows ends it at once
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, is_told_to_end.set)
    ends = {house.collapse, asyncio.create_task(house.end_once(is_told_to_end, is_in_lab=is_in_lab))}
    if is_in_lab:
        emit({"event": "ready", "pid": os.getpid()})
        ends.add(asyncio.create_task(obey(house.handle)))
    else:
        print(f"Running on {port}", flush=True)
    done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    house.door.shut()
    for end in done:
        end.result()


def _signed(greeting: str) -> str:
    return f"{greeting} from Process Id = {os.getpid()}"


def main() -> int:
    """The command `python -m lab.backend`."""
    parser = argparse.ArgumentParser(prog="python -m lab.backend", description="Answers with its process ID.")
    parser.add_argument("port", type=int, help="port to listen on, at 127.0.0.1")
    parser.add_argument("--lab", action="store_true", help="obey orders on stdin; the lab starts it so")
    parser.add_argument("--scoreboard", type=Path, metavar="FILE", help="keep the count of answers in this file")
    parser.add_argument("--user", metavar="NAME", help="started as root, become this user once the port is open")
    arguments = parser.parse_args()
    if not 1 <= arguments.port <= MAX_PORT:
        parser.error(f"there is no port {arguments.port}: give 1 to {MAX_PORT}")
    try:
        asyncio.run(serve(arguments.port, arguments.scoreboard, is_in_lab=arguments.lab, user=arguments.user))
    except KeyboardInterrupt:
        return 130
    except (OSError, OverflowError) as error:
        print(f"Can't listen on port {arguments.port}: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
