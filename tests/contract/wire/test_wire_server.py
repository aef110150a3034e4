"""How a server behaves over time: deadlines, order, pressure, departure and its own end."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from waiting import PATIENCE_S, until, until_end

from moorage.wire.limits import Limits
from moorage.wire.messages import BodyTooLarge, Disconnected, Handler, Request, Response
from moorage.wire.server import Server, serve

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
HURRIED = Limits(head_s=0.2, idle_s=0.2, body_s=0.2, body_rate=10_000_000, linger_s=0.2)

Start = Callable[..., Awaitable[Server]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[..., Awaitable[Streams]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    servers: list[Server] = []

    async def start(handler: Handler, limits: Limits | None = None) -> Server:
        servers.append(await serve(handler, path=tmp_path / "s", limits=limits))
        return servers[-1]

    yield start
    for server in servers:
        await server.close(grace_s=0.2)


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    writers: list[asyncio.StreamWriter] = []

    async def connect(sent: bytes = b"") -> Streams:
        """What is `sent` is there before the server accepts the connection: no deadline of its can pass before."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(tmp_path / "s"))
            sock.sendall(sent)
            reader, writer = await asyncio.open_unix_connection(sock=sock.dup())
        writers.append(writer)
        return reader, writer

    yield connect
    for writer in writers:
        writer.close()


async def echo(request: Request) -> Response:
    return Response(200, [], await request.read(10_000_000) + request.path)


async def test_pipelined_requests_are_answered_in_order(start: Start, connect: Connect) -> None:
    running = 0

    async def handle(request: Request) -> Response:
        nonlocal running
        running += 1
        assert 1 == running
        await asyncio.sleep(0.001 if request.path.endswith(b"0") else 0)
        running -= 1
        return Response(200, [], request.path)

    await start(handle)
    reader, writer = await connect()
    writer.write(b"".join(GET % number for number in range(50)) + LAST)
    answers = await until_end(reader)
    assert [b"/%d" % number for number in range(50)] == [
        part.split(b"\r\n\r\n")[1] for part in answers.split(b"HTTP/1.1 200 OK")[1:-1]
    ]


