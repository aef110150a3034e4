"""Passing a container's answer on to the caller, or saying what is wrong with it, where it is not all here at once.

Unless it is to stream, an answer is held back until it is complete or has outgrown a window: while it is held, its
failure still gets a status of its own. A longer one streams as well; if it then fails half way, the caller's connection
is cut, and the answer never completed falsely.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from moorage.core.traffic import Outcome
from moorage.gateway.containers import FAILURE
from moorage.gateway.errors import ORIGINAL_MESSAGE_BYTES_MAX, PAYLOAD_BYTES_MAX, ModelErrors, of_platform
from moorage.gateway.form import Form
from moorage.gateway.stream import Events, OnEnd, Pieces
from moorage.gateway.target_models import REFUSAL
from moorage.wire.answer import Answer
from moorage.wire.messages import BadAnswer, NoAnswer, Response, WireError

HELD_BYTES_MAX: Final = 65_536


async def relay(answer: Answer, fields: bytes, *, form: Form, blame: ModelErrors, on_end: OnEnd) -> Response:
    """The answer for the caller, with `fields` in its head.

    If its body streams, `on_end` is called when the caller has had it or has left. Raises ServiceError for whatever is
    the model's fault.
    """
    if not 200 <= answer.status < 300:
        raise await _refused(answer, blame)
    if form is not Form.WHOLE:
        return await _stream(answer, fields, form=form, blame=blame, on_end=on_end)
    try:
        if answer.content_length is not None and answer.content_length > PAYLOAD_BYTES_MAX:
            raise BadAnswer("the answer is larger than an invocation may return")
        return await _hold_or_stream(answer, fields, on_end)
    except NoAnswer as error:
        raise blame.timed_out() from error
    except WireError as error:
        answer.close()
        raise blame.broke(str(error)) from error


async def _stream(answer: Answer, fields: bytes, *, form: Form, blame: ModelErrors, on_end: OnEnd) -> Response:
    pieces = Pieces(answer, on_end)
    await pieces.begin(blame)
    if form is Form.EVENTS:
        return Response(200, fields, Events(pieces, blame))
    return Response(200, fields, pieces, content_length=answer.content_length)


async def _hold_or_stream(answer: Answer, fields: bytes, on_end: OnEnd) -> Response:
    stream = answer.stream()
    held: list[bytes] = []
    size = 0
    async for piece in stream:
        held.append(piece)
        size += len(piece)
        if size > HELD_BYTES_MAX:
            rest = _Rest(b"".join(held), stream, answer=answer, on_end=on_end)
            return Response(200, fields, rest, content_length=answer.content_length)
    return Response(200, fields, b"".join(held))


async def _refused(answer: Answer, blame: ModelErrors) -> Exception:
    """The ModelError for an answer that is not success; its connection is kept only if the whole of it is here."""
    said = b""
    try:
        async for piece in answer.stream():
            said += piece
            if len(said) >= ORIGINAL_MESSAGE_BYTES_MAX:
                break
    except WireError:
        return blame.answer_cut(answer.status)
    finally:
        answer.close()
    text = said[:ORIGINAL_MESSAGE_BYTES_MAX].decode("utf-8", "replace")
    text = "".join(c if c.isprintable() or c in "\t\n" else "\ufffd" for c in text)
    if blame.is_of_front and FAILURE in answer.fields:
        return blame.timed_out() if answer.fields[FAILURE] == b"late" else blame.broke(text)
    if blame.is_of_many_models and REFUSAL in answer.fields:
        return of_platform(answer.fields[REFUSAL], text)
    return blame.answered(answer.status, text)


class _Rest:
    """The rest of a long answer."""

    def __init__(self, held: bytes, stream: AsyncIterator[bytes], *, answer: Answer, on_end: OnEnd) -> None:
        self._held = held
        self._stream = stream
        self._answer = answer
        self._on_end = on_end
        self._outcome = Outcome.ABANDONED
        self._size = 0

    def __aiter__(self) -> _Rest:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece, self._held = self._held or await anext(self._stream), b""
        except StopAsyncIteration:
            self._outcome = Outcome.SUCCESS
            raise
        except WireError:
            self._outcome = Outcome.NO_ANSWER
            raise
        self._size += len(piece)
        if self._size > PAYLOAD_BYTES_MAX:
            self._outcome = Outcome.NO_ANSWER
            raise BadAnswer("the answer is larger than an invocation may return")
        return piece

    async def aclose(self) -> None:
        """The caller has had it, or has left."""
        self._answer.close()
        self._on_end(self._outcome, self._size)
