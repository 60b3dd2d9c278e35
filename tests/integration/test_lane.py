"""One connection of the lab's client, against servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from lab.traffic.gun import Gun
from lab.traffic.lane import RACE_SECONDS, Lane, Owner
from lab.traffic.outcome import Shot
from lab.traffic.plan import RequestSpec, TrafficSpec
from lab.traffic.request import aim
from tests.integration.conftest import Place
from tests.integration.facts import HOST

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""What a server does with one request: its head, and where to write."""


@asynccontextmanager
async def server(port: int, answer: Answer) -> AsyncIterator[None]:
    """A server that answers each request of each connection like this."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            while not writer.is_closing():
                await answer(await reader.readuntil(b"\r\n\r\n"), writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, HOST, port)
    try:
        yield
    finally:
        listener.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def response(body: bytes = b"Hello from Process Id = 4242", status: bytes = b"200 OK") -> bytes:
    return (
        b"HTTP/1.1 " + status + b"\r\nX-Upstream: 127.0.0.1:71, 127.0.0.1:72\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )


class Client:
    """A gun that fires single shots over one lane after the other, as the lab's client does."""

    def __init__(self, port: int, request: RequestSpec | None = None) -> None:
        target = aim(port, "us", request or RequestSpec())
        self._outcomes: asyncio.Queue[Shot] = asyncio.Queue()
        spec = TrafficSpec(timeout_seconds=1)
        self.lanes: list[Lane] = []

        def make_lane(owner: Owner) -> Lane:
            self.lanes.append(Lane(target, owner))
            return self.lanes[-1]

        self._gun = Gun(spec, make_lane, self._outcomes.put_nowait)

    async def fire(self) -> Shot:
        self._gun.fire_once()
        async with asyncio.timeout(10):
            return await self._outcomes.get()

    def close(self) -> None:
        self._gun.close()


@pytest.fixture
async def client(place: Place) -> AsyncIterator[Client]:
    """A client with a second's patience."""
    client = Client(place.port)
    yield client
    client.close()


async def test_an_answer_says_who_gave_it_and_who_was_tried(place: Place, client: Client) -> None:
    """PID from the body, the chain of backends from the header; the shot's name and the client's went along."""
    heads: list[bytes] = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head.lower())
        writer.write(response())

    async with server(place.port, answer):
        outcome = await client.fire()
    assert (outcome.fate.status, outcome.fate.pid, outcome.fate.port, outcome.fate.is_retried) == (200, 4242, 72, True)
    assert (outcome.fate.error, outcome.fate.is_resent) == (None, False)
    assert outcome.latency_us > 0
    assert b"\r\nx-lablb-shot: us-1\r\n" in heads[0]
    assert b"\r\nuser-agent: lablb\r\n" in heads[0]


async def test_one_connection_serves_one_request_after_the_other(place: Place, client: Client) -> None:
    """It is kept alive between them."""
    writers: list[asyncio.StreamWriter] = []

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(response())

    async with server(place.port, answer):
        for _ in range(5):
            assert (await client.fire()).fate.status == 200
    assert len(writers) == 5
    assert len(set(map(id, writers))) == 1


async def test_a_connection_closed_between_requests_is_no_failure(place: Place, client: Client) -> None:
    """Nothing of the request was read, so that it is sent again on a new connection, and counted as such at most."""

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response())
        await writer.drain()
        writer.close()

    async with server(place.port, answer):
        outcomes = [await client.fire() for number in range(5)]
    assert [outcome.fate.status for outcome in outcomes] == [200] * 5


async def test_a_connection_that_was_closed_while_idle_is_not_used_again(place: Place, client: Client) -> None:
    """The next request opens another one, and isn't even sent twice."""
    are_closed: list[asyncio.StreamWriter] = []

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response())
        await writer.drain()
        are_closed.append(writer)

    async with server(place.port, answer):
        for _ in range(3):
            outcome = await client.fire()
            assert (outcome.fate.status, outcome.fate.is_resent) == (200, False)
            are_closed[-1].close()
            await are_closed[-1].wait_closed()
            lane = client.lanes[-1]
            async with asyncio.timeout(10):
                while lane.is_open:
                    await asyncio.sleep(0)


async def test_a_connection_closed_under_the_first_request_is_a_failure(place: Place, client: Client) -> None:
    """Sending it again might do it twice."""
    heads: list[bytes] = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        writer.close()

    async with server(place.port, answer):
        outcome = await client.fire()
    assert outcome.fate.failure == "broken_off"
    assert len(heads) == 1


async def test_an_answer_that_breaks_off_is_none_and_isnt_asked_for_again(place: Place, client: Client) -> None:
    """A request that was answered in part has been served, and another one would count twice."""
    heads: list[bytes] = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        whole = response()
        writer.write(whole if len(heads) == 1 else whole[:-5])
        if len(heads) > 1:
            await writer.drain()
            writer.close()

    async with server(place.port, answer):
        assert (await client.fire()).fate.status == 200
        outcome = await client.fire()
    assert outcome.fate.status is None
    assert outcome.fate.failure == "broken_off"
    assert outcome.fate.is_retried  # as its header says
    assert len(heads) == 2


