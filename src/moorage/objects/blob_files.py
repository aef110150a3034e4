"""The two forms a blob has on the disk, plain and sealed, each with its writer and its reader. Everything blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from moorage.objects.disk import Disk
from moorage.objects.errors import Damaged
from moorage.objects.records import Blob
from moorage.objects.sealing import SEALED_SEGMENT_BYTES, SEGMENT_BYTES, SegmentCipher


class BlobReader(Protocol):
    """An open blob."""

    def read(self, start: int, size: int) -> bytes:
        """`size` bytes of content from `start`, which must lie inside. Raises Damaged, OSError."""
        ...

    def close(self) -> None: ...


class BlobWriter:
    """A blob being written. Ends with `finish` or `discard`."""

    def __init__(self, blob_id: str, incoming: Path, final: Path, *, disk: Disk) -> None:
        self.blob_id = blob_id
        self.size = 0
        self._incoming = incoming
        self._final = final
        self._disk = disk
        self._descriptor: int | None = disk.create(incoming)

    def write(self, data: bytes) -> None:
        """Append content. Raises OSError."""
        self.size += len(data)
        self._put(data)

    def finish(self) -> Blob:
        """Make the blob durable under its name. The index may name it from here on. Raises OSError."""
        assert self._descriptor is not None
        self._disk.sync(self._descriptor)
        self._close()
        self._disk.rename(self._incoming, self._final)
        self._disk.sync_folder(self._final.parent)
        return Blob(self.blob_id, self.size)

    def discard(self) -> None:
        """Remove what was written, finished or not."""
        self._close()
        self._disk.remove(self._incoming)
        self._disk.remove(self._final)

    def _put(self, data: bytes) -> None:
        assert self._descriptor is not None
        self._disk.write(self._descriptor, data)

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class SealedBlobWriter(BlobWriter):
    """Encrypts on the way. Holds back up to a segment, for the last one is sealed differently."""

    def __init__(
        self, blob_id: str, incoming: Path, final: Path, *, disk: Disk, cipher: SegmentCipher, wrapped_key: bytes
    ) -> None:
        super().__init__(blob_id, incoming, final, disk=disk)
        self._cipher = cipher
        self._wrapped_key = wrapped_key
        self._held = b""
        self._number = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)
        held = self._held + data
        whole = max(len(held) - 1, 0) // SEGMENT_BYTES * SEGMENT_BYTES
        self._held = held[whole:]
        self._put(b"".join(self._seal(held[at : at + SEGMENT_BYTES]) for at in range(0, whole, SEGMENT_BYTES)))

    def finish(self) -> Blob:
        self._put(self._cipher.seal(self._number, self._held, is_last=True))
        plain = super().finish()
        return Blob(plain.id, plain.size, self._wrapped_key)

    def _seal(self, segment: bytes) -> bytes:
        sealed = self._cipher.seal(self._number, segment, is_last=False)
        self._number += 1
        return sealed


class PlainBlobReader:
    """Reads a blob that is on the disk as it came."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, start: int, size: int) -> bytes:
        return _read_exactly(self._descriptor, start, size)

    def close(self) -> None:
        os.close(self._descriptor)


class SealedBlobReader:
    """Reads and checks the segments that a range touches, and no others."""

    def __init__(self, descriptor: int, size: int, data_key: bytes) -> None:
        self._descriptor = descriptor
        self._size = size
        self._cipher = SegmentCipher(data_key)
        self._last = max(size - 1, 0) // SEGMENT_BYTES

    def read(self, start: int, size: int) -> bytes:
        if size == 0:
            return b""
        first, last = start // SEGMENT_BYTES, (start + size - 1) // SEGMENT_BYTES
        opened = b"".join(self._segments(first, last))
        skip = start - first * SEGMENT_BYTES
        return opened[skip : skip + size]

    def close(self) -> None:
        os.close(self._descriptor)

    def _segments(self, first: int, last: int) -> Iterator[bytes]:
        for number in range(first, last + 1):
            plain_bytes = min(SEGMENT_BYTES, self._size - number * SEGMENT_BYTES)
            sealed_bytes = plain_bytes + SEALED_SEGMENT_BYTES - SEGMENT_BYTES
            sealed = _read_exactly(self._descriptor, number * SEALED_SEGMENT_BYTES, sealed_bytes)
            yield self._cipher.open(number, sealed, is_last=number == self._last)


def _read_exactly(descriptor: int, start: int, size: int) -> bytes:
    data = os.pread(descriptor, size, start)
    while len(data) < size:
        more = os.pread(descriptor, size - len(data), start + len(data))
        if not more:
            raise Damaged("a blob is shorter than the index says")
        data += more
    return data
