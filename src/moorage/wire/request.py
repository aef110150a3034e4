"""A request as the server's handler sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from moorage.wire.body import Body
from moorage.wire.messages import BodyTooLarge, HeaderList


class ServerRequest:
    """A valid head, and a body that is here or arrives while the handler runs. See `messages.Request`."""

    __slots__ = (
        "body",
        "content",
        "content_length",
        "expect",
        "fields",
        "headers",
        "http_11",
        "keep_alive",
        "method",
        "path",
        "query",
        "target",
    )

    def __init__(
        self,
        method: bytes,
        target: bytes,
        headers: HeaderList,
        fields: Mapping[bytes, bytes],
        *,
        content_length: int | None,
        http_11: bool,
        keep_alive: bool,
        expect: bytes | None,
    ) -> None:
        self.method = method
        self.target = target
        self.path, _, self.query = target.partition(b"?")
        self.headers = headers
        self.fields: Mapping[bytes, bytes] = fields
        self.content_length = content_length
        self.http_11 = http_11
        self.keep_alive = keep_alive
        self.expect = expect
        """The header's value in lower case."""
        self.content: bytes | None = None
        self.body: Body | None = None
        """Set by the connection unless `content` is."""

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
        if self.content is not None:
            return self.content
        assert self.body is not None
        return await self.body.read(limit)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body piece by piece. Raises WireError."""
        if self.content is not None:
            yield self.content
            return
        assert self.body is not None
        while piece := await self.body.next():
            yield piece

    @property
    def has_arrived(self) -> bool:
        """Whether nothing more of the body is to come."""
        return self.content is not None or (self.body is not None and self.body.complete)
