"""Content on its way in: from a stream to a durable blob, hashed and checked as it passes, a batch at a time.

The next batch is asked for when the last one is with the kernel, so memory holds one batch whatever the object's size,
and a slow disk slows the sender.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from moorage.objects import checksums
from moorage.objects.blob_files import BlobWriter
from moorage.objects.blobs import BlobFolder
from moorage.objects.checksums import Algorithm, Checksum
from moorage.objects.errors import Reason, Rejected, StorageUnavailable
from moorage.objects.index import Index, free_if_unnamed
from moorage.objects.records import Blob
from moorage.objects.workers import Workers

P = ParamSpec("P")
T = TypeVar("T")

BATCH_BYTES = 1024 * 1024
OBJECT_BYTES_MAX = 5 * 1024**3
"""Of one request, as S3 has it; more goes up in parts."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Payload:
    """Bytes on their way, and what their sender says they are."""

    stream: bytes | AsyncIterator[bytes]
    size: int | None = None
    md5: str | None = None
    """In base64."""
    algorithm: Algorithm | None = None
    """Of the checksum that `promised` answers."""
    promised: Callable[[], str | None] = lambda: None
    """The checksum in base64; asked for after the last byte, because it may travel behind the content."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Content that has arrived: a durable blob that no row names yet."""

    blob: Blob
    md5: str
    """In hexadecimal: the entity tag of a plain write."""
    checksum: Checksum


class Intake:
    """Takes content in."""

    def __init__(self, blobs: BlobFolder, *, index: Index, files: Workers) -> None:
        self._blobs = blobs
        self._index = index
        self._files = files

    @asynccontextmanager
    async def receive(self, payload: Payload, *, keep: Algorithm, is_sealed: bool) -> AsyncIterator[Taken]:
        """The content as a blob, for a context that commits a row naming it; without one the blob is removed.

        `keep` is the checksum to answer, whichever the sender gave. Raises Rejected(MD5_MISMATCH, CHECKSUM_MISMATCH,
        SIZE_MISMATCH, TOO_LARGE), StorageUnavailable, and whatever the stream raises.
        """
        writer = await self._on_disk(self._blobs.create_sealed if is_sealed else self._blobs.create)
        try:
            meter = await self._drain(payload, writer, keep)
            taken = Taken(await self._on_disk(writer.finish), meter.md5(), meter.checksum(keep))
        except BaseException:
            await self._give_up(writer)
            raise
        try:
            yield taken
        except BaseException:
            await self._index.run(free_if_unnamed(taken.blob.id))
            raise

    async def _drain(self, payload: Payload, writer: BlobWriter, keep: Algorithm) -> _Meter:
        meter = _Meter({keep, payload.algorithm or keep})
        async for batch in _batches(payload.stream):
            if writer.size + len(batch) > OBJECT_BYTES_MAX:
                raise Rejected(Reason.TOO_LARGE, maximum=OBJECT_BYTES_MAX)
            await self._on_disk(_absorb, writer, meter, batch)
        _check(payload, meter, writer.size)
        return meter

    async def _on_disk(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._files.run(work, *args, **kwargs)
        except OSError as error:
            raise StorageUnavailable(error.strerror or str(error)) from error

    async def _give_up(self, writer: BlobWriter) -> None:
        try:
            await self._files.run(writer.discard)
        except OSError as error:
            _log.warning("blob %s stays until the next start: %s", writer.blob_id, error)


class _Meter:
    """What is measured of content while it passes."""

    def __init__(self, algorithms: set[Algorithm]) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._running = {algorithm: checksums.start(algorithm) for algorithm in algorithms}

    def update(self, data: bytes) -> None:
        self._md5.update(data)
        for running in self._running.values():
            running.update(data)

    def md5(self) -> str:
        return self._md5.hexdigest()

    def checksum(self, algorithm: Algorithm) -> Checksum:
        return Checksum(algorithm, checksums.encode(self._running[algorithm].digest()))


def _absorb(writer: BlobWriter, meter: _Meter, batch: bytes) -> None:
    meter.update(batch)
    writer.write(batch)


def _check(payload: Payload, meter: _Meter, size: int) -> None:
    if payload.size is not None and payload.size != size:
        raise Rejected(Reason.SIZE_MISMATCH, expected=payload.size, received=size)
    md5 = checksums.encode(bytes.fromhex(meter.md5()))
    if payload.md5 is not None and payload.md5 != md5:
        raise Rejected(Reason.MD5_MISMATCH, expected=payload.md5, computed=md5)
    promised = payload.promised()
    if payload.algorithm is None or promised is None:
        return
    computed = meter.checksum(payload.algorithm).value
    if promised != computed:
        raise Rejected(Reason.CHECKSUM_MISMATCH, algorithm=payload.algorithm, expected=promised, computed=computed)


async def _batches(stream: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(stream, bytes):
        yield stream
        return
    held: list[bytes] = []
    held_bytes = 0
    async for chunk in stream:
        held.append(chunk)
        held_bytes += len(chunk)
        if held_bytes >= BATCH_BYTES:
            yield b"".join(held)
            held, held_bytes = [], 0
    if held:
        yield b"".join(held)
