"""An instance's answer on its way to the caller piece by piece: as AWS's event stream, or as it comes.

What fails before the first piece is here fails like any other invocation, with a status of its own. After that, an
event stream ends in order with a message that says what happened; an answer as it comes has no room for one, so its
connection is cut: never is an answer completed falsely. Nothing is read ahead of the caller beyond the wire's windows,
and neither the bytes nor the pieces of an answer are counted: what bounds it is time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from moorage.aws import eventstream
from moorage.aws.errors import ServiceError
from moorage.core.traffic import Outcome
from moorage.gateway import errors
from moorage.gateway.errors import ModelErrors
from moorage.wire.answer import Answer
from moorage.wire.deadline import Deadline
from moorage.wire.messages import NoAnswer, WireError

STREAM_S: Final = 480.0
"""How long a streamed answer may take in all; the service's own limit (recalled)."""
IDLE_S: Final = 60.0
"""How long a model may be silent, between its head and its first piece or between two: as long as it has to begin an
answer. One that hangs half way would otherwise keep its caller for eight minutes."""
PART_BYTES_MAX: Final = 65_536

_PART: Final = eventstream.event_headers("PayloadPart", "application/octet-stream")

_log = logging.getLogger(__name__)


OnEnd = Callable[[Outcome, int], None]
"""Told what has become of an answer, and how many bytes of it have been passed on."""


class Pieces:
    """The pieces of an answer as they come. `on_end` is called once, when the caller has had them or has left."""

    __slots__ = (
        "_answer",
        "_deadline",
        "_ends_at",
        "_first",
        "_is_late",
        "_loop",
        "_on_end",
        "_outcome",
        "_size",
        "_stream",
    )

    def __init__(self, answer: Answer, on_end: OnEnd) -> None:
        self._answer = answer
        self._stream = answer.stream()
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._deadline = Deadline(self._loop, self._expire)
        self._ends_at = self._loop.time() + STREAM_S
        self._is_late = False
        self._first = b""
        self._outcome = Outcome.ABANDONED
        self._size = 0

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        piece = await self.take()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Give up what has not come: the model is told at once that nobody wants it."""
        self._close()
        self._on_end(self._outcome, self._size)

    async def begin(self, blame: ModelErrors) -> None:
        """Wait for the first piece. Raises ServiceError for what is the model's fault; then `on_end` is not called."""
        try:
            self._first = await self._take()
        except BaseException as error:
            self._close()
            if isinstance(error, NoAnswer):
                raise blame.timed_out() from error
            if isinstance(error, WireError):
                raise blame.broke(str(error)) from error
            raise

    async def take(self) -> bytes:
        """The next piece; empty at the end. Raises WireError."""
        try:
            piece, self._first = self._first or await self._take(), b""
        except WireError:
            self._outcome = Outcome.NO_ANSWER
            raise
        self._size += len(piece)
        if not piece:
            self._outcome = Outcome.SUCCESS
        return piece

    async def _take(self) -> bytes:
        self._deadline.set(min(IDLE_S, self._left_s()))
        try:
            return await anext(self._stream, b"")
        except WireError as error:
            if self._is_late:
                raise NoAnswer("the model was silent for too long, or has taken too long in all") from error
            raise
        finally:
            self._deadline.set(self._left_s())  # the caller may be slow, but not for ever

    def _left_s(self) -> float:
        return self._ends_at - self._loop.time()

    def _close(self) -> None:
        self._deadline.cancel()
        self._answer.close()

    def _expire(self) -> None:
        self._is_late = True
        self._answer.close()


class Events:
    """The same as an event stream, each piece a message at once."""

    __slots__ = ("_blame", "_is_over", "_pieces", "_rest")

    def __init__(self, pieces: Pieces, blame: ModelErrors) -> None:
        self._pieces = pieces
        self._blame = blame
        self._rest = memoryview(b"")
        self._is_over = False

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> bytes:
        if not self._rest:
            if self._is_over:
                raise StopAsyncIteration
            try:
                self._rest = memoryview(await self._pieces.take())
            except Exception as error:
                self._is_over = True
                return _last_message(_reason(error, self._blame))
            if not self._rest:
                raise StopAsyncIteration
        part, self._rest = self._rest[:PART_BYTES_MAX], self._rest[PART_BYTES_MAX:]
        return eventstream.message(_PART, part)

    async def aclose(self) -> None:
        """Close the pieces."""
        await self._pieces.aclose()


def _reason(error: Exception, blame: ModelErrors) -> ServiceError:
    if isinstance(error, NoAnswer):
        return blame.stream_timed_out()
    if isinstance(error, WireError):
        return blame.stream_broke(str(error))
    _log.error("a stream failed", exc_info=error)
    return errors.internal_stream_failure()


def _last_message(error: ServiceError) -> bytes:
    return eventstream.exception(error.code, {"Message": error.message, **error.members})
