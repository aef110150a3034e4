"""Between ASGI and the protocols' requests and responses: bytes in, bytes out, nothing held that need not be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from moorage.aws.http import Headers, HttpRequest, HttpResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientGone(Exception):
    """The client went away before its request was complete: there is nobody to answer."""


class Body:
    """A request's body, read from the server only as fast as it is used. `length` is None for a chunked one."""

    def __init__(self, receive: Receive, *, length: int | None) -> None:
        self.length = length
        self.is_complete = length == 0
        self._receive = receive

    async def pieces(self) -> AsyncIterator[bytes]:
        """What is left of the body, piece by piece. Raises ClientGone."""
        while not self.is_complete:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            self.is_complete = not message.get("more_body", False)
            if message.get("body"):
                yield message["body"]

    async def discard(self, limit: int, *, seconds: float) -> None:
        """Throw away what is still coming, up to `limit` bytes and `seconds`. Raises ClientGone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for piece in self.pieces():
                    limit -= len(piece)
                    if limit < 0:
                        return


def read_head(scope: Scope) -> HttpRequest:
    """The request of an ASGI scope, its body still to come."""
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return HttpRequest(
        method=scope["method"],
        path=path.decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=Headers(headers),
    )


def declared_length(request: HttpRequest) -> int | None:
    """The body's length by its head, which the server has checked: None for a chunked body, 0 where there is none."""
    if "transfer-encoding" in request.headers:
        return None
    return int(request.headers.get("content-length") or 0)


async def send_response(response: HttpResponse, *, receive: Receive, send: Send) -> None:
    """Send `response`. A streaming body is taken as fast as the client reads, and closed when it ends or leaves.

    What the stream raises is raised: the response must then be left unfinished, so that the client sees it cut off.
    """
    if (
        isinstance(response.body, bytes)
        and "content-length" not in response.headers
        and response.status not in (204, 304)
    ):
        response.headers.set("Content-Length", str(len(response.body)))
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if isinstance(response.body, bytes):
        await send({"type": "http.response.body", "body": response.body})
        return
    await _send_stream(response.body, receive=receive, send=send)


async def _send_stream(body: AsyncIterator[bytes], *, receive: Receive, send: Send) -> None:
    sending = asyncio.ensure_future(_pump(body, send))
    leaving = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        sending.cancel()
        leaving.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()


async def _pump(body: AsyncIterator[bytes], send: Send) -> None:
    async for piece in body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
