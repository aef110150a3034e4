"""An upstream's answer as its caller sees it."""

from __future__ import annotations

from typing import Protocol

from moorage.wire.body import Body
from moorage.wire.heads import ResponseHead
from moorage.wire.messages import BadAnswer, BodyTooLarge, HeaderList


class Abortable(Protocol):
    """The connection an answer comes on."""

    def abort(self) -> None:
        """Drop it."""
        ...


class Answer:
    """A valid head, and a body that is here or arrives while it is read.

    Read the body to its end or `close` the answer: an unread one holds its connection.
    """

    __slots__ = ("_body", "_connection", "content", "content_length", "fields", "headers", "status")

    def __init__(self, head: ResponseHead, content: bytes | None, body: Body | None, connection: Abortable) -> None:
        self.status = head.status
        self.headers: HeaderList = head.headers
        self.fields = head.fields
        """The headers by name; of a repeated one the last."""
        self.content_length = head.content_length if head.content_length != -1 else None
        """None if only the end of the body tells its length."""
        self.content = content
        """The whole body, if it came with the head; then its connection is free already."""
        self._body = body
        self._connection = connection

    @property
    def is_complete(self) -> bool:
        """Whether the whole body is here."""
        return self._body is None or self._body.complete

    def header(self, name: bytes) -> bytes | None:
        """The first value of `name` (lower case)."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises BadAnswer if it exceeds `limit` bytes; WireError."""
        if self.content_length is not None and self.content_length > limit:
            self.close()
            raise BadAnswer("the answer is too large")
        if self._body is None:
            return self.content or b""
        try:
            return await self._body.read(limit)
        except BodyTooLarge as error:
            raise BadAnswer("the answer is too large") from error
        finally:
            self.close()

    def stream(self) -> AnswerStream:
        """The body piece by piece. Raises WireError."""
        return AnswerStream(self, self._body)

    def close(self) -> None:
        """Give up what has not arrived. Does nothing once the body is complete."""
        if self._body is not None and not self._body.complete:
            self._connection.abort()


class AnswerStream:
    """An answer's body. Not a generator, because closing one that was never begun would not close the answer."""

    __slots__ = ("_answer", "_body", "_content")

    def __init__(self, answer: Answer, body: Body | None) -> None:
        self._answer = answer
        self._body = body
        self._content = answer.content or b""

    def __aiter__(self) -> AnswerStream:
        return self

    async def __anext__(self) -> bytes:
        piece = b""
        try:
            piece = await self._next()
        finally:
            if not piece:
                self._answer.close()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Close the answer."""
        self._answer.close()

    async def _next(self) -> bytes:
        if self._body is not None:
            return await self._body.next()
        content, self._content = self._content, b""
        return content
