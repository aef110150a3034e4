"""A listening socket goes from one server to the next under load: no client notices."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvloop
from waiting import PATIENCE_S, until

from moorage.wire.messages import Request, Response
from moorage.wire.server import Server, serve

HANDOVERS = 25
CLIENTS = 8
ANSWERS = 20
"""So many are given between two handovers."""


async def test_no_request_is_lost_when_a_successor_takes_the_socket() -> None:
    if not isinstance(asyncio.get_running_loop(), uvloop.Loop):
        pytest.skip("the stock loop drops connections that it has accepted when it stops listening")
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    current = await serve(_answer, sock=listener.dup())
    load = _Load(listener.getsockname())
    clients = [asyncio.create_task(load.call(once=bool(number % 2))) for number in range(CLIENTS)]
    ends: list[asyncio.Task[None]] = []
    for _ in range(HANDOVERS):
        before = load.answered
        await until(lambda before=before: load.answered >= before + ANSWERS or any(map(asyncio.Task.done, clients)))
        successor = await serve(_answer, sock=listener.dup())
        ends.append(asyncio.create_task(current.close(idle_s=PATIENCE_S)))
        current = successor
    load.is_over = True
    await asyncio.gather(*clients)
    await asyncio.gather(*ends, current.close())
    listener.close()


async def test_a_client_that_rests_is_let_go_after_a_while() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    server: Server = await serve(_answer, sock=listener)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"here")
    await asyncio.wait_for(server.close(grace_s=10 * PATIENCE_S, idle_s=0.1), timeout=PATIENCE_S)
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
    closing = asyncio.create_task(server.close(grace_s=10 * PATIENCE_S, idle_s=0.1))
    await asyncio.sleep(0.3)
    go_on.set()
    await reader.readuntil(b"last\r\n0\r\n\r\n")
    await asyncio.wait_for(closing, timeout=PATIENCE_S)
    assert b"" == await reader.read()
    writer.close()


async def _answer(request: Request) -> Response:
    await asyncio.sleep(0.001)
    return Response(200, body=b"here")


class _Load:
    """Clients that ask as long as it is not over, each over a new connection for every request or over one it keeps."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.answered = 0
        self.is_over = False
        self._address = address

    async def call(self, *, once: bool) -> None:
        """One of them. Raises whatever a client of a server that breaks off would see."""
        while not self.is_over:
            reader, writer = await asyncio.open_connection(*self._address)
            is_kept = True
            while is_kept and not self.is_over:
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                assert b"here" == await reader.readexactly(4)
                self.answered += 1
                is_kept = not once and b"connection: close" not in head.lower()
            writer.close()
            await writer.wait_closed()
