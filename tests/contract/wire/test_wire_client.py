"""How the client reads its upstreams, and which connections it uses again."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest
from waiting import PATIENCE_S, until

from moorage.wire.answer import Answer
from moorage.wire.client import Client
from moorage.wire.limits import Limits
from moorage.wire.messages import BadAnswer, Disconnected, NoAnswer, NotSent, Refused, Request, Response, WireError
from moorage.wire.server import Server, serve

OK = b"HTTP/1.1 200 OK\r\n"
Say = Callable[..., Awaitable["Speaker"]]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(limits=Limits(body_bytes=1_000_000, window_bytes=10_000))
    yield client
    client.close()
    await asyncio.sleep(0.001)


class Speaker(asyncio.Protocol):
    """Says the same to every request, and may then close."""

    def __init__(self, answer: bytes, then: str) -> None:
        self.answer = answer
        self.then = then

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from it

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.answer)
        if self.then == "close":
            self.transport.close()


@pytest.fixture
async def say(tmp_path: Path) -> AsyncIterator[Say]:
    servers: list[asyncio.Server] = []
    speakers: list[Speaker] = []

    async def say(answer: bytes, *, then: str = "stay") -> Speaker:
        speaker = Speaker(answer, then)
        speakers.append(speaker)
        loop = asyncio.get_running_loop()
        servers.append(await loop.create_unix_server(lambda: speaker, str(tmp_path / "u")))
        return speaker

    yield say
    for speaker in speakers:
        speaker.transport.abort()
    for server in servers:
        server.close()
        await server.wait_closed()
    await asyncio.sleep(0.001)  # uvloop wants a turn to close its handles before the loop itself is closed


@pytest.fixture
async def echo(tmp_path: Path) -> AsyncIterator[Server]:
    async def handle(request: Request) -> Response:
        return Response(200, [], request.stream())

    server = await serve(handle, path=tmp_path / "u")
    yield server
    await server.close(grace_s=0.2)


async def get(client: Client, folder: Path, *, method: bytes = b"GET", within_s: float = PATIENCE_S) -> Answer:
    return await client.request(str(folder / "u"), method, b"/", head_s=within_s, total_s=within_s)


@pytest.mark.parametrize(
    ("expected", "method", "answer", "then"),
    [
        (b"abc", b"GET", OK + b"Content-Length: 3\r\n\r\nabc", "stay"),
        (b"", b"GET", OK + b"Content-Length: 0\r\n\r\n", "stay"),
        (b"abc", b"GET", OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\nT: x\r\n\r\n", "stay"),
        (b"abc", b"GET", OK + b"\r\nabc", "close"),
        (b"abc", b"GET", b"HTTP/1.0 200 OK\r\n\r\nabc", "close"),
        (b"", b"HEAD", OK + b"Content-Length: 3\r\n\r\n", "stay"),
        (b"", b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", "stay"),
        (b"", b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "stay"),
        (b"abc", b"GET", b"HTTP/1.1 100 Continue\r\n\r\n" * 10 + OK + b"Content-Length: 3\r\n\r\nabc", "stay"),
        (b"abc", b"GET", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 3\r\n\r\nabc", "stay"),
    ],
)
async def test_answers_that_are_read(
    client: Client, say: Say, tmp_path: Path, expected: bytes, method: bytes, answer: bytes, then: str
) -> None:
    await say(answer, then=then)
    assert expected == await (await get(client, tmp_path, method=method)).read(100)


@pytest.mark.parametrize(
    ("error", "answer", "then"),
    [
        (Disconnected, b"", "close"),
        (Disconnected, OK, "close"),
        (Disconnected, OK + b"Content-Length: 3\r\n\r\nab", "close"),
        (Disconnected, OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "close"),
        (NoAnswer, b"", "stay"),
        (NoAnswer, OK, "stay"),
        (NoAnswer, OK + b"Content-Length: 3\r\n\r\nab", "stay"),
        (NoAnswer, OK + b"\r\nabc", "stay"),
        (BadAnswer, b"nonsense\r\n\r\n", "stay"),
        (BadAnswer, b"\x00", "stay"),
        (BadAnswer, b"HTTP/2 200\r\n\r\n", "stay"),
        (BadAnswer, b"HTTP/1.1 99 x\r\n\r\n", "stay"),
        (BadAnswer, OK + b"Content-Length: 3\r\n\r\nabcd", "stay"),
        (BadAnswer, b"HTTP/1.1 204 No Content\r\n\r\nabc", "stay"),
        (BadAnswer, OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nabc", "stay"),
        (BadAnswer, OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "stay"),
        (BadAnswer, OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "stay"),
        (BadAnswer, OK + b"Content-Length: 3\nX: a\r\n\r\nabc", "stay"),
        (BadAnswer, OK + b"Content-Length: 1000001\r\n\r\n", "stay"),
        (BadAnswer, OK + b"X: " + b"a" * 70_000, "stay"),
        (BadAnswer, OK + b"X: a\r\n" * 101 + b"\r\n", "stay"),
        (BadAnswer, b"\r\n" + OK + b"Content-Length: 3\r\n\r\nabc", "stay"),
        (BadAnswer, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "stay"),
        (BadAnswer, b"HTTP/1.1 100 Continue\r\n\r\n" * 11, "stay"),
        (BadAnswer, OK + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n", "stay"),
    ],
)
async def test_answers_that_are_not(
    client: Client, say: Say, tmp_path: Path, error: type[WireError], answer: bytes, then: str
) -> None:
    await say(answer, then=then)
    with pytest.raises(error):
        await (await get(client, tmp_path, within_s=0.2 if error is NoAnswer else PATIENCE_S)).read(2_000_000)


async def test_a_connection_is_used_again(client: Client, echo: Server, tmp_path: Path) -> None:
    for number in range(5):
        answer = await client.request(str(tmp_path / "u"), b"POST", b"/", body=b"%d" % number)
        assert b"%d" % number == await answer.read(10)
    assert 1 == echo.connections


async def test_an_answer_given_up_takes_its_connection_along(client: Client, echo: Server, tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1_000
            await asyncio.sleep(0)

    answer = await client.request(str(tmp_path / "u"), b"POST", b"/", body=endless())
    stream = answer.stream()
    assert await anext(stream)
    await stream.aclose()
    await until(lambda: not echo.connections)


async def test_a_stream_never_begun_closes_all_the_same(client: Client, say: Say, tmp_path: Path) -> None:
    await say(OK + b"Content-Length: 3\r\n\r\na")
    answer = await get(client, tmp_path)
    stream = answer.stream()
    await stream.aclose()
    with pytest.raises(Disconnected):
        [piece async for piece in stream]


async def test_a_large_body_streams_both_ways(client: Client, echo: Server, tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(90):
            yield b"x" * 10_000

    answer = await client.request(str(tmp_path / "u"), b"PUT", b"/", body=pieces(), content_length=900_000)
    assert 900_000 == sum([len(piece) async for piece in answer.stream()])
    assert 1 == echo.connections


async def test_what_the_body_raises_reaches_the_caller(client: Client, echo: Server, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        raise Refused(400, "the sender's body is malformed")
        yield b""

    with pytest.raises(Refused):
        await client.request(str(tmp_path / "u"), b"PUT", b"/", body=broken(), content_length=3)


async def test_nobody_listening_means_not_sent(client: Client, echo: Server, tmp_path: Path) -> None:
    with pytest.raises(NotSent):
        await client.request(str(tmp_path / "nobody"), b"GET", b"/")
    answer = await client.request(str(tmp_path / "u"), b"POST", b"/", body=b"a")
    assert b"a" == await answer.read(1)
    await echo.close(grace_s=0)
    with pytest.raises(NotSent):
        await client.request(str(tmp_path / "u"), b"GET", b"/")


async def test_a_pooled_connection_that_died_costs_no_request(client: Client, say: Say, tmp_path: Path) -> None:
    """The upstream's end is shut down before the request is sent.

    Either the loop has seen it by then and a new connection is made, or writing fails and nothing has been sent.
    """
    speaker = await say(OK + b"Content-Length: 0\r\n\r\n")
    await (await get(client, tmp_path)).read(1)
    request = asyncio.create_task(get(client, tmp_path))
    with socket.socket(fileno=os.dup(speaker.transport.get_extra_info("socket").fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(NotSent):
        assert 200 == (await request).status


async def test_a_body_that_is_to_be_asked_for_is_not_touched_before(client: Client, say: Say, tmp_path: Path) -> None:
    touched = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal touched
        touched = True
        yield b"x"

    await say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    expect = [(b"host", b"h"), (b"expect", b"100-continue")]
    answer = await client.request(str(tmp_path / "u"), b"PUT", b"/", headers=expect, body=body())

    assert 403 == answer.status
    assert not touched
