"""What a connection makes of a stream must not depend on where the stream is cut. No sockets."""

from __future__ import annotations

import asyncio
import random
import re

import pytest

from moorage.testing.fuzz.corpus import Corpus
from moorage.testing.fuzz.stream import make_stream
from moorage.wire.connection import ServerConnection
from moorage.wire.limits import Limits
from moorage.wire.messages import Request, Response
from moorage.wire.server import Server, Tasks, render_text

SHORT = 400
SEEDS = range(60)


class Paper(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_over = False

    def write(self, data: bytes) -> None:
        self.written += data

    def write_eof(self) -> None:
        self.is_over = True

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.is_over = True


async def handle(request: Request) -> Response:
    body = await request.read(10_000)
    return Response(200, [], b"%b %b %d %b" % (request.method, request.target, len(request.headers), body))


async def answers_to(segments: list[bytes]) -> tuple[bytes, bool]:
    """What is written in all, and whether the connection ends with it. Refusals are alike, whatever they say."""
    server = Server(Tasks(handle), limits=Limits(), render=render_text)
    connection, transport = ServerConnection(server), Paper()
    connection.connection_made(transport)
    for segment in segments:
        if not transport.is_over:
            connection.data_received(segment)
    for _ in range(30):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    await asyncio.sleep(0)
    written = re.sub(rb"HTTP/1\.1 100 Continue\r\n\r\n", b"", transport.written)
    return re.sub(rb"HTTP/1\.1 4.*", b"refused", written, flags=re.DOTALL), transport.is_over


@pytest.mark.parametrize("part", range(3))
async def test_every_cut_in_two_gives_the_same_answers(part: int) -> None:
    corpus = [each for each in Corpus().requests if len(each) < SHORT // 2]
    for seed in SEEDS[part::3]:
        wire = make_stream(random.Random(seed), corpus).wire[:SHORT]
        expected = await answers_to([wire])
        for at in range(1, len(wire)):
            assert expected == await answers_to([wire[:at], wire[at:]]), (seed, at, wire)
