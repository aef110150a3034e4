"""Content on its way out: an open object, whose blobs stay for as long as it is open, and the stream of a range."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

from moorage.objects.blobs import BlobFolder
from moorage.objects.records import Blob, Extent, ObjectVersion
from moorage.objects.workers import Workers

READ_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class _Span:
    """A range inside one blob."""

    blob: Blob
    start: int
    size: int


class OpenObject:
    """An object that can be read to its end whatever is written meanwhile. To be closed, or streamed and closed so."""

    def __init__(self, version: ObjectVersion, extents: Sequence[Extent], *, blobs: BlobFolder, files: Workers) -> None:
        self.version = version
        self.extents = extents
        self._blobs = blobs
        self._files = files
        self._is_open = True

    def stream(self, start: int, size: int) -> ObjectStream:
        """`size` bytes from `start`, which must lie inside. The stream closes the object at its end."""
        return ObjectStream(self._pieces(start, size), self.close)

    def close(self) -> None:
        """Let the blobs go."""
        if self._is_open:
            self._is_open = False
            self._files.post(self._blobs.unpin, [extent.blob.id for extent in self.extents])

    async def _pieces(self, start: int, size: int) -> AsyncGenerator[bytes, None]:
        for span in _spans(self.extents, start, size):
            reader = await self._files.run(self._blobs.open, span.blob)
            try:
                for at in range(0, span.size, READ_BYTES):
                    yield await self._files.run(reader.read, span.start + at, min(READ_BYTES, span.size - at))
            finally:
                reader.close()


class ObjectStream(AsyncIterator[bytes]):
    """Pieces of content. Closing it, before the first piece or after any, lets the object go."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], close: Callable[[], None]) -> None:
        self._pieces = pieces
        self._close = close

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except BaseException:
            self._close()
            raise

    async def aclose(self) -> None:
        await self._pieces.aclose()
        self._close()


def _spans(extents: Sequence[Extent], start: int, size: int) -> Iterator[_Span]:
    end = start + size
    at = 0
    for extent in extents:
        first, last = max(start, at), min(end, at + extent.blob.size)
        if first < last:
            yield _Span(extent.blob, first - at, last - first)
        at += extent.blob.size
