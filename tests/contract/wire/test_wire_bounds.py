"""What one client may take of a server that others use too, and how a last answer gets to whoever is slow."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import h11
import pytest
from waiting import until, until_end

from moorage.wire.limits import Limits
from moorage.wire.messages import Reply, Request, Response
from moorage.wire.server import serve, serve_begin

ASK = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LAST_UPLOAD = b"POST /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"
LAST_CHUNKED = LAST_UPLOAD.replace(b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
UPLOAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"


async def whole(request: Request) -> Response:
    return Response(200, [], b"%d" % len(await request.read(10_000_000)))


async def test_many_requests_in_one_segment_do_not_hold_up_other_clients(tmp_path: Path) -> None:
    order: list[bytes] = []

    def begin(request: Request, reply: Reply) -> None:
        order.append(request.path)
        reply.respond(Response(200))

    server = await serve_begin(begin, path=tmp_path / "s")
    many_reader, many = await asyncio.open_unix_connection(tmp_path / "s")
    one_reader, one = await asyncio.open_unix_connection(tmp_path / "s")
    many.write(ASK % b"/many" * 2_000 + LAST)
    one.write(ASK % b"/one")
    await one_reader.readuntil(b"\r\n\r\n")
    assert order.index(b"/one") < 200
    assert 2_001 == (await until_end(many_reader)).count(b"HTTP/1.1 200 OK")
    assert [b"/many"] * 2_000 + [b"/last"] == [path for path in order if path != b"/one"]
    for writer in (many, one):
        writer.close()
    await server.close(grace_s=1)


@pytest.mark.parametrize("length", [60_000, 600_000])
async def test_bodies_on_their_way_are_bounded_in_sum(tmp_path: Path, length: int) -> None:
    """Both those that are collected before the handler is called and those that a handler reads."""
    server = await serve(whole, path=tmp_path / "s", limits=Limits(held_bytes=200_000, window_bytes=300_000))
    writers = []
    statuses = []
    for _ in range(10):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writers.append(writer)
        held = server.held_bytes
        writer.write(UPLOAD % length + b"x" * 25_000)
        await until(lambda held=held: server.held_bytes == held + 25_000)
        writer.write(b"x" * 25_000)
        await until(lambda held=held, reader=reader: server.held_bytes == held + 50_000 or reader._buffer)
        statuses.append((await reader.readline())[9:12] if reader._buffer else b"")
    assert [b""] * 4 + [b"503"] * 6 == statuses
    assert 200_000 == server.held_bytes
    for writer in writers:
        writer.close()
    await until(lambda: not server.connections)
    assert 0 == server.held_bytes
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(UPLOAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") % 100_000 + b"x" * 100_000)
    assert (await until_end(reader)).endswith(b"100000")
    writer.close()
    await server.close(grace_s=1)
    assert 0 == server.held_bytes


async def test_requests_sent_ahead_are_bounded_in_sum(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handle(request: Request) -> Response:
        begun.set()
        await go_on.wait()
        return Response(200, [], request.path)

    server = await serve(handle, path=tmp_path / "s", limits=Limits(held_bytes=10_000))
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(ASK % b"/first")
    await begun.wait()
    writer.write(ASK % b"/ahead" * 1_000)
    await asyncio.sleep(0.01)
    assert 0 == server.held_bytes
    go_on.set()
    answers = await until_end(reader)
    assert 1 == answers.count(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answers
    writer.close()
    await server.close(grace_s=1)


@pytest.mark.parametrize("last", [LAST, LAST_UPLOAD, LAST_CHUNKED])
@pytest.mark.parametrize("cut", [0, -1, None], ids=["at once", "before its end", "behind it"])
async def test_what_follows_a_last_request_is_not_kept(tmp_path: Path, last: bytes, cut: int | None) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handle(request: Request) -> Response:
        begun.set()
        await go_on.wait()
        return Response(200)

    server = await serve(handle, path=tmp_path / "s")
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(last[:cut])
    if cut is None:
        await begun.wait()
    await asyncio.sleep(0.01)
    writer.write((b"" if cut is None else last[cut:]) + b"x" * 100_000)
    await begun.wait()
    await asyncio.sleep(0.01)
    assert 0 == server.held_bytes
    go_on.set()
    assert 1 == (await until_end(reader)).count(b"HTTP/1.1")
    writer.close()
    await server.close(grace_s=1)


async def test_a_last_answer_reaches_a_client_that_is_slow_to_read(tmp_path: Path) -> None:
    """Of some of these sizes, a part is still with the server when all else is with the kernel."""

    async def handle(request: Request) -> Response:
        return Response(200, [], b"x" * int(request.path[1:]))

    server = await serve(handle, path=tmp_path / "s", limits=Limits(linger_s=0.05))
    loop = asyncio.get_running_loop()
    sizes = range(100_000, 400_000, 6_000)
    clients = [socket.socket(socket.AF_UNIX) for _ in sizes]
    for size, client in zip(sizes, clients, strict=True):
        client.setblocking(False)
        await loop.sock_connect(client, str(tmp_path / "s"))
        await loop.sock_sendall(client, ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") % b"/%d" % size)
    await asyncio.sleep(0.3)
    got = []
    for client in clients:
        answer = b""
        while piece := await loop.sock_recv(client, 65_536):
            answer += piece
        got.append(answer.count(b"x"))
        client.close()
    assert list(sizes) == got
    await server.close(grace_s=1)


async def test_the_end_of_a_streamed_answer_to_http_10_is_the_end_of_the_connection(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one,"
        yield b"two"

    async def handle(_: Request) -> Response:
        return Response(200, [], pieces())

    server = await serve(handle, path=tmp_path / "s")
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\none,two" == await until_end(reader)
    writer.close()
    await server.close(grace_s=1)


async def test_the_refusal_of_a_head_request_has_no_body(tmp_path: Path) -> None:
    server = await serve(whole, path=tmp_path / "s")
    for request in (b"HEAD / HTTP/1.1\r\n\r\n", b"HEAD / HTTP/1.1\r\nX: \0", b"HEAD / HTTP/1.1\r\nX: " + b"a" * 70_000):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(request)
        answer = await until_end(reader)
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method="HEAD", target="/", headers=[("Host", "a")]))
        client.send(h11.EndOfMessage())
        client.receive_data(answer)
        assert [h11.Response, h11.EndOfMessage] == [type(client.next_event()) for _ in range(2)]
        assert answer.endswith(b"\r\n\r\n")
        writer.close()
    await server.close(grace_s=1)


async def test_nobody_is_asked_to_go_on_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    async def handle(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"begun,"
            async for piece in request.stream():
                yield piece

        return Response(200, [], pieces(), content_length=9)

    server = await serve(handle, path=tmp_path / "s")
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert (await reader.readuntil(b"begun,")).startswith(b"HTTP/1.1 200 OK")
    writer.write(b"end")
    assert b"end" == await reader.readexactly(3)
    writer.close()
    await server.close(grace_s=1)