async def test_continue_is_said_when_the_handler_reads(start: Start, connect: Connect) -> None:
    async def handle(request: Request) -> Response:
        return await echo(request) if request.path == b"/read" else Response(403)

    await start(handle)
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    reader, writer = await connect()
    writer.write(head % b"/read")
    assert b"HTTP/1.1 100 Continue\r\n\r\n" == await reader.readuntil(b"\r\n\r\n")
    writer.write(b"abc" + head % b"/refuse")
    answers = await until_end(reader)
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert answers.endswith(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")


async def test_a_declared_length_beyond_the_readers_cap_is_refused_unread(start: Start, connect: Connect) -> None:
    async def handle(request: Request) -> Response:
        with pytest.raises(BodyTooLarge):
            await request.read(2)
        return Response(413)

    await start(handle)
    reader, writer = await connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert (await until_end(reader)).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("expected", "sent"),
    [
        (b"", b""),
        (b"HTTP/1.1 408 ", b"GET / HT"),
        (b"HTTP/1.1 408 ", b"GET / HTTP/1.1\r\nHost: a\r\n"),
        (b"HTTP/1.1 408 ", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"),
        (b"HTTP/1.1 408 ", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n000000"),
    ],
)
async def test_whoever_is_too_slow_is_sent_away(start: Start, connect: Connect, expected: bytes, sent: bytes) -> None:
    await start(echo, HURRIED)
    reader, _ = await connect(sent)
    answer = await until_end(reader)
    assert expected == answer[: len(expected)]
    assert bool(expected) == bool(answer)


async def test_a_drip_does_not_extend_the_deadline(start: Start, connect: Connect) -> None:
    await start(echo, Limits(head_s=0.05))
    reader, writer = await connect(b"GET / HTTP/1.1\r\nHost: ")
    answer = asyncio.create_task(until_end(reader))
    while not answer.done():
        writer.write(b"a")
        await asyncio.sleep(0.002)
    assert (await answer).startswith(b"HTTP/1.1 408 ")


async def test_an_idle_connection_is_closed(start: Start, connect: Connect) -> None:
    server = await start(echo, Limits(idle_s=0.05))
    reader, writer = await connect()
    writer.write(GET % 1)
    assert (await until_end(reader)).endswith(b"/1")
    writer.close()
    await until(lambda: not server.connections)


async def test_one_connection_too_many_is_turned_away(start: Start, connect: Connect) -> None:
    await start(echo, Limits(connections=1))
    _, kept = await connect()
    kept.write(GET % 1)
    reader, _ = await connect()
    assert (await until_end(reader)).startswith(b"HTTP/1.1 503 ")


async def test_a_client_that_leaves_cancels_the_handler(start: Start, connect: Connect) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def handle(request: Request) -> Response:
        began.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()
        return Response(200)

    server = await start(handle)
    _, writer = await connect()
    writer.write(GET % 1)
    async with asyncio.timeout(PATIENCE_S):
        await began.wait()
        assert 1 == server.in_flight
        writer.close()
        await ended.wait()
    assert 0 == server.in_flight


async def test_a_client_that_has_gone_when_it_is_answered_for_the_last_time_is_no_fault_of_ours(start: Start) -> None:
    began, may_answer, complaints = asyncio.Event(), asyncio.Event(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def handle(request: Request) -> Response:
        began.set()
        await may_answer.wait()
        return Response(200)

    server = await start(handle)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as client:
            client.sendall(LAST)
            await server.take(listener.accept()[0])
            async with asyncio.timeout(PATIENCE_S):
                await began.wait()
        may_answer.set()  # before it can be read that the client has gone
    await until(lambda: 0 == server.connections)
    gc.collect()  # what a task ended with that nobody asks is said at its end
    assert [] == complaints


async def test_a_body_that_breaks_off_is_not_taken_for_whole(start: Start, connect: Connect) -> None:
    began, outcome = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def handle(request: Request) -> Response:
        began.set()
        try:
            await request.read(100)
        except (Disconnected, asyncio.CancelledError) as error:
            outcome.set_result(type(error).__name__)
            raise
        outcome.set_result("whole")
        return Response(200)

    await start(handle, Limits(window_bytes=8))
    _, writer = await connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    await began.wait()
    writer.close()
    async with asyncio.timeout(PATIENCE_S):
        assert "whole" != await outcome


async def test_a_small_body_that_breaks_off_is_never_handed_over(start: Start, connect: Connect) -> None:
    asked: list[bytes] = []

    async def handle(request: Request) -> Response:
        asked.append(request.path)
        return Response(200, [], b"%d" % len(await request.read(100)))

    await start(handle)
    _, writer = await connect()
    writer.write(b"POST /broken HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    writer.close()
    reader, writer = await connect()
    writer.write(b"POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
    await asyncio.sleep(0.01)
    writer.write(b"abc")
    assert b"3" == (await reader.readuntil(b"\r\n\r\n") + await reader.read(1))[-1:]
    assert [b"/whole"] == asked
    writer.close()


async def test_a_body_nobody_reads_is_not_read_ahead(start: Start, connect: Connect) -> None:
    go_on = asyncio.Event()

    async def handle(request: Request) -> Response:
        await go_on.wait()
        return Response(200, [], b"%d" % len(await request.read(50_000_000)))

    await start(handle, Limits(window_bytes=10_000))
    reader, writer = await connect()
    body = b"x" * 20_000_000
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await asyncio.sleep(0.05)
    transport = writer.transport
    assert transport.get_write_buffer_size() > 15_000_000
    go_on.set()
    assert (await until_end(reader)).endswith(b"20000000")


async def test_an_answer_nobody_reads_is_not_produced_ahead(start: Start, connect: Connect) -> None:
    produced = 0

    async def handle(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            nonlocal produced
            for _ in range(1_000):
                produced += 1
                yield b"x" * 50_000

        return Response(200, [], pieces())

    await start(handle)
    reader, writer = await connect()
    writer.transport.pause_reading()
    writer.write(LAST)
    await until(lambda: produced)
    await asyncio.sleep(0.1)
    assert produced < 100
    writer.transport.resume_reading()
    assert len(await until_end(reader)) > 50_000_000
    assert 1_000 == produced


async def test_a_failing_handler_is_a_500_and_the_connection_lives(
    start: Start, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(request: Request) -> Response:
        if request.path == b"/last":
            return Response(200)
        raise RuntimeError("a secret")

    await start(handle)
    reader, writer = await connect()
    writer.write(GET % 1 + LAST)
    answers = await until_end(reader)
    assert answers.startswith(b"HTTP/1.1 500 ")
    assert b"HTTP/1.1 200 " in answers
    assert b"secret" not in answers
    assert "a secret" in caplog.text


async def test_a_header_with_a_line_break_is_never_sent(
    start: Start, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(request: Request) -> Response:
        return Response(200, [(b"X", b"a\r\nSet-Cookie: b")])

    await start(handle)
    reader, writer = await connect()
    writer.write(LAST)
    with contextlib.suppress(ConnectionError):
        assert b"" == await until_end(reader)
    assert "line break" in caplog.text


async def test_close_finishes_what_is_in_flight_and_takes_nothing_new(
    start: Start, connect: Connect, tmp_path: Path
) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def handle(request: Request) -> Response:
        arrived.set()
        await go_on.wait()
        return Response(200, [], b"done")

    server = await start(handle)
    idle, _ = await connect()
    reader, writer = await connect()
    writer.write(GET % 1)
    await arrived.wait()
    closing = asyncio.create_task(server.close(grace_s=PATIENCE_S))
    assert b"" == await until_end(idle)
    with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
        await connect()
    go_on.set()
    answer = await until_end(reader)
    assert b"connection: close" in answer
    assert answer.endswith(b"done")
    writer.close()
    await closing
    assert not (tmp_path / "s").exists()


async def test_close_cuts_what_outlasts_the_grace(start: Start, connect: Connect) -> None:
    arrived = asyncio.Event()

    async def handle(request: Request) -> Response:
        arrived.set()
        await asyncio.sleep(3600)
        return Response(200)

    server = await start(handle)
    reader, writer = await connect()
    writer.write(GET % 1)
    await arrived.wait()
    await server.close(grace_s=0.01)
    assert 0 == server.connections
    with contextlib.suppress(ConnectionError):
        assert b"" == await until_end(reader)


async def test_a_stale_socket_file_is_replaced(start: Start, tmp_path: Path) -> None:
    first = await start(echo)
    second = await start(echo)
    await first.close()
    assert (tmp_path / "s").exists()
    assert 0o600 == (tmp_path / "s").stat().st_mode & 0o777
    await second.close()
    assert not (tmp_path / "s").exists()
