"""The client: keeps connections to upstreams on Unix sockets and sends requests over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from moorage.wire import encoding
from moorage.wire.answer import Answer
from moorage.wire.limits import Limits
from moorage.wire.messages import HeaderList, NotSent
from moorage.wire.upstream import UpstreamConnection

_CONNECT_S = 1.0
_DEFAULT_HEADERS: HeaderList = [(b"Host", b"localhost")]
_LENGTHLESS = frozenset({b"GET", b"HEAD", b"DELETE", b"OPTIONS"})


class Client:
    """A pool of connections by address (the path of a Unix socket). The last one used is the first used again.

    `idle_s` must be shorter than what the upstreams allow, so that it is us who close.
    """

    def __init__(self, *, limits: Limits | None = None, idle_s: float = 30.0, idle_max: int = 64) -> None:
        self._limits = limits or Limits()
        self._idle_s = idle_s
        self._idle_max = idle_max
        self._idle: dict[str, list[UpstreamConnection]] = {}
        self._address_of: dict[UpstreamConnection, str] = {}

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
        chunked = not isinstance(body, bytes) and content_length is None
        head = encoding.request_head(
            method, target, _DEFAULT_HEADERS if headers is None else headers, _framing(method, body, content_length)
        )
        connection = self._take_idle(address) or await self._connect(address)
        expects = any(name == b"expect" for name, _ in headers or ())
        answer = connection.send(method, head, body, chunked=chunked, expects=expects, head_s=head_s, total_s=total_s)
        try:
            return await answer
        except asyncio.CancelledError:
            connection.abort()
            raise

    def close(self) -> None:
        """Drop every connection and whatever is going on with it."""
        for connection in tuple(self._address_of):
            connection.abort()

    def _take_idle(self, address: str) -> UpstreamConnection | None:
        idle = self._idle.get(address)
        while idle:
            connection = idle.pop()
            if connection.is_usable:
                return connection
        return None

    async def _connect(self, address: str) -> UpstreamConnection:
        loop = asyncio.get_running_loop()

        def make() -> UpstreamConnection:
            return UpstreamConnection(loop, self._limits, on_free=self._keep, on_lost=self._forget)

        try:
            async with asyncio.timeout(_CONNECT_S):
                _, connection = await loop.create_unix_connection(make, address)
        except (OSError, TimeoutError) as error:
            raise NotSent(f"{address} does not accept connections") from error
        self._address_of[connection] = address
        return connection

    def _keep(self, connection: UpstreamConnection) -> None:
        idle = self._idle.setdefault(self._address_of[connection], [])
        if len(idle) >= self._idle_max:
            connection.abort()
            return
        idle.append(connection)
        connection.rest(self._idle_s)

    def _forget(self, connection: UpstreamConnection) -> None:
        address = self._address_of.pop(connection, None)
        idle = self._idle.get(address, []) if address is not None else []
        if connection in idle:
            idle.remove(connection)
        if address is not None and not idle:
            self._idle.pop(address, None)


def _framing(method: bytes, body: bytes | AsyncIterator[bytes], content_length: int | None) -> bytes:
    if content_length is not None:
        return b"content-length: %d\r\n" % content_length
    if not isinstance(body, bytes):
        return b"transfer-encoding: chunked\r\n"
    if not body and method in _LENGTHLESS:
        return b""
    return b"content-length: %d\r\n" % len(body)
