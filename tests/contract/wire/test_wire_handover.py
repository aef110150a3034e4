"""A listening socket goes from one server to the next under load: no client notices."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvloop

from moorage.wire.messages import Request, Response
from moorage.wire.server import Server, serve

HANDOVERS = 25
CLIENTS = 8
IDLE_S = 1.0


async def test_no_request_is_lost_when_a_successor_takes_the_socket() -> None:
    if not isinstance(asyncio.get_running_loop(), uvloop.Loop):
        pytest.skip("the stock loop drops connections that it has accepted when it stops listening")
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    current = await serve(_answer, sock=listener.dup())
    done = asyncio.Event()
    clients = [asyncio.create_task(_call(listener.getsockname(), done, once=bool(n % 2))) for n in range(CLIENTS)]
    ends: list[asyncio.Task[None]] = []
    for _ in range(HANDOVERS):
        successor = await serve(_answer, sock=listener.dup())
        ends.append(asyncio.create_task(current.close(idle_s=IDLE_S)))
        await asyncio.sleep(0.02)
        current = successor
    done.set()
    answered = sum(await asyncio.gather(*clients))
    await asyncio.gather(*ends, current.close())
    listener.close()
    assert answered > 10 * HANDOVERS


async def test_a_client_that_rests_is_let_go_after_a_while() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    server: Server = await serve(_answer, sock=listener)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"here")
    await asyncio.wait_for(server.close(grace_s=5, idle_s=0.1), timeout=2)
    assert b"" == await reader.read()
    writer.close()


async def test_a_client_that_rests_after_a_stream_is_let_go_as_soon() -> None:
    """The stream's head was sent before its server began to close, and promised that the connection stays."""
    go_on = asyncio.Event()

    async def talk(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            await go_on.wait()
            yield b"last"

        return Response(200, body=pieces())

    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    server: Server = await serve(talk, sock=listener)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"first")
    closing = asyncio.create_task(server.close(grace_s=5, idle_s=0.1))
    await asyncio.sleep(0.3)
    go_on.set()
    await reader.readuntil(b"last\r\n0\r\n\r\n")
    await asyncio.wait_for(closing, timeout=2)
    assert b"" == await reader.read()
    writer.close()


async def _answer(request: Request) -> Response:
    await asyncio.sleep(0.001)
    return Response(200, body=b"here")


async def _call(address: tuple[str, int], done: asyncio.Event, *, once: bool) -> int:
    """Ask as long as it goes on, over a new connection each time or over one that is kept; how often it was answered.

    Raises whatever a client of a server that breaks off would see.
    """
    answered = 0
    while not done.is_set():
        reader, writer = await asyncio.open_connection(*address)
        is_kept = True
        while is_kept and not done.is_set():
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert b"here" == await reader.readexactly(4)
            answered += 1
            is_kept = not once and b"connection: close" not in head.lower()
        writer.close()
        await writer.wait_closed()
    return answered
