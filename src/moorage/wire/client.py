"""The client: sends requests to upstreams on Unix sockets, for callers that wait for each answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

from moorage.wire import encoding
from moorage.wire.answer import Answer
from moorage.wire.limits import Limits
from moorage.wire.messages import HeaderList, WireError
from moorage.wire.pool import Pool
from moorage.wire.upstream import UpstreamConnection

_DEFAULT_HEADERS: HeaderList = [(b"Host", b"localhost")]
_LENGTHLESS = frozenset({b"GET", b"HEAD", b"DELETE", b"OPTIONS"})


class Client:
    """A pool of connections for each address (the path of a Unix socket, unless `dial` makes connections, see `Pool`).

    `idle_s` must be shorter than what the upstreams allow, so that it is us who close.
    """

    def __init__(
        self, *, limits: Limits | None = None, idle_s: float = 30.0, dial: Callable[[], socket.socket] | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._idle_s = idle_s
        self._dial = dial
        self._pools: dict[str, Pool] = {}

    async def request(
        self,
        address: str,
        method: bytes,
        target: bytes,
        *,
        headers: HeaderList | None = None,
        body: bytes | AsyncIterator[bytes] = b"",
        content_length: int | None = None,
        head_s: float = 60.0,
        total_s: float | None = None,
    ) -> Answer:
        """Send a request and return its answer once the head is there.

        `headers` hold Host, but neither framing nor connection fields. A streaming body goes out chunked, or with
        `content_length` if it is given, and not before the upstream has said 100 if `headers` hold an Expect. `head_s`
        limits the wait for the head, beginning when the last of the body has been taken, `total_s` the whole exchange.
        Raises NotSent, NoAnswer, BadAnswer, Disconnected, and what the body's iterator raises as WireError.
        """
        head = encoding.request_head(
            method, target, _DEFAULT_HEADERS if headers is None else headers, _framing(method, body, content_length)
        )
        pool = self._pool(address)
        connection = pool.take() or await pool.connect()
        waiter = _Waiter(asyncio.get_running_loop().create_future())
        if isinstance(body, bytes):
            connection.send(waiter, method, head, body, head_s=head_s, total_s=total_s)
        else:
            expects = any(name == b"expect" for name, _ in headers or ())
            chunked = content_length is None
            connection.send_stream(
                waiter, method, head, body, chunked=chunked, expects=expects, head_s=head_s, total_s=total_s
            )
        try:
            return await waiter.answer
        except asyncio.CancelledError:
            waiter.give_up(connection)
            raise

    def close(self) -> None:
        """Drop every connection and whatever is going on with it."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, address: str) -> Pool:
        pool = self._pools.get(address)
        if pool is None:
            for old in [old for old, each in self._pools.items() if each.is_empty]:
                del self._pools[old]
            pool = self._pools[address] = Pool(address, self._limits, idle_s=self._idle_s, dial=self._dial)
        return pool


class _Waiter:
    """Turns an answer into a future's result."""

    __slots__ = ("answer",)

    def __init__(self, answer: asyncio.Future[Answer]) -> None:
        self.answer = answer

    def on_answer(self, answer: Answer) -> None:
        if self.answer.done():
            answer.close()
        else:
            self.answer.set_result(answer)

    def on_failure(self, error: WireError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def give_up(self, connection: UpstreamConnection) -> None:
        """Nobody waits any more. If the answer has come already, the connection may be serving another request."""
        if self.answer.cancelled():
            connection.abort()
        elif self.answer.exception() is None:
            self.answer.result().close()


def _framing(method: bytes, body: bytes | AsyncIterator[bytes], content_length: int | None) -> bytes:
    if content_length is not None:
        return b"content-length: %d\r\n" % content_length
    if not isinstance(body, bytes):
        return b"transfer-encoding: chunked\r\n"
    if not body and method in _LENGTHLESS:
        return b""
    return b"content-length: %d\r\n" % len(body)
