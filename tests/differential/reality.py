"""A real nginx with an upstream a scenario, backends that do as they are told, and a client."""

import asyncio
import contextlib
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.algorithms import algorithm_named
from lab.balancing.peer import PeerSpec
from lab.machine.privileges import worker_account
from lab.nginx.binary import NginxBinary
from tests.differential.foretelling import Outcome
from tests.differential.scenario import Fault, Scenario

HOST = "127.0.0.1"
PATIENCE_SECONDS = 10.0
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Backends:
    """The backends of a lane: each answers at once, holds, cuts or refuses, as it was told."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = list(ports)
        self.faults: dict[int, Fault] = {}
        self.delays_ms: dict[int, int] = {}
        self._servers: dict[int, asyncio.Server] = {}
        self._holding: dict[str, tuple[int, asyncio.Future[bool]]] = {}
        """By the request's number: who holds it, and what to do: answer, or cut."""
        self._arrivals: dict[str, asyncio.Future[int]] = {}
        self._lets_go = False
        """Nothing is held any more."""
        self._serving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Have all listen."""
        for port in self.ports:
            await self._listen(port)

    async def close(self) -> None:
        """Have nobody listen, and finish what was accepted."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        self.let_go()
        await asyncio.gather(*self._serving)

    async def heal(self) -> None:
        """All are well and quick."""
        self.delays_ms.clear()
        for port in list(self.faults):
            await self.mend(port)

    async def mend(self, port: int) -> None:
        """It is well again."""
        if self.faults.pop(port, None) is Fault.REFUSES:
            await self._listen(port)

    async def break_(self, port: int, fault: Fault) -> None:
        """It fails from now on."""
        await self.mend(port)
        self.faults[port] = fault
        if fault is Fault.REFUSES:
            self._servers.pop(port).close()

    def held(self, number: str) -> "asyncio.Future[int]":
        """Whoever comes to hold this request."""
        return self._arrivals.setdefault(number, asyncio.get_running_loop().create_future())

    def hold_again(self) -> None:
        """Hold what is to be held from now on."""
        self._lets_go = False

    def let_go(self) -> None:
        """Answer all that is held, and all that comes."""
        self._lets_go = True
        for number in list(self._holding):
            self.release(number, is_cut=False)

    def release(self, number: str, *, is_cut: bool) -> None:
        """Have its holder answer it, or cut the connection."""
        _, order = self._holding.pop(number)
        self._arrivals.pop(number, None)
        order.set_result(is_cut)

    async def _listen(self, port: int) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._serve(port, reader, writer)
            writer.close()

        self._servers[port] = await asyncio.start_server(serve, HOST, port)

    async def _serve(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if port in self.faults:
            return
        number = _field(head, b"x-held")
        if number is not None and not self._lets_go:
            order: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._holding[number] = (port, order)
            self.held(number).set_result(port)
            if await order:
                return
        elif (delay_ms := self.delays_ms.get(port, 0)) > 0:
            await asyncio.sleep(delay_ms / 1000)
        writer.write(_ANSWER)
        await writer.drain()


@dataclass(slots=True)
class Answer:
    """What nginx told the client."""

    status: int
    attempts: tuple[int | None, ...]
    header_ms: int | None
    """The last attempt's `$upstream_header_time`."""


class Client:
    """Asks one upstream of nginx, over connections that it keeps."""

    def __init__(self, port: int, scenario_number: int) -> None:
        self._port = port
        self._path = f"/s{scenario_number}/"
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, key: str, address: str, held_as: str | None) -> Answer:
        """Send one request and await its answer."""
        connection = self._free.pop() if self._free else await asyncio.open_connection(HOST, self._port)
        reader, writer = connection
        try:
            fields = {"Host": "nginx", "X-Real-IP": address}
            if key:
                fields["X-Key"] = key
            if held_as is not None:
                fields["X-Held"] = held_as
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            writer.write(f"GET {self._path} HTTP/1.1\r\n{head}\r\n".encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(_field(answer, b"content-length") or "0"))
        except BaseException:
            writer.close()
            raise
        self._free.append(connection)
        times = (_field(answer, b"x-header-time") or "-").split(", ")
        return Answer(
            status=int(answer.split(b" ", 2)[1]),
            attempts=tuple(_port(each) for each in (_field(answer, b"x-upstream") or "").split(", ")),
            header_ms=None if times[-1] == "-" else round(float(times[-1]) * 1000),
        )

    async def close(self) -> None:
        """Close its connections."""
        for _, writer in self._free:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        self._free.clear()


