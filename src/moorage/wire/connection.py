"""One client's connection: requests in, answers out, one at a time and in order.

Requests that a client sends ahead wait unparsed in `_ahead`, so at most one is being handled and what is held stays
bounded. A connection is in one of four moments: between requests, within a head, handling (the body may still be
arriving), or leaving (the answer is written; the peer is read and ignored until it has seen it).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

from moorage.wire import encoding
from moorage.wire.body import Body
from moorage.wire.deadline import Deadline
from moorage.wire.framing import Decoder, request_decoder
from moorage.wire.heads import HeadBuffer, RequestHead, parse_request
from moorage.wire.messages import Disconnected, Refused, Response
from moorage.wire.request import ServerRequest

if TYPE_CHECKING:
    from moorage.wire.server import Server

_log = logging.getLogger(__name__)

_BODILESS = frozenset({204, 304})
_EXPECTATIONS = (None, b"100-continue")
_UNEXPECTED = Refused(417, "only 100-continue can be expected")
# Below this an answer's head and body leave in one write; above, joining them would cost more than a second write.
_JOIN_BYTES_MAX = 65_536


class ServerConnection(asyncio.Protocol):
    """The protocol of one accepted socket."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = server.loop
        self._limits = server.limits
        self._deadline = Deadline(self._loop, self._expire)
        self._heads = HeadBuffer(server.limits.head_bytes)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._task: asyncio.Task[None] | None = None
        self._body: Body | None = None
        self._decoder: Decoder | None = None
        self._body_since = 0.0
        self._body_bytes = 0
        self._ahead = b""
        self._reading = True
        self._drained: asyncio.Future[None] | None = None
        self._leaving = False

    # -- what the transport says --------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._server.admit(self):
            self._refuse(Refused(503, "there are too many connections"))
            return
        self._deadline.set(self._limits.head_s)

    def data_received(self, data: bytes) -> None:
        if self._leaving:
            return
        if self._decoder is not None:
            data = self._feed_body(data)
            if not data:
                return
        if self._task is None:
            self._read_head(data)
        elif self._body_has_arrived():
            self._ahead += data
            self._pace_reading()

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._leaving = True
        self._deadline.cancel()
        if self._body is not None:
            self._body.fail(Disconnected("the client went away"))
        if self._task is not None:
            self._task.cancel()
        self._server.forget(self)

    # -- what the server says -----------------------------------------------------------------------------------------

    @property
    def is_handling(self) -> bool:
        """Whether a request is being handled."""
        return self._task is not None

    def retire(self) -> None:
        """Close as soon as no request is being handled; answers from now on say so."""
        if self._task is None and not self._leaving:
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()

    # -- a request comes in -------------------------------------------------------------------------------------------

    def _read_head(self, data: bytes) -> None:
        begun = bool(self._heads)
        try:
            found = self._heads.feed(data)
            if found is None:
                if not begun:
                    self._deadline.set(self._limits.head_s)
                return
            head = parse_request(found[0], self._limits)
            self._begin(head, found[1])
        except Refused as refused:
            self._refuse(refused)

    def _begin(self, head: RequestHead, rest: bytes) -> None:
        if head.expect not in _EXPECTATIONS and head.content_length != 0:
            raise _UNEXPECTED  # whether the client now sends its body is anybody's guess
        waits = head.expect is not None and not rest
        body = Body(
            self._loop,
            on_taken=self._pace_reading,
            on_read=self._send_continue if waits else None,
        )
        decoder = request_decoder(head.content_length, bytes_max=self._limits.body_bytes)
        if not decoder.done:
            pieces, rest = decoder.feed(rest) if rest else ([], b"")
            body.put(pieces, complete=decoder.done)
        else:
            body.complete = True
        self._body = body
        self._ahead = rest
        if decoder.done:
            self._deadline.lift()
        else:
            self._decoder = decoder
            self._body_since = self._loop.time()
            self._body_bytes = 0
            self._deadline.set(self._limits.body_s)
        self._task = self._loop.create_task(self._handle(head, ServerRequest(head, body)))

    def _feed_body(self, data: bytes) -> bytes:
        """Hand on what belongs to the body; the rest."""
        assert self._decoder is not None
        assert self._body is not None
        try:
            pieces, rest = self._decoder.feed(data)
        except Refused as refused:
            self._break_body(refused)
            return b""
        self._body_bytes += len(data) - len(rest)
        if self._decoder.done:
            self._decoder = None
            self._deadline.lift()
            self._body.put(pieces, complete=True)
        else:
            self._body.put(pieces, complete=False)
        self._pace_reading()
        return rest

    def _break_body(self, refused: Refused) -> None:
        """The rest of the body is of no use: its reader is told, and nothing more is read as a request."""
        self._decoder = None
        if self._body is not None:
            self._body.fail(refused)

    def _send_continue(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(encoding.CONTINUE)

    def _pace_reading(self) -> None:
        held = len(self._ahead) + (self._body.held_bytes if self._body is not None else 0)
        reading = held <= self._limits.window_bytes
        if reading == self._reading or self._transport.is_closing():
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # -- an answer goes out -------------------------------------------------------------------------------------------

    async def _handle(self, head: RequestHead, request: ServerRequest) -> None:
        try:
            await self._exchange(head, request)
        except Disconnected:
            pass
        except Exception:
            _log.exception("an answer could not be sent")
            self._transport.abort()

    async def _exchange(self, head: RequestHead, request: ServerRequest) -> None:
        answer = await self._answer(head, request)
        keep = head.keep_alive and not self._server.is_closing
        # While an answer streams the rest of the body may yet be read, so only at its end can we tell.
        keep_promised = keep and (self._body_has_arrived() or not isinstance(answer.body, bytes))
        await self._send(head, answer, keep=keep_promised)
        if self._drained is not None:
            await self._wait_until_drained()
        self._task = None
        if not self._leaving:
            self._next(keep=keep and self._body_has_arrived())

    def _body_has_arrived(self) -> bool:
        return self._body is not None and self._body.complete

    async def _answer(self, head: RequestHead, request: ServerRequest) -> Response:
        if head.expect not in _EXPECTATIONS:
            return self._server.render(_UNEXPECTED)
        try:
            return await self._server.handler(request)
        except Refused as refused:
            return self._server.render(refused)
        except Disconnected:
            self._transport.abort()
            raise
        except Exception:
            _log.exception("a handler failed")
            return self._server.render(Refused(500, "an internal error happened"))

    async def _send(self, head: RequestHead, answer: Response, *, keep: bool) -> None:
        if isinstance(answer.body, bytes):
            if not self._transport.is_closing():
                self._send_whole(head, answer, answer.body, keep=keep)
            return
        async with _closing(answer.body):
            if self._transport.is_closing():
                return
            framing = _framing(head, answer, keep=keep)
            self._transport.write(encoding.response_head(answer.status, answer.headers, framing))
            if not _is_bodiless(head, answer):
                await self._send_stream(
                    answer.body, chunked=framing.startswith(b"transfer-encoding"), length=answer.content_length
                )

    def _send_whole(self, head: RequestHead, answer: Response, body: bytes, *, keep: bool) -> None:
        start = encoding.response_head(answer.status, answer.headers, _framing(head, answer, keep=keep))
        if not body or _is_bodiless(head, answer):
            self._transport.write(start)
        elif len(body) <= _JOIN_BYTES_MAX:
            self._transport.write(start + body)
        else:
            self._transport.write(start)
            self._transport.write(body)

    async def _send_stream(self, body: AsyncIterator[bytes], *, chunked: bool, length: int | None) -> None:
        sent = 0
        try:
            async for piece in body:
                if not piece:
                    continue
                sent += len(piece)
                if length is not None and sent > length:
                    break
                self._transport.write(encoding.chunk(piece) if chunked else piece)
                if self._drained is not None:
                    await self._wait_until_drained()
        except asyncio.CancelledError:
            self._transport.abort()
            raise
        except Exception as error:
            # The answer has begun, so its status cannot change: cut it, that nobody takes it for whole.
            _log.warning("an answer was cut: %s", error)
            self._transport.abort()
            raise Disconnected("the answer was cut") from error
        if length is not None and sent != length:
            _log.error("an answer was cut: its length was given as %d and is not", length)
            self._transport.abort()
            raise Disconnected("the answer was cut")
        if chunked:
            self._transport.write(encoding.LAST_CHUNK)

    async def _wait_until_drained(self) -> None:
        self._deadline.set(self._limits.body_s)
        if self._drained is not None:
            await self._drained
        self._deadline.lift()

    def _next(self, *, keep: bool) -> None:
        if not keep:
            self._leave()
            return
        self._body = None
        ahead, self._ahead = self._ahead, b""
        self._pace_reading()
        if ahead:
            self._read_head(ahead)
        else:
            self._deadline.set(self._limits.idle_s)

    # -- the end ------------------------------------------------------------------------------------------------------

    def _refuse(self, refused: Refused) -> None:
        answer = self._server.render(refused)
        body = cast(bytes, answer.body)
        framing = b"content-length: %d\r\nconnection: close\r\n" % len(body)
        self._transport.write(encoding.response_head(answer.status, answer.headers, framing) + body)
        self._leave()

    def _leave(self) -> None:
        """End our side, and close when the peer has ended its own, or after a moment.

        Closing while bytes of the peer are on their way would reset the connection, and the peer lose the answer.
        """
        self._leaving = True
        self._body = None
        self._ahead = b""
        self._pace_reading()
        if not self._transport.is_closing():
            self._transport.write_eof()
            self._deadline.set(self._limits.linger_s)

    def _expire(self) -> None:
        if self._leaving or self._drained is not None:
            self._transport.abort()
        elif self._decoder is not None:
            self._expire_body()
        elif self._heads:
            self._refuse(Refused(408, "the head did not arrive in time"))
        elif self._task is None:
            self._transport.close()

    def _expire_body(self) -> None:
        """Time a body by its average rate, and not while it is us who do not read it."""
        allowed_s = self._limits.body_s + self._body_bytes / self._limits.body_rate
        left_s = allowed_s - (self._loop.time() - self._body_since)
        if not self._reading:
            self._deadline.set(self._limits.body_s)
        elif left_s > 0:
            self._deadline.set(left_s)
        else:
            self._break_body(Refused(408, "the body did not arrive in time"))


def _is_bodiless(head: RequestHead, answer: Response) -> bool:
    return head.method == b"HEAD" or answer.status in _BODILESS


def _framing(head: RequestHead, answer: Response, *, keep: bool) -> bytes:
    """The fields that say where the answer ends and whether the connection stays."""
    if answer.status in _BODILESS:
        framing = b""
    elif answer.content_length is not None:
        framing = b"content-length: %d\r\n" % answer.content_length
    elif isinstance(answer.body, bytes):
        framing = b"content-length: %d\r\n" % len(answer.body)
    elif head.http_11:
        framing = b"transfer-encoding: chunked\r\n"
    else:
        return b"connection: close\r\n"
    if not keep:
        return framing + b"connection: close\r\n"
    return framing if head.http_11 else framing + b"connection: keep-alive\r\n"


@contextlib.asynccontextmanager
async def _closing(body: AsyncIterator[bytes]) -> AsyncIterator[None]:
    """Close a generator for certain, also one that was never begun or is left half way."""
    try:
        yield
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
