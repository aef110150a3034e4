"""The outgoing half of a connection to a client: one answer at a time, whole or piece by piece.

Whatever cannot be sent as promised ends with the connection being cut, so that nobody takes a part for the whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from typing import Protocol, cast

from moorage.wire import encoding
from moorage.wire.deadline import Deadline
from moorage.wire.draining import Draining
from moorage.wire.limits import Limits
from moorage.wire.messages import Begin, Cancellable, Disconnected, Refused, Response
from moorage.wire.request import ServerRequest

_log = logging.getLogger(__name__)

_BODILESS = frozenset({204, 304})
# Below this an answer's head and body leave in one write; above, joining them would cost more than a second write.
_JOIN_BYTES_MAX = 65_536

Render = Callable[[Refused], Response]
"""What a refusal looks like. The body must be bytes."""


class Owner(Protocol):
    """What a connection needs of its server."""

    begin: Begin
    render: Render
    limits: Limits
    loop: asyncio.AbstractEventLoop
    is_closing: bool
    idle_s: float
    """How long a connection may rest now."""
    held_bytes: int
    """What all connections hold of bodies on their way and of requests sent ahead."""

    def admit(self, connection: Replying) -> bool:
        """Register a new connection; whether there is room for it."""
        ...

    def forget(self, connection: Replying) -> None:
        """A connection is gone."""
        ...


class Replying(Draining):
    """A connection that can answer the request it has taken. See `messages.Reply`."""

    __slots__ = (
        "_cancellable",
        "_deadline",
        "_has_begun",
        "_leaving",
        "_limits",
        "_request",
        "_sender",
        "_server",
        "_transport",
    )

    def __init__(self, server: Owner) -> None:
        super().__init__(server.loop)
        self._server = server
        self._limits = server.limits
        self._deadline = Deadline(self._loop, self._expire)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._request: ServerRequest | None = None
        """The request being answered."""
        self._cancellable: Cancellable | None = None
        self._sender: asyncio.Task[None] | None = None
        self._has_begun = False
        """Whether the sender has: a task that is cancelled before never runs, and so closes nothing."""
        self._leaving = False

    @abstractmethod
    def retire(self, idle_s: float) -> None:
        """Close as soon as that cuts off no request."""

    @abstractmethod
    def _finish(self, *, keep: bool) -> None:
        """An answer is out: go on with the next request, or leave."""

    @abstractmethod
    def _after_draining(self) -> None:
        """The client has taken what was waiting for it, and the deadline is free for something else."""

    @abstractmethod
    def _expire(self) -> None:
        """The deadline has passed."""

    @property
    def is_handling(self) -> bool:
        """Whether a request is being handled."""
        return self._request is not None

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()

    def respond(self, response: Response) -> None:
        """See `messages.Reply`."""
        request = self._request
        body = response.body
        self._cancellable = None
        if not isinstance(body, bytes):
            self._has_begun = False
            self._sender = self._loop.create_task(self._stream(request, response, body))
            return
        if self._leaving or request is None:
            return
        keep = request.keep_alive and not self._server.is_closing and request.has_arrived
        if not self._transport.is_closing():
            try:
                self._send_whole(request, response, body, keep=keep)
            except ValueError:  # a field that would break out of its line
                _log.exception("an answer could not be sent")
                self._transport.abort()
                return
        if self._drained is not None:
            self._has_begun = True
            self._sender = self._loop.create_task(self._finish_when_drained(keep=keep))
        else:
            self._finish(keep=keep)

    def _give_up_sending(self) -> None:
        """The client has left. An answer in pieces that is not begun yet finds out by itself."""
        if self._sender is not None and self._has_begun:
            self._sender.cancel()

    def _send_whole(self, request: ServerRequest, answer: Response, body: bytes, *, keep: bool) -> None:
        framing = _framing(request, answer, keep=keep)
        if answer.status in _BODILESS or request.method == b"HEAD":
            body = b""
        if len(body) <= _JOIN_BYTES_MAX:
            self._transport.write(encoding.response(answer.status, answer.headers, framing, body))
        else:
            self._transport.write(encoding.response(answer.status, answer.headers, framing, b""))
            self._transport.write(body)

    async def _stream(self, request: ServerRequest | None, answer: Response, body: AsyncIterator[bytes]) -> None:
        """Send an answer piece by piece. Its iterator is closed for certain, also one that was never begun."""
        self._has_begun = True
        try:
            async with _closing(body):
                if request is None or self._leaving or self._transport.is_closing():
                    return
                # The rest of the request's body may yet be read meanwhile, so only at the end can we tell.
                keep = request.keep_alive and not self._server.is_closing and _has_end(request, answer)
                framing = _framing(request, answer, keep=keep)
                self._transport.write(encoding.response(answer.status, answer.headers, framing, b""))
                if answer.status not in _BODILESS and request.method != b"HEAD":
                    chunked = framing.startswith(b"transfer-encoding")
                    await self._send_stream(body, chunked=chunked, length=answer.content_length)
        except Disconnected:
            return
        except Exception:
            _log.exception("an answer could not be sent")
            self._transport.abort()
            return
        await self._finish_when_drained(keep=keep)

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
        unsent = self._transport.get_write_buffer_size()
        self._deadline.set(self._limits.body_s + unsent / self._limits.body_rate)
        if self._drained is not None:
            await self._drained
        self._deadline.lift()
        self._after_draining()

    async def _finish_when_drained(self, *, keep: bool) -> None:
        if self._drained is not None:
            await self._wait_until_drained()
        self._finish(keep=keep and self._request is not None and self._request.keep_alive)


def _has_end(request: ServerRequest, answer: Response) -> bool:
    """Whether the client can tell where the answer ends if the connection stays."""
    return request.http_11 or answer.content_length is not None or answer.status in _BODILESS


def _framing(request: ServerRequest, answer: Response, *, keep: bool) -> bytes:
    """The fields that say where the answer ends and whether the connection stays."""
    if answer.status in _BODILESS:
        framing = b""
    elif answer.content_length is not None:
        framing = b"content-length: %d\r\n" % answer.content_length
    elif isinstance(answer.body, bytes):
        framing = b"content-length: %d\r\n" % len(answer.body)
    elif request.http_11:
        framing = b"transfer-encoding: chunked\r\n"
    else:
        return b"connection: close\r\n"
    if not keep:
        return framing + b"connection: close\r\n"
    return framing if request.http_11 else framing + b"connection: keep-alive\r\n"


@contextlib.asynccontextmanager
async def _closing(body: AsyncIterator[bytes]) -> AsyncIterator[None]:
    """Close a generator for certain, also one that was never begun or is left half way."""
    try:
        yield
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
