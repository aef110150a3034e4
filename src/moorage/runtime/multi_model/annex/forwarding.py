"""The way of one request to the annex and of its answer back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from moorage.runtime.replies import render
from moorage.wire import encoding
from moorage.wire.answer import Answer, AnswerStream
from moorage.wire.messages import HeaderList, Refused, Reply, Request, Response, WireError
from moorage.wire.pool import Pool
from moorage.wire.upstream import UpstreamConnection

_HOST: Final = (b"Host", b"localhost")
_OURS: Final = encoding.HOP_BY_HOP | {b"host", b"content-length", b"expect"}
"""Fields that are written anew on each connection."""
_PATIENCE_S: Final = 24 * 3600.0
"""The gateway knows how long a caller waits, and closes its connection then."""


class Forwarding:
    """One request on its way. `on_end` is called once, when the annex has no more to do with it."""

    __slots__ = ("_answer", "_connection", "_going_on", "_on_end", "_pool", "_reply", "_request", "_target")

    def __init__(self, pool: Pool, target: bytes, request: Request, reply: Reply, on_end: Callable[[], None]) -> None:
        self._pool = pool
        self._target = target
        self._request = request
        self._reply = reply
        self._on_end: Callable[[], None] | None = on_end
        self._connection: UpstreamConnection | None = None
        """Until its answer begins: afterwards it may be another request's."""
        self._answer: Answer | None = None
        self._going_on: asyncio.Task[None] | None = None

    def begin(self, body_bytes_max: int) -> Forwarding:
        """Send it, as soon as all of it is here and there is a connection."""
        content = self._request.content
        connection = self._pool.take() if content is not None else None
        if connection is not None and content is not None:
            self._send(connection, content)
        else:
            self._going_on = asyncio.get_running_loop().create_task(self._collect(body_bytes_max))
        return self

    def cancel(self) -> None:
        """See `wire.messages.Cancellable`."""
        if self._going_on is not None:
            self._going_on.cancel()
        if self._connection is not None:
            self._connection.abort()
        if self._answer is not None:
            self._answer.close()
        self.end()

    def on_answer(self, answer: Answer) -> None:
        """See `wire.upstream.Receiver`."""
        self._connection = None
        fields = [field for field in answer.headers if field[0] not in _OURS]
        if answer.content is not None:
            self.end()
            self._reply.respond(Response(answer.status, fields, answer.content))
        else:
            self._answer = answer
            held = _Held(answer.stream(), self)
            self._reply.respond(Response(answer.status, fields, held, content_length=answer.content_length))

    def on_failure(self, _error: WireError) -> None:
        """See `wire.upstream.Receiver`."""
        self._connection = None
        self.end()
        self._reply.abort()

    def end(self) -> None:
        """The annex has no more to do with it."""
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()

    async def _collect(self, body_bytes_max: int) -> None:
        try:
            body = await self._request.read(body_bytes_max)
            connection = self._pool.take() or await self._pool.connect()
        except Refused as refused:
            self.end()
            self._reply.respond(render(refused))
        except WireError as error:
            self.on_failure(error)
        else:
            self._send(connection, body)

    def _send(self, connection: UpstreamConnection, body: bytes) -> None:
        self._connection = connection
        fields: HeaderList = [_HOST, *(field for field in self._request.headers if field[0] not in _OURS)]
        head = encoding.request_head(b"POST", self._target, fields, b"content-length: %d\r\n" % len(body))
        connection.send(self, b"POST", head, body, head_s=_PATIENCE_S, total_s=None)


class _Held:
    """A body that comes in pieces: the model is at it until the caller has had all of it, or has left."""

    def __init__(self, stream: AnswerStream, forwarding: Forwarding) -> None:
        self._stream = stream
        self._forwarding = forwarding

    def __aiter__(self) -> _Held:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._stream)

    async def aclose(self) -> None:
        """The caller has had it, or has left."""
        await self._stream.aclose()
        self._forwarding.end()
