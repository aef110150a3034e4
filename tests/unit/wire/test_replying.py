"""What becomes of an answer in pieces whose client leaves. No sockets."""

from __future__ import annotations

import asyncio

import pytest

from moorage.wire.connection import ServerConnection
from moorage.wire.limits import Limits
from moorage.wire.messages import Reply, Request, Response
from moorage.wire.server import Server, render_text


class Line(asyncio.Transport):
    """A transport that takes everything."""

    def write(self, data: bytes) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        pass


class Endless:
    """Pieces without end."""

    is_closed = False

    def __aiter__(self) -> Endless:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        return b"x"

    async def aclose(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("turns", range(5))
async def test_it_is_closed_however_soon_the_client_leaves(turns: int) -> None:
    pieces = Endless()

    def begin(_request: Request, reply: Reply) -> None:
        reply.respond(Response(200, body=pieces))

    connection = ServerConnection(Server(begin, limits=Limits(), render=render_text))
    connection.connection_made(Line())
    connection.data_received(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    for _ in range(turns):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    for _ in range(5):
        await asyncio.sleep(0)
    assert pieces.is_closed
