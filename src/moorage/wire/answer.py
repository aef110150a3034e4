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
    """A valid head, and a body that arrives while it is read.

    Read the body to its end or `close` the answer: an unread one holds its connection.
    """

    __slots__ = ("_body", "_connection", "content_length", "headers", "status")

    def __init__(self, head: ResponseHead, body: Body, connection: Abortable) -> None:
        self.status = head.status
        self.headers: HeaderList = head.headers
        self.content_length = head.content_length if head.content_length != -1 else None
        """None if only the end of the body tells its length."""
        self._body = body
        self._connection = connection

    @property
    def is_complete(self) -> bool:
        """Whether the whole body is here."""
        return self._body.complete

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
            raise BadAnswer("the upstream's answer is too large")
        try:
            return await self._body.read(limit)
        except BodyTooLarge as error:
            raise BadAnswer("the upstream's answer is too large") from error
        finally:
            self.close()

    def stream(self) -> AnswerStream:
        """The body piece by piece. Raises WireError."""
        return AnswerStream(self, self._body)

    def close(self) -> None:
        """Give up what has not arrived. Does nothing once the body is complete."""
        if not self._body.complete:
            self._connection.abort()


class AnswerStream:
    """An answer's body. Not a generator, because closing one that was never begun would not close the answer."""

    __slots__ = ("_answer", "_body")

    def __init__(self, answer: Answer, body: Body) -> None:
        self._answer = answer
        self._body = body

    def __aiter__(self) -> AnswerStream:
        return self

    async def __anext__(self) -> bytes:
        piece = b""
        try:
            piece = await self._body.next()
        finally:
            if not piece:
                self._answer.close()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Close the answer."""
        self._answer.close()
