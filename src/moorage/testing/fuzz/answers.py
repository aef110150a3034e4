"""The other side: an instance whose answers are spoilt, and the judgement of what their caller gets to see.

h11 says what an answer is. Its caller gets that and nothing else, or a ModelError; or, once a streamed answer has
begun, a connection that is cut. The connections between the gateway and the instance are reused, so bytes of one answer
that were taken for another's would show.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random  # noqa: TID251 - the seed is an argument, and the same seed must make the same answers
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import h11

from moorage.testing.fuzz.corpus import BEARER_KEYS, INVOCATIONS, STREAMS, TOKEN
from moorage.testing.fuzz.draft import draft_of
from moorage.testing.fuzz.mutations import chunk, chunk_badly, mutate_any
from moorage.testing.fuzz.oddities import STATUS_LINES
from moorage.testing.fuzz.oracle import Answered, AnswerReader
from moorage.testing.fuzz.stream import bend, cut
from moorage.testing.gateway_world import GatewayWorld, running_gateway

_INTERIM: Final = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n",
    b"HTTP/1.1 102 P\r\n\r\n",
)
_PATIENCE_S: Final = 10.0
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What the instance sends for one request."""

    segments: list[bytes]
    ends: bool
    """Whether it closes the connection then."""

    @property
    def wire(self) -> bytes:
        """All of it."""
        return b"".join(self.segments)


@dataclass(slots=True)
class AnswerFindings:
    """What came of the answers."""

    seed: int
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    complaints: list[str] = field(default_factory=list)


def make_answer(draw: random.Random, number: int) -> Spoilt:
    """The answer to request `number`, which it holds, spoilt more often than not."""
    body = b"<%d>" % number + b"x" * draw.choice((0, 3, 100, 100, 70_000))
    draft = draft_of(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    dice = draw.random()
    if dice < 0.1:
        chunk(draw, draft)
    elif dice < 0.2:
        chunk_badly(draw, draft)
    elif dice < 0.3:
        draft.start = draw.choice(STATUS_LINES)
    elif dice < 0.35:
        draft.drop(b"content-length")
    elif dice < 0.85:
        for _ in range(draw.choice((1, 1, 2, 3))):
            mutate_any(draw, draft)
    wire = draft.wire
    if draw.random() < 0.1:
        wire = draw.choice(_INTERIM) * draw.choice((1, 3, 10, 11, 500)) + wire
    if draw.random() < 0.2:
        wire = bend(draw, wire)
    if draw.random() < 0.05:
        wire += wire
    return Spoilt(cut(draw, wire), draw.random() < 0.5)


class SpoilingInstance(asyncio.Protocol):
    """Sends what is made for the number in each request's body."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._heard = b""
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if self._end is not None:
            self._end.cancel()
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if head.startswith(b"GET /ping") and end:
            self._heard = b""
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        elif body.endswith(b";"):
            self._heard = b""
            spoilt = make_answer(random.Random(f"{self._seed}/{int(body[:-1])}"), int(body[:-1]))
            self._send(spoilt.segments, ends=spoilt.ends)

    def _send(self, segments: list[bytes], *, ends: bool) -> None:
        if segments and not self._transport.is_closing():
            self._transport.write(segments[0])
            asyncio.get_running_loop().call_soon(lambda: self._send(segments[1:], ends=ends))
        elif ends or not segments:
            # An answer that lacks its end would otherwise take as long as the gateway is willing to wait.
            self._end = asyncio.get_running_loop().call_later(0.0 if ends else 0.2, self._transport.close)


async def campaign_of_answers(world: GatewayWorld, seed: int, numbers: Sequence[int]) -> AnswerFindings:
    """Invoke once for each number, over connections that are kept as long as the gateway keeps them."""
    findings = AnswerFindings(seed)
    left = iter(numbers)

    async def work() -> None:
        caller = _Caller(world.port)
        for number in left:
            try:
                answer = await caller.invoke(number)
            except (TimeoutError, h11.RemoteProtocolError) as error:
                findings.complaints.append(f"answer {number} of seed {seed}: {error!r}")
                caller.close()
                continue
            findings.outcomes[f"{answer.status} {answer.code}".strip() if answer else "cut"] += 1
            spoilt = make_answer(random.Random(f"{seed}/{number}"), number)
            if wrong := judge(spoilt, answer, is_stream=number % 3 == 0):
                findings.complaints.append(
                    f"answer {number} of seed {seed}: {wrong}: {spoilt!r:.1500} gave {answer!r:.600}"
                )
        caller.close()

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    return findings


def judge(spoilt: Spoilt, answer: Answered | None, *, is_stream: bool) -> str:
    """What is wrong with `answer`, None for one that was cut; empty if nothing is."""
    true = _read(spoilt.wire)
    if answer is None:
        return "" if is_stream or len(spoilt.wire) > 65_536 else "a short answer was cut"
    if answer.status == 424:
        return "" if answer.code == "ModelError" else "not a ModelError"
    if answer.status == 503:
        return ""  # the instance had closed the connection before it was sent a byte, and there is no other instance
    if answer.status != 200:
        return "neither the answer nor a ModelError"
    if is_stream:
        return ""  # its end says in the stream whether it was whole; the parser of events has tests of its own
    if true is None or not 200 <= true.status < 300:
        return "an answer was made of what h11 refuses"
    return "" if true.body == answer.body else f"not the instance's answer, which is {true!r:.300}"


def _read(wire: bytes) -> Answered | None:
    reader = AnswerReader([b"POST"])
    try:
        reader.feed(wire)
        if not reader.answers:
            reader.feed(b"")
    except h11.RemoteProtocolError:
        pass
    return reader.answers[0] if reader.answers else None


class _Caller:
    """A caller that keeps its connection if it can. An instance that fails often is left out for a while, hence 503."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def invoke(self, number: int) -> Answered | None:
        """The answer; None if it was cut."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        body = b"%d;" % number
        path = STREAMS if number % 3 == 0 else INVOCATIONS
        writer.write(
            b"POST %b HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
            % (path, TOKEN, len(body), body)
        )
        answers = AnswerReader([b"POST"])
        async with asyncio.timeout(_PATIENCE_S):
            while not answers.answers:
                data = await reader.read(65_536)
                if not data:
                    self.close()
                    return None
                answers.feed(data)
        if answers.is_over:
            self.close()
        return answers.answers[0]

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@contextlib.asynccontextmanager
async def spoiling_gateway(folder: Path, seed: int) -> AsyncIterator[GatewayWorld]:
    """A gateway in front of one such instance."""
    async with running_gateway(folder) as world:
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: SpoilingInstance(seed), folder / "a.sock")
        world.bearer_keys = dict(BEARER_KEYS)
        await world.publish(("AllTraffic", 1.0, ["a"]))
        yield world
        server.close()
        (folder / "a.sock").unlink(missing_ok=True)
