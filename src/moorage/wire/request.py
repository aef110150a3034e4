"""A request as the server's handler sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from moorage.wire.body import Body
from moorage.wire.heads import RequestHead
from moorage.wire.messages import BodyTooLarge, HeaderList


class ServerRequest:
    """A valid head, and a body that arrives while the handler runs. See `messages.Request`."""

    __slots__ = ("_body", "content_length", "headers", "method", "path", "query", "target")

    def __init__(self, head: RequestHead, body: Body) -> None:
        self.method = head.method
        self.target = head.target
        self.path, _, self.query = head.target.partition(b"?")
        self.headers: HeaderList = head.headers
        self.content_length = head.content_length
        self._body = body

    def header(self, name: bytes) -> bytes | None:
        """The first value of `name` (lower case)."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises BodyTooLarge, before asking the client to go on if the length is known; WireError."""
        if self.content_length is not None and self.content_length > limit:
            raise BodyTooLarge
        return await self._body.read(limit)

    def stream(self) -> AsyncIterator[bytes]:
        """The body piece by piece. Raises WireError."""
        return self._body.stream()
