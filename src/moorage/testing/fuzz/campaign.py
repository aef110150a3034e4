"""A campaign: streams of spoilt requests against a running gateway, and the judgement of all that comes of each.

A stream is made from the seed and its number alone, so any of them can be run again by itself.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import random  # noqa: TID251 - the seed is an argument, and the same seed must make the same streams
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import h11

from moorage.core.routes import AccessKey
from moorage.testing.fuzz.corpus import BEARER_KEYS, Corpus, StoppedCalendar
from moorage.testing.fuzz.oracle import Answered, AnswerReader, Asked, Rest, read_requests
from moorage.testing.fuzz.peers import Peer, Recorder, for_control, for_instance
from moorage.testing.fuzz.stream import End, Stream, make_stream
from moorage.testing.gateway_world import ACCOUNT, ROOT, GatewayWorld, running_gateway
from moorage.testing.signing import KEY_ID, SECRET
from moorage.wire.limits import Limits

LIMITS: Final = Limits(head_s=0.6, body_s=0.6, idle_s=5.0, linger_s=1.0)
PATIENCE_S: Final = 6.0
"""How long an answer or the connection's end may take: far more than any deadline of the gateway's here."""
_QUIET_S: Final = 0.02
_OWN_STATUSES: Final = frozenset({200, 400, 401, 403, 404, 405, 408, 413, 414, 417, 431, 501, 505})
_AT_ONCE: Final = 24
# uvloop raises RuntimeError for a connection that the peer has closed.
_GONE: Final = (OSError, RuntimeError)


@dataclass(slots=True)
class Findings:
    """What a campaign came to."""

    seed: int
    cases: int = 0
    answers: collections.Counter[str] = field(default_factory=collections.Counter)
    ends: collections.Counter[str] = field(default_factory=collections.Counter)
    reached_instances: int = 0
    reached_control: int = 0
    authentic: int = 0
    """How many requests among those sent were what was signed."""
    complaints: list[str] = field(default_factory=list)

    def complain(self, number: int, what: str, stream: Stream) -> None:
        """Something is not as it should be."""
        self.complaints.append(f"case {number} of seed {self.seed}: {what}\n  sent {stream.segments!r:.3000}")


@dataclass(slots=True)
class Target:
    """A gateway to be fuzzed, and what stands behind it."""

    world: GatewayWorld
    corpus: Corpus
    instance: Recorder
    control: Recorder


@contextlib.asynccontextmanager
async def fuzzed_gateway(folder: Path) -> AsyncIterator[Target]:
    """A gateway with one endpoint and short deadlines, an instance and a control."""
    async with running_gateway(folder, limits=LIMITS, clock=StoppedCalendar()) as world:
        target = Target(world, Corpus(), Recorder(for_instance, b"echo:"), Recorder(for_control, b"control:"))
        loop = asyncio.get_running_loop()
        servers = [
            await loop.create_unix_server(lambda: Peer(target.instance), folder / "a.sock"),
            await loop.create_unix_server(lambda: Peer(target.control), folder / "control.sock"),
        ]
        world.keys = {KEY_ID: AccessKey(SECRET, ROOT, ACCOUNT)}
        world.bearer_keys = dict(BEARER_KEYS)
        await world.publish(("AllTraffic", 1.0, ["a"]))
        yield target
        for server in servers:
            server.close()
        for recorder in (target.instance, target.control):
            recorder.hang_up()
        for name in ("a", "control"):
            (folder / f"{name}.sock").unlink(missing_ok=True)


async def campaign(target: Target, seed: int, numbers: Sequence[int]) -> Findings:
    """Run the streams of these numbers, some at a time."""
    findings = Findings(seed)
    left = iter(numbers)

    async def work() -> None:
        for number in left:
            await _run_case(target, findings, number)

    with _heard_logs(findings):
        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    for recorder in (target.instance, target.control):
        findings.complaints += [f"seed {seed}: {complaint}" for complaint in recorder.complaints]
    findings.reached_instances, findings.reached_control = target.instance.count, target.control.count
    return findings


async def _run_case(target: Target, findings: Findings, number: int) -> None:
    stream = make_stream(random.Random(f"{findings.seed}/{number}"), target.corpus.requests)
    case = _Case(target, findings, number, stream)
    findings.cases += 1
    try:
        async with asyncio.timeout(4 * PATIENCE_S):
            await case.run()
    except TimeoutError:
        findings.complain(number, "it hangs", stream)
    except h11.RemoteProtocolError as error:
        findings.complain(number, f"an answer is malformed: {error}\n  heard {bytes(case.heard)!r:.1500}", stream)


class _Case:
    """One stream on one connection."""

    def __init__(self, target: Target, findings: Findings, number: int, stream: Stream) -> None:
        self._target = target
        self._findings = findings
        self._number = number
        self._stream = stream
        read = read_requests(stream.wire)
        self._asked, self._rest, self._part = read.complete, read.rest, read.part
        self._answers = AnswerReader([asked.method for asked in (*read.complete, read.part) if asked is not None])
        self._is_closed = False
        self.heard = bytearray()

    async def run(self) -> None:
        """Send it, hear the answers, and judge."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target.world.port)
        try:
            with contextlib.suppress(*_GONE):
                await self._send(writer)
            if self._stream.end is not End.LEAVE:
                await self._hear_all(reader, writer)
        finally:
            writer.transport.abort()
        self._judge()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        for segment in self._stream.segments:
            writer.write(segment)
            await writer.drain()
            for _ in range(2):
                await asyncio.sleep(0)  # noqa: TID251 - lets the gateway, on the same loop, read the segment by itself

    async def _hear_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._hear(reader, PATIENCE_S, until=len(self._asked))
        if len(self._answers.answers) < len(self._asked) and not self._is_closed:
            self._complain("an answer is missing")
        if self._rest is Rest.BETWEEN and not self._answers.is_over and not self._is_closed:
            await self._ask_well(reader, writer)
        elif self._stream.end is End.GO_ON and self._rest in (Rest.WITHIN, Rest.BROKEN):
            await self._hear(reader, _QUIET_S)
            with contextlib.suppress(*_GONE):
                writer.write_eof()
        if self._rest is not Rest.BETWEEN:
            await self._hear(reader, PATIENCE_S)
            if not self._is_closed:
                self._complain("the connection stays open")

    async def _ask_well(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The connection is in step if a good request gets its own answer."""
        before = len(self._answers.answers)
        with contextlib.suppress(*_GONE):
            writer.write(self._target.corpus.good)
        await self._hear(reader, PATIENCE_S, until=before + 1)
        self._findings.authentic += 1
        answers = self._answers.answers[before:]
        if [(200, b"echo:the good one")] != [(answer.status, answer.body) for answer in answers]:
            self._complain(f"the connection is out of step: {answers}")
        del self._answers.answers[before:]

    async def _hear(self, reader: asyncio.StreamReader, seconds: float, *, until: int | None = None) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not self._is_closed and (until is None or len(self._answers.answers) < until):
                    data = await reader.read(65_536)
                    self.heard += data
                    self._is_closed = not data
                    self._answers.feed(data)
        except TimeoutError:
            pass
        except ConnectionError:
            self._is_closed = True

    def _judge(self) -> None:
        authentic = [self._target.corpus.is_authentic(asked) for asked in self._asked]
        self._findings.authentic += sum(authentic)
        self._findings.ends[self._rest.value] += 1
        answers = self._answers.answers
        if len(answers) > len(self._asked) + (self._rest in (Rest.WITHIN, Rest.BROKEN)):
            self._complain(f"{len(answers)} answers to {len(self._asked)} requests")
        for number, answer in enumerate(answers):
            self._findings.answers[f"{answer.status} {answer.code}".strip()] += 1
            if answer.status not in _OWN_STATUSES:
                self._complain(f"answered {answer}")
            elif answer.status == 200 and number >= len(self._asked):
                if self._part is not None and self._part.target.startswith(b"/health"):
                    continue  # it needs no body, so it is answered before the body is here
                self._complain(f"answered what h11 refuses: {answer}")
            elif answer.status == 200:
                self._judge_success(self._asked[number], answer, is_authentic=authentic[number])

    def _judge_success(self, asked: Asked, answer: Answered, *, is_authentic: bool) -> None:
        if answer.headers.get(b"x-from") == b"peer" or b"/health" in asked.target:
            return
        if not is_authentic:
            self._complain(f"invoked without being authentic: {asked} got {answer}")
        elif b"echo:" + asked.body not in answer.body:
            self._complain(f"the answer of another request: {asked} got {answer}")

    def _complain(self, what: str) -> None:
        self._findings.complain(self._number, what, self._stream)


@contextlib.contextmanager
def _heard_logs(findings: Findings) -> Iterator[None]:
    """Complain of every error that is logged, and of every exception that nobody caught."""
    handler = _Complainer(findings)
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: findings.complaints.append(f"uncaught: {context}"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        loop.set_exception_handler(before)


class _Complainer(logging.Handler):
    def __init__(self, findings: Findings) -> None:
        super().__init__(logging.WARNING)
        self._findings = findings

    def emit(self, record: logging.LogRecord) -> None:
        self._findings.complaints.append(f"logged: {logging.Formatter().format(record)}")
