"""How long an upstream may take for its answer, in virtual time. No sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from moorage.wire.answer import Answer
from moorage.wire.limits import Limits
from moorage.wire.messages import NoAnswer, WireError
from moorage.wire.upstream import UpstreamConnection

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

HEAD_S = 1.0


class Line(asyncio.Transport):
    """A transport that takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass


class Receiver:
    """Keeps what comes."""

    def __init__(self) -> None:
        self.found: asyncio.Future[Answer | WireError] = asyncio.get_running_loop().create_future()

    def on_answer(self, answer: Answer) -> None:
        self.found.set_result(answer)

    def on_failure(self, error: WireError) -> None:
        self.found.set_result(error)


async def slowly(pieces: int) -> AsyncIterator[bytes]:
    """Each is sent within the time for an answer, all together are not."""
    for _ in range(pieces):
        await asyncio.sleep(0.9 * HEAD_S)
        yield b"x"


def asked(line: Line) -> tuple[UpstreamConnection, Receiver]:
    """A connection over which a body in five pieces goes out."""
    loop = asyncio.get_running_loop()
    connection = UpstreamConnection(loop, Limits(), on_free=lambda _: None, on_lost=lambda _: None)
    connection.connection_made(line)
    receiver = Receiver()
    connection.send_stream(
        receiver, b"PUT", b"head,", slowly(5), chunked=False, expects=False, head_s=HEAD_S, total_s=None
    )
    return connection, receiver


async def test_a_body_may_take_longer_than_the_answer_to_it() -> None:
    line = Line()
    connection, receiver = asked(line)
    await asyncio.sleep((5 * 0.9 + 0.9) * HEAD_S)
    assert b"head,xxxxx" == line.written
    connection.data_received(b"HTTP/1.1 204 No Content\r\n\r\n")
    found = await receiver.found
    assert isinstance(found, Answer)
    assert 204 == found.status


async def test_the_wait_for_an_answer_begins_at_the_end_of_the_body() -> None:
    _, receiver = asked(Line())
    assert isinstance(await receiver.found, NoAnswer)
    assert (5 * 0.9 + 1.0) * HEAD_S == pytest.approx(asyncio.get_running_loop().time())