@dataclass(slots=True)
class Happening:
    """A request that is under way in reality."""

    held_as: str | None
    backends: Backends
    answer: asyncio.Task[Answer]

    async def settled(self) -> tuple[Outcome, int | None]:
        """Once it is answered, or somebody holds it: where it is, and how long its header took if it was answered.

        Raises:
            AssertionError: neither happened in time.
        """
        waits: list[asyncio.Future[Answer] | asyncio.Future[int]] = [self.answer]
        holder = self.backends.held(self.held_as) if self.held_as is not None else None
        if holder is not None:
            waits.append(holder)
        done, _ = await asyncio.wait(waits, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        assert done, f"waited {PATIENCE_SECONDS:g} s in vain for an answer, or for somebody to hold the request"
        if self.answer.done():
            answer = self.answer.result()
            assert answer.status in (200, 502), f"nginx answered {answer.status}"
            return Outcome(answer.attempts), answer.header_ms
        assert holder is not None
        return Outcome((holder.result(),), is_held=True), None


class Requests:
    """Numbers requests, so that a backend can say which one it holds."""

    def __init__(self, client: Client, backends: Backends) -> None:
        self._client = client
        self._backends = backends
        self._numbers = itertools.count()
        self._answers: set[asyncio.Task[Answer]] = set()

    def send(self, key: str, address: str, *, is_held: bool) -> Happening:
        """Send one; whoever gets it keeps it if it is to be held."""
        held_as = str(next(self._numbers)) if is_held else None
        answer = asyncio.create_task(self._client.ask(key, address, held_as))
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)
        return Happening(held_as, self._backends, answer)

    async def finish(self) -> None:
        """Have all that is under way answered."""
        await self._backends.heal()
        self._backends.let_go()
        await asyncio.gather(*self._answers)
        self._backends.hold_again()


@contextlib.asynccontextmanager
async def nginx_running(
    binary: NginxBinary, port: int, upstreams: Sequence[tuple[Scenario, Sequence[int]]]
) -> AsyncIterator[None]:
    """nginx with one upstream a scenario, over these ports; one worker, a state of its own for each upstream."""
    folder = Path(tempfile.mkdtemp(prefix="nginx-"))
    (folder / "nginx.conf").write_text(_config(folder, port, upstreams), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        binary.path,
        *binary.error_log_option,
        *("-p", folder, "-c", "nginx.conf"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        await _until_it_listens(port, process)
        yield
        log = (folder / "error.log").read_text(errors="replace")
        assert not [line for line in log.splitlines() if "[alert]" in line or "[emerg]" in line]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()
        shutil.rmtree(folder, ignore_errors=True)


async def _until_it_listens(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if process.returncode is not None:
                _, complaint = await process.communicate()
                raise AssertionError(f"nginx ended: {complaint.decode(errors='replace')}")
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.005)
            else:
                writer.close()
                return


def _config(folder: Path, port: int, upstreams: Sequence[tuple[Scenario, Sequence[int]]]) -> str:
    account = worker_account(folder)
    blocks, locations = [], []
    for number, (scenario, ports) in enumerate(upstreams):
        directive = (algorithm_named(scenario.algorithm).directive or "").replace("$request_uri", "$http_x_key")
        lines = [f"    {directive};"] if directive else []
        lines += [f"    server {HOST}:{ports[int(peer.server)]}{_parameters(peer)};" for peer in scenario.peers]
        blocks.append("\n".join((f"upstream s{number} {{", *lines, "}")))
        locations.append(
            f"location /s{number}/ {{ proxy_pass http://s{number}; proxy_next_upstream_tries {scenario.tries_limit}; }}"
        )
    newline = "\n"
    return f"""
{f"user {account.user} {account.group};" if account is not None else ""}
worker_processes 1;
daemon off;
pid nginx.pid;
error_log error.log crit;
events {{ worker_connections 4096; }}
http {{
access_log off;
client_body_temp_path client_body;
proxy_temp_path proxy;
{newline.join(f"{module}_temp_path {module};" for module in ("fastcgi", "uwsgi", "scgi"))}
keepalive_requests 1000000;
{newline.join(blocks)}
server {{
listen {HOST}:{port};
set_real_ip_from {HOST};
real_ip_header X-Real-IP;
proxy_set_header Connection close;
proxy_connect_timeout 5s;
proxy_read_timeout 60s;
add_header X-Upstream $upstream_addr always;
add_header X-Header-Time $upstream_header_time always;
{newline.join(locations)}
}}
}}
"""


def _parameters(peer: PeerSpec) -> str:
    words = [
        f"weight={peer.weight}",
        f"max_fails={peer.max_fails}",
        f"fail_timeout={peer.fail_timeout_seconds}s",
        f"max_conns={peer.max_conns}",
    ]
    words += ["down"] * peer.is_down + ["backup"] * peer.is_backup
    return "".join(f" {word}" for word in words)


def _field(head: bytes, name: bytes) -> str | None:
    for line in head.split(b"\r\n"):
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip().decode()
    return None


def _port(attempt: str) -> int | None:
    """The port of `127.0.0.1:71`; None for the name of the upstream, which nginx puts there when nobody is live."""
    host, _, port = attempt.partition(":")
    return int(port) if host == HOST else None
