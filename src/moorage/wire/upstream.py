"""One connection to an upstream: a request out, an answer in, one exchange at a time.

Answers are read as strictly as requests. A connection that misbehaved, was left half way or answered more than it was
asked is aborted and never used again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol, cast

from moorage.wire import encoding
from moorage.wire.answer import Answer
from moorage.wire.body import Body
from moorage.wire.deadline import Deadline
from moorage.wire.draining import Draining
from moorage.wire.framing import Decoder, response_decoder
from moorage.wire.heads import HeadBuffer, ResponseHead, parse_response
from moorage.wire.limits import Limits
from moorage.wire.messages import BadAnswer, Disconnected, NoAnswer, NotSent, Refused, WireError

# A request this small leaves in one write that the kernel takes whole or not at all.
_ATOMIC_BYTES_MAX = 65_536
_CR = 0x0D


class Receiver(Protocol):
    """Whom an answer is for. One of the two is called, once."""

    def on_answer(self, answer: Answer) -> None:
        """The head is here, and perhaps the body."""
        ...

    def on_failure(self, error: WireError) -> None:
        """There will be no answer: NotSent, NoAnswer, BadAnswer, Disconnected, or what the request's body raised."""
        ...


class UpstreamConnection(Draining):
    """The protocol of one connected socket. `on_free` says that it may be used again, `on_lost` that it is gone."""

    __slots__ = (
        "_body",
        "_deadline",
        "_decoder",
        "_go_ahead",
        "_head_s",
        "_heads",
        "_interim",
        "_keep_alive",
        "_limits",
        "_method",
        "_on_free",
        "_on_lost",
        "_pump",
        "_reading",
        "_receiver",
        "_total_s",
        "_transport",
        "_untouched",
        "is_busy",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        *,
        on_free: Callable[[UpstreamConnection], None],
        on_lost: Callable[[UpstreamConnection], None],
    ) -> None:
        super().__init__(loop)
        self._limits = limits
        self._on_free = on_free
        self._on_lost = on_lost
        self._deadline = Deadline(loop, self._expire)
        self._heads = HeadBuffer(limits.head_bytes)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._reading = True
        # Of the exchange that is going on:
        self.is_busy = False
        self._receiver: Receiver | None = None
        """None once it has the answer's head."""
        self._method = b""
        self._head_s = 0.0
        self._total_s: float | None = None
        self._go_ahead: asyncio.Future[None] | None = None
        """Done when the upstream wants the body; None if it is not asked."""
        self._pump: asyncio.Task[None] | None = None
        self._decoder: Decoder | None = None
        self._body: Body | None = None
        self._interim = 0
        self._keep_alive = False
        self._untouched = False
        """Whether a broken pipe now would mean that the upstream has seen nothing of the request."""

    # -- what its owner says ------------------------------------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        """Whether a request may be sent."""
        return not self.is_busy and not self._transport.is_closing()

    def send(
        self,
        receiver: Receiver,
        method: bytes,
        head: bytes,
        body: bytes,
        *,
        head_s: float,
        total_s: float | None,
    ) -> None:
        """Send a request whose body is here; the answer goes to `receiver`."""
        self._start(receiver, method, head_s, total_s)
        if len(head) + len(body) <= _ATOMIC_BYTES_MAX:
            self._untouched = True
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)

    def send_stream(
        self,
        receiver: Receiver,
        method: bytes,
        head: bytes,
        body: AsyncIterator[bytes],
        *,
        chunked: bool,
        expects: bool,
        head_s: float,
        total_s: float | None,
    ) -> None:
        """Send a request piece by piece. If its head `expects` a 100, the body is touched only when that has come."""
        self._start(receiver, method, head_s, total_s)
        self._go_ahead = self._loop.create_future() if expects else None
        self._transport.write(head)
        self._pump = self._loop.create_task(self._pump_body(body, chunked=chunked))

    def rest(self, seconds: float) -> None:
        """Wait for a next request, at most so long."""
        self._deadline.set(seconds)

    def abort(self) -> None:
        """Drop the connection, if it was made at all, and whatever is going on with it."""
        if self._transport is not None:
            self._fail(Disconnected("the exchange was given up"))

    # -- what the transport says --------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self.is_busy:
            self._transport.abort()
            return
        self._untouched = False
        try:
            if self._decoder is None:
                self._read_head(data)
            else:
                self._read_body(data)
        except Refused as refused:
            self._fail(BadAnswer(refused.reason))

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self.resume_writing()
        if self.is_busy:
            if exc is None and self._decoder is not None and not self._decoder.is_cut_by_end():
                self._finish()
            elif isinstance(exc, BrokenPipeError) and self._untouched:
                self._fail(NotSent("the connection was closed"))
            else:
                self._fail(Disconnected("the connection was closed before the answer was complete"))
        self._on_lost(self)

    # -- the answer comes in ------------------------------------------------------------------------------------------

    def _read_head(self, data: bytes) -> None:
        while data:
            if data[0] == _CR and not self._heads:
                raise Refused(400, "there is an empty line before the answer")  # which only requests may have
            found = self._heads.feed(data)
            if found is None:
                return
            head = parse_response(found[0], self._limits, method=self._method)
            if head.status >= 200:
                self._take(head, found[1])
                return
            self._note_interim(head.status)
            data = found[1]

    def _note_interim(self, status: int) -> None:
        self._interim += 1
        if status == 101 or self._interim > self._limits.interim_answers:
            raise Refused(400, "the answer switches protocols, or too many interim ones came before it")
        if status == 100 and self._go_ahead is not None and not self._go_ahead.done():
            self._go_ahead.set_result(None)

    def _take(self, head: ResponseHead, rest: bytes) -> None:
        """The final head is here: hand it over with what there is of the body, unless that is more than it should."""
        self._keep_alive = head.keep_alive
        length = head.content_length
        receiver = self._receiver
        if length is not None and length == len(rest) and length <= self._limits.body_bytes:
            self._receiver = None
            self._finish()
            if receiver is not None:
                receiver.on_answer(Answer(head, rest, None, self))
            return
        self._decoder = response_decoder(length, bytes_max=self._limits.body_bytes)
        self._body = body = Body(self._loop, on_taken=self._pace_reading)
        self._read_body(rest)
        self._receiver = None
        if self._total_s is None and self.is_busy:
            self._deadline.lift()
        if receiver is not None:
            receiver.on_answer(Answer(head, None, body, self))

    def _read_body(self, data: bytes) -> None:
        assert self._decoder is not None
        assert self._body is not None
        pieces, rest = self._decoder.feed(data) if data else ([], b"")
        if rest:
            raise Refused(400, "more was sent than the answer")
        if self._decoder.done:
            self._body.put(pieces, complete=True)
            self._finish()
        elif pieces:
            self._body.put(pieces, complete=False)
            self._pace_reading()

    def _finish(self) -> None:
        """The answer is complete: the connection is free, if both sides are in step."""
        body, pump = self._body, self._pump
        in_step = self._keep_alive and (pump is None or pump.done())
        self._clear()
        if body is not None and not body.complete:
            body.put([], complete=True)
        if pump is not None and not pump.done():
            pump.cancel()
        if not in_step:
            self._transport.abort()
            return
        if not self._reading:
            self._pace_reading()
        self._on_free(self)

    def _pace_reading(self) -> None:
        reading = self._body is None or self._body.held_bytes <= self._limits.window_bytes
        if reading == self._reading or self._transport.is_closing():
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # -- the request goes out -----------------------------------------------------------------------------------------

    def _start(self, receiver: Receiver, method: bytes, head_s: float, total_s: float | None) -> None:
        self.is_busy = True
        self._receiver = receiver
        self._method = method
        self._head_s = head_s
        self._total_s = total_s
        self._interim = 0
        self._deadline.set(head_s if total_s is None or head_s < total_s else total_s)

    async def _pump_body(self, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        try:
            if self._go_ahead is not None:
                await self._go_ahead
            async for piece in body:
                if not piece:
                    continue
                self._transport.write(encoding.chunk(piece) if chunked else piece)
                if self._drained is not None:
                    await self._drained
                if self._total_s is None and self._receiver is not None:
                    self._deadline.set(self._head_s)  # a long body takes long: the wait begins at its end
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

    def _clear(self) -> None:
        self.is_busy = False
        self._body = None
        self._decoder = None
        self._pump = None
        self._go_ahead = None

    def _expire(self) -> None:
        if self.is_busy:
            self._fail(NoAnswer("there was no answer in time"))
        else:
            self._transport.close()

    def _fail(self, error: WireError) -> None:
        self._transport.abort()
        if not self.is_busy:
            return
        receiver, body, pump = self._receiver, self._body, self._pump
        self._receiver = None
        self._clear()
        if pump is not None and pump is not asyncio.current_task(self._loop):
            pump.cancel()
        if body is not None:
            body.fail(error)
        if receiver is not None:
            receiver.on_failure(error)
