"""Answers that a model makes piece by piece: what its generators yield, as a body for the wire.

Every step of a generator runs in the model's own thread, in turn with other requests: a long stream holds up nobody for
longer than one step takes. An asynchronous generator runs on the instance's event loop, which `/ping` needs as well: it
has to await what takes long.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from typing import Any, Final, TypeGuard

from moorage.runtime.failures import attempt_in, fault_of

Pieces = Iterator[Any] | AsyncIterator[Any]
"""Of text or bytes; whatever else comes out of it breaks the answer."""

_END: Final = object()


def is_stream(result: object) -> TypeGuard[Pieces]:
    """Whether what a hook returned is to be asked for its pieces, and not itself the answer."""
    return isinstance(result, Iterator | AsyncIterator)


async def open_stream(pieces: Pieces, worker: Executor) -> Stream:
    """The body, with its first piece made: what fails before it can still be answered with a status."""
    steps = pieces if isinstance(pieces, AsyncIterator) else _Steps(pieces, worker)
    try:
        first = _as_bytes(await anext(steps, b""))
    except BaseException:
        await _close(steps)
        raise
    return Stream(first, steps)


class Stream:
    """A body on its way out. What the model raises is written to its log and cuts the answer."""

    __slots__ = ("_first", "_steps")

    def __init__(self, first: bytes, steps: AsyncIterator[Any]) -> None:
        self._first = first
        self._steps = steps

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        try:
            return _as_bytes(await anext(self._steps))
        except (StopAsyncIteration, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            fault = fault_of(error)
            traceback.print_exception(fault)
            raise fault  # noqa: B904 # it has its cause

    async def aclose(self) -> None:
        """The caller has had it, or has left: let the generator clean up."""
        await _close(self._steps)


class _Steps:
    """An iterator whose steps run one at a time in `worker`."""

    __slots__ = ("_iterator", "_worker")

    def __init__(self, iterator: Iterator[Any], worker: Executor) -> None:
        self._iterator = iterator
        self._worker = worker

    def __aiter__(self) -> _Steps:
        return self

    async def __anext__(self) -> Any:
        step = await attempt_in(self._worker, self._step)
        if step is _END:
            raise StopAsyncIteration
        return step

    def _step(self) -> Any:
        return next(self._iterator, _END)

    async def aclose(self) -> None:
        # In the worker as well: a step that is still running there cannot be interrupted.
        close = getattr(self._iterator, "close", None)
        if close is not None:
            await attempt_in(self._worker, close)


async def _close(steps: AsyncIterator[Any]) -> None:
    """Close what can be closed. By now nobody is left to tell of a fault but the log."""
    close = getattr(steps, "aclose", None)
    if close is None:
        return
    try:
        await close()
    except Exception:
        traceback.print_exc()


def _as_bytes(piece: object) -> bytes:
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece)
    raise TypeError(f"A streamed answer is made of text or bytes, not of {type(piece).__name__}")
