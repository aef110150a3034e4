"""One connection to an upstream: a request out, an answer in, one exchange at a time.

Answers are read as strictly as requests. A connection that misbehaved, was left half way or answered more than it was
asked is aborted and never used again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import cast

from moorage.wire import encoding
from moorage.wire.answer import Answer
from moorage.wire.body import Body
from moorage.wire.deadline import Deadline
from moorage.wire.framing import Decoder, response_decoder
from moorage.wire.heads import HeadBuffer, parse_response
from moorage.wire.limits import Limits
from moorage.wire.messages import BadAnswer, Disconnected, NoAnswer, NotSent, Refused, WireError

# A request this small leaves in one write that the kernel takes whole or not at all.
_ATOMIC_BYTES_MAX = 65_536


class Exchange:
    """A request on its way and what is known of its answer."""

    __slots__ = (
        "answer",
        "body",
        "decoder",
        "go_ahead",
        "head_s",
        "interim",
        "keep_alive",
        "method",
        "pump",
        "total_s",
        "untouched",
    )

    def __init__(self, method: bytes, answer: asyncio.Future[Answer], *, head_s: float, total_s: float | None) -> None:
        self.method = method
        self.answer = answer
        self.head_s = head_s
        self.total_s = total_s
        self.go_ahead: asyncio.Future[None] | None = None
        """Done when the upstream wants the body; None if it is not asked."""
        self.body: Body | None = None
        self.decoder: Decoder | None = None
        self.pump: asyncio.Task[None] | None = None
        self.interim = 0
        self.keep_alive = False
        self.untouched = False
        """Whether a broken pipe now would mean that the upstream has seen nothing of the request."""


class UpstreamConnection(asyncio.Protocol):
    """The protocol of one connected socket. `on_free` says that it may be used again, `on_lost` that it is gone."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        *,
        on_free: Callable[[UpstreamConnection], None],
        on_lost: Callable[[UpstreamConnection], None],
    ) -> None:
        self._loop = loop
        self._limits = limits
        self._on_free = on_free
        self._on_lost = on_lost
        self._deadline = Deadline(loop, self._expire)
        self._heads = HeadBuffer(limits.head_bytes)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._exchange: Exchange | None = None
        self._reading = True
        self._drained: asyncio.Future[None] | None = None

    # -- what its owner says ------------------------------------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        """Whether a request may be sent."""
        return self._exchange is None and not self._transport.is_closing()

    def send(
        self,
        method: bytes,
        head: bytes,
        body: bytes | AsyncIterator[bytes],
        *,
        chunked: bool,
        expects: bool,
        head_s: float,
        total_s: float | None,
    ) -> asyncio.Future[Answer]:
        """Send a request; its answer, or a WireError, arrives in the future.

        If the head `expects` a 100, a streaming body is touched only when that has come.
        """
        exchange = Exchange(method, self._loop.create_future(), head_s=head_s, total_s=total_s)
        self._exchange = exchange
        self._deadline.set(head_s if total_s is None else min(head_s, total_s))
        if isinstance(body, bytes):
            exchange.untouched = len(head) + len(body) <= _ATOMIC_BYTES_MAX
            if exchange.untouched:
                self._transport.write(head + body)
            else:
                self._transport.write(head)
                self._transport.write(body)
        else:
            self._transport.write(head)
            exchange.go_ahead = self._loop.create_future() if expects else None
            exchange.pump = self._loop.create_task(self._pump(exchange, body, chunked=chunked))
        return exchange.answer

    def rest(self, seconds: float) -> None:
        """Wait for a next request, at most so long."""
        self._deadline.set(seconds)

    def abort(self) -> None:
        """Drop the connection, and whatever is going on with it."""
        self._fail(Disconnected("the exchange was given up"))

    # -- what the transport says --------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self._transport.abort()
            return
        exchange.untouched = False
        try:
            while data and exchange.decoder is None:
                data = self._read_head(exchange, data)
            if exchange.decoder is not None:
                self._read_body(exchange, data)
        except Refused as refused:
            self._fail(BadAnswer(refused.reason))

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self.resume_writing()
        exchange = self._exchange
        if exchange is not None:
            decoder = exchange.decoder
            if exc is None and decoder is not None and not decoder.is_cut_by_end():
                self._finish(exchange)
            elif isinstance(exc, BrokenPipeError) and exchange.untouched:
                self._fail(NotSent("the connection was closed"))
            else:
                self._fail(Disconnected("the upstream closed the connection before its answer was complete"))
        self._on_lost(self)

    # -- the answer comes in ------------------------------------------------------------------------------------------

    def _read_head(self, exchange: Exchange, data: bytes) -> bytes:
        found = self._heads.feed(data)
        if found is None:
            return b""
        head = parse_response(found[0], self._limits, method=exchange.method)
        if head.status < 200:
            exchange.interim += 1
            if head.status == 101 or exchange.interim > self._limits.interim_answers:
                raise Refused(400, "the upstream switches protocols or sends too many interim answers")
            if head.status == 100 and exchange.go_ahead is not None and not exchange.go_ahead.done():
                exchange.go_ahead.set_result(None)
            return found[1]
        exchange.decoder = response_decoder(head.content_length, bytes_max=self._limits.body_bytes)
        exchange.keep_alive = head.keep_alive
        exchange.body = Body(self._loop, on_taken=self._pace_reading)
        if not found[1] and not exchange.decoder.done:
            self._hand_over(exchange, Answer(head, exchange.body, self))
            return b""
        self._read_body(exchange, found[1])
        # Handed over with its first bytes, and not at all if those are more than it should have.
        self._hand_over(exchange, Answer(head, exchange.body, self))
        return b""

    def _hand_over(self, exchange: Exchange, answer: Answer) -> None:
        if exchange.total_s is None and self._exchange is exchange:
            self._deadline.lift()
        if not exchange.answer.done():
            exchange.answer.set_result(answer)

    def _read_body(self, exchange: Exchange, data: bytes) -> None:
        assert exchange.decoder is not None
        assert exchange.body is not None
        pieces, rest = exchange.decoder.feed(data) if data else ([], b"")
        if rest:
            raise Refused(400, "the upstream sent more than its answer")
        if exchange.decoder.done:
            exchange.body.put(pieces, complete=True)
            self._finish(exchange)
        elif pieces:
            exchange.body.put(pieces, complete=False)
            self._pace_reading()

    def _finish(self, exchange: Exchange) -> None:
        if exchange.body is not None and not exchange.body.complete:
            exchange.body.put([], complete=True)
        self._exchange = None
        whole = exchange.pump is None or exchange.pump.done()
        if exchange.pump is not None and not whole:
            exchange.pump.cancel()
        if not whole or not exchange.keep_alive:
            self._transport.abort()
            return
        self._pace_reading()
        self._on_free(self)

    def _pace_reading(self) -> None:
        body = self._exchange.body if self._exchange is not None else None
        reading = body is None or body.held_bytes <= self._limits.window_bytes
        if reading == self._reading or self._transport.is_closing():
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # -- the request goes out -----------------------------------------------------------------------------------------

    async def _pump(self, exchange: Exchange, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        try:
            if exchange.go_ahead is not None:
                await exchange.go_ahead
            async for piece in body:
                if not piece:
                    continue
                self._transport.write(encoding.chunk(piece) if chunked else piece)
                if self._drained is not None:
                    await self._drained
                if exchange.total_s is None and not exchange.answer.done():
                    self._deadline.set(exchange.head_s)  # a long body takes long: the wait begins at its end
            if chunked:
                self._transport.write(encoding.LAST_CHUNK)
        except WireError as error:
            self._fail(error)
        finally:
            close = getattr(body, "aclose", None)
            if close is not None:
                with contextlib.suppress(WireError):
                    await close()

    # -- the end ------------------------------------------------------------------------------------------------------

    def _expire(self) -> None:
        if self._exchange is None:
            self._transport.close()
        else:
            self._fail(NoAnswer("the upstream did not answer in time"))

    def _fail(self, error: WireError) -> None:
        self._transport.abort()
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if exchange.pump is not None and exchange.pump is not asyncio.current_task(self._loop):
            exchange.pump.cancel()
        if exchange.body is not None:
            exchange.body.fail(error)
        if not exchange.answer.done():
            exchange.answer.set_exception(error)