async def test_silence_is_a_timeout_after_the_clients_patience(place: Place, client: Client) -> None:
    """And the lane works again afterwards, on a new connection."""
    is_silent = True

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        if is_silent:
            await asyncio.Event().wait()
        writer.write(response())

    async with server(place.port, answer):
        outcome = await client.fire()
        assert outcome.fate.failure == "timeout"
        assert 1_000_000 <= outcome.latency_us < 5_000_000
        is_silent = False
        assert (await client.fire()).fate.status == 200


async def test_nobody_there_is_refused(client: Client) -> None:
    """No server listens on the port."""
    assert (await client.fire()).fate.failure == "refused"


async def test_a_server_error_is_an_answer_and_a_failure(place: Place, client: Client) -> None:
    """It has no PID, as its body is nginx's."""

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"<html>502</html>", b"502 Bad Gateway"))

    async with server(place.port, answer):
        outcome = await client.fire()
    assert (outcome.fate.is_answer, outcome.fate.failure, outcome.fate.pid) == (True, "http_502", None)


@pytest.mark.parametrize("rubbish", [b"rubbish\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n"])
async def test_rubbish_for_an_answer_is_a_failure_and_no_crash(place: Place, client: Client, rubbish: bytes) -> None:
    """Whatever comes back, the client goes on."""

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(rubbish)
        await writer.drain()
        writer.close()

    async with server(place.port, answer):
        outcome = await client.fire()
    assert outcome.fate.status is None
    assert outcome.fate.failure


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n18\r\nHello from Process Id = \r\n2\r\n42\r\n0\r\n\r\n"
UNTIL_THE_END = b"HTTP/1.0 200 OK\r\n\r\nHello from Process Id = 42"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 26\r\n\r\nHello from Process Id = 42"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + response(b"Hello from Process Id = 42")
TOO_MUCH = response(b"Hello from Process Id = 42") + b"and more that nobody asked for"


@pytest.mark.parametrize("whole", [CHUNKED, UNTIL_THE_END, CLOSING, CONTINUED, TOO_MUCH])
async def test_every_kind_of_answer_is_read_to_its_end(place: Place, client: Client, whole: bytes) -> None:
    """Byte by byte and at once, with or without a length; and the next request is answered as well."""

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b"us-1\r\n" in head:
            writer.write(whole)
        else:
            for position in range(len(whole)):
                writer.write(whole[position : position + 1])
                await writer.drain()
        if whole in (UNTIL_THE_END, CLOSING):
            await writer.drain()
            writer.close()

    async with server(place.port, answer):
        for _ in range(3):
            outcome = await client.fire()
            assert (outcome.fate.status, outcome.fate.pid, outcome.fate.error) == (200, 42, None)


async def test_an_answer_to_head_has_no_body(place: Place) -> None:
    """Its length is that of the body it would have had."""
    client = Client(place.port, RequestSpec(method="HEAD"))

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n")

    async with server(place.port, answer):
        outcomes = [await client.fire() for _ in range(3)]
    client.close()
    assert [outcome.fate.status for outcome in outcomes] == [200] * 3


@pytest.mark.parametrize(
    ("method", "waits_seconds", "outcome"),
    [
        ("GET", 0.0, (200, None, True)),
        ("GET", RACE_SECONDS + 0.05, (None, "broken_off", False)),
        ("POST", 0.0, (None, "broken_off", False)),
    ],
    ids=["closed under it", "read and never answered", "might be done twice"],
)
async def test_only_what_may_be_repeated_and_was_hardly_read_is_sent_again(
    place: Place, method: str, waits_seconds: float, outcome: tuple[int | None, str | None, bool]
) -> None:
    """A kept-alive connection that is closed as idle under a GET is no failure; long after that, it wasn't idle."""
    client = Client(place.port, RequestSpec(method=method))
    heads: list[bytes] = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        if len(heads) == 2:
            await asyncio.sleep(waits_seconds)
            writer.close()
        else:
            writer.write(response())

    async with server(place.port, answer):
        await client.fire()
        second = (await client.fire()).fate
    client.close()
    assert (second.status, second.error, second.is_resent) == outcome


async def test_a_request_is_what_was_asked_for(place: Place) -> None:
    """Method, paths in turn, headers and body."""
    spec = RequestSpec("PUT", ("/a", "/b"), (("X-Colour", "blue"), ("User-Agent", "me")), "hello", keeps_alive=False)
    client = Client(place.port, spec)
    heads: list[bytes] = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        writer.write(response())
        await writer.drain()
        writer.close()

    async with server(place.port, answer):
        for _ in range(2):
            await client.fire()
    client.close()
    assert sorted(head.split(b" HTTP/1.1")[0] for head in heads) == [b"PUT /a", b"PUT /b"]
    for line in (b"X-Colour: blue", b"User-Agent: me", b"Content-Length: 5", b"Connection: close"):
        assert b"\r\n" + line + b"\r\n" in heads[0]
    assert b"User-Agent: lablb" not in heads[0]
