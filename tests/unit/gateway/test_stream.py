"""Streamed answers in virtual time: what botocore reads of them, and who ends them when."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from moorage.aws.errors import ServiceError
from moorage.core.model import EndpointKey, InstanceId
from moorage.core.traffic import Outcome
from moorage.gateway.errors import ModelErrors
from moorage.gateway.stream import IDLE_S, PART_BYTES_MAX, STREAM_S, Events, Pieces
from moorage.wire.messages import Disconnected, NoAnswer

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BLAME = ModelErrors(EndpointKey("eu-west-1", "iris"), "123456789012", variant="AllTraffic", instance=InstanceId("i-1"))


class Sending:
    """An instance's answer: bytes to send, seconds to wait before going on, or what breaks it."""

    def __init__(self, *script: bytes | float | Exception) -> None:
        self._script = script
        self._closed = asyncio.Event()
        self.is_closed = False
        self.ends: list[tuple[Outcome, int]] = []

    async def stream(self) -> AsyncIterator[bytes]:
        for step in self._script:
            if isinstance(step, bytes):
                yield step
            elif isinstance(step, Exception):
                raise step
            else:
                await self._pause(step)

    def close(self) -> None:
        self.is_closed = True
        self._closed.set()

    def ended(self, outcome: Outcome, size: int) -> None:
        self.ends.append((outcome, size))

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return
        raise Disconnected("the exchange was given up")


async def begun(answer: Any) -> Pieces:
    pieces = Pieces(answer, answer.ended)
    await pieces.begin(BLAME)
    return pieces


async def heard(pieces: Pieces) -> bytes:
    """What comes before the answer ends or breaks off."""
    found = b""
    with contextlib.suppress(Disconnected, NoAnswer):
        async for piece in pieces:
            found += piece
    await pieces.aclose()
    return found


async def messages(answer: Any) -> list[tuple[dict[str, str], bytes]]:
    """Headers and payloads of the whole event stream."""
    buffer = EventStreamBuffer()
    async for data in Events(await begun(answer), BLAME):
        buffer.add_data(data)
    return [(message.headers, message.payload) for message in buffer]


def failure(found: list[tuple[dict[str, str], bytes]]) -> tuple[str, bytes]:
    """Type and payload of the exception that ends a stream."""
    headers, payload = found[-1]
    assert ("exception", "application/json") == (headers[":message-type"], headers[":content-type"])
    return headers[":exception-type"], payload


async def test_every_piece_is_an_event_at_its_time() -> None:
    answer: Any = Sending(b"one", 5.0, b"two")
    events = Events(await begun(answer), BLAME)
    loop = asyncio.get_running_loop()

    assert [0.0, 5.0] == [loop.time() async for _ in events]
    assert [b"one", b"two"] == [payload for _, payload in await messages(Sending(b"one", 5.0, b"two"))]


async def test_the_headers_of_an_event() -> None:
    ((headers, _),) = await messages(Sending(b"one"))

    assert {
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    } == headers


async def test_an_empty_answer_is_an_empty_stream() -> None:
    assert [] == await messages(Sending())


async def test_a_large_piece_goes_out_in_parts() -> None:
    piece = bytes(range(256)) * (PART_BYTES_MAX // 256) + b"rest"

    found = [payload for _, payload in await messages(Sending(piece))]

    assert [PART_BYTES_MAX, 4] == [len(payload) for payload in found]
    assert piece == b"".join(found)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (NoAnswer("late"), "Your invocation timed out"),
        (Disconnected("reset"), 'with message "reset"'),
        (IDLE_S + 1, "Your invocation timed out"),
    ],
)
async def test_before_the_first_piece_a_failure_has_a_status(step: float | Exception, message: str) -> None:
    answer = Sending(step, b"too late")
    with pytest.raises(ServiceError, match=message) as caught:
        await begun(answer)

    assert ("ModelError", 424) == (caught.value.code, caught.value.status)
    assert answer.is_closed
    assert [] == answer.ends


@pytest.mark.parametrize(
    ("step", "name", "code"),
    [
        (Disconnected("reset"), "ModelStreamError", b'"ErrorCode":"StreamBroken"'),
        (NoAnswer("late"), "ModelStreamError", b'"ErrorCode":"ModelInvocationTimeExceeded"'),
        (IDLE_S + 1, "ModelStreamError", b'"ErrorCode":"ModelInvocationTimeExceeded"'),
        (LookupError("a bug"), "InternalStreamFailure", b'"Message"'),
    ],
)
async def test_after_it_the_stream_ends_in_order_with_the_reason(
    step: float | Exception, name: str, code: bytes
) -> None:
    found = await messages(Sending(b"half", step, b"never seen"))

    assert [b"half"] == [payload for _, payload in found[:-1]]
    kind, payload = failure(found)
    assert name == kind
    assert code in payload


async def test_an_internal_failure_tells_nothing_of_us() -> None:
    _, payload = failure(await messages(Sending(b"half", LookupError("a path of ours"))))

    assert b"ours" not in payload


async def test_a_model_may_pause_for_less_than_the_limit_as_often_as_it_likes() -> None:
    script = [step for number in range(5) for step in (b"%d" % number, IDLE_S - 1)]

    assert b"01234" == b"".join(payload for _, payload in await messages(Sending(*script)))


async def test_no_stream_lasts_longer_than_the_limit() -> None:
    script = [step for _ in range(20) for step in (b"x", IDLE_S - 10)]

    found = await messages(Sending(*script))

    assert STREAM_S == asyncio.get_running_loop().time()
    assert b"x" * 10 == b"".join(payload for _, payload in found[:-1])
    assert b"ModelInvocationTimeExceeded" in failure(found)[1]


async def test_a_slow_caller_is_not_a_silent_model() -> None:
    pieces = await begun(Sending(b"one", b"two"))
    await anext(pieces)
    await asyncio.sleep(2 * IDLE_S)

    assert b"two" == await heard(pieces)


async def test_a_caller_has_no_longer_than_the_model() -> None:
    answer: Any = Sending(b"one", 50.0, b"two", 1.0, b"three")
    pieces = await begun(answer)
    assert [b"one", b"two"] == [await anext(pieces), await anext(pieces)]
    await asyncio.sleep(STREAM_S - 50.0 + 0.1)

    assert answer.is_closed
    assert b"" == await heard(pieces)


async def test_as_it_comes_a_failure_breaks_the_body() -> None:
    for step in (Disconnected("reset"), IDLE_S + 1):
        answer: Any = Sending(b"half", step)
        pieces = await begun(answer)
        assert b"half" == await anext(pieces)
        with pytest.raises((Disconnected, NoAnswer)):
            await anext(pieces)
        await pieces.aclose()
        assert [(Outcome.NO_ANSWER, 4)] == answer.ends


async def test_who_has_had_it_all_is_told_apart() -> None:
    answer: Any = Sending(b"one", b"two")
    assert b"onetwo" == await heard(await begun(answer))
    assert [(Outcome.SUCCESS, 6)] == answer.ends


async def test_a_caller_that_leaves_closes_the_answer() -> None:
    answer: Any = Sending(b"one", 5.0, b"two")
    events = Events(await begun(answer), BLAME)
    await anext(events)
    await events.aclose()

    assert answer.is_closed
    assert [(Outcome.ABANDONED, 3)] == answer.ends
