"""Blobs: files of content under random names, written to the side and moved into place once they are durable.

    incoming/<id>        being written; emptied at start
    blobs/<ab>/<id>      whole and synced; swept at start if the index does not know it

Everything here blocks and runs in the store's file threads.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from moorage.objects.blob_files import BlobReader, BlobWriter, PlainBlobReader, SealedBlobReader, SealedBlobWriter
from moorage.objects.disk import Disk
from moorage.objects.errors import Damaged
from moorage.objects.records import Blob
from moorage.objects.sealing import SegmentCipher, ServerKey, new_data_key
from moorage.system.entropy import new_secret


class BlobFolder:
    """The folder of blobs. A blob that is pinned is kept until its last pin is gone, retired or not."""

    def __init__(self, folder: Path, *, disk: Disk, server_key: ServerKey) -> None:
        self._incoming = folder / "incoming"
        self._blobs = folder / "blobs"
        self._disk = disk
        self._server_key = server_key
        self._lock = threading.Lock()
        self._pins: Counter[str] = Counter()
        self._retired: set[str] = set()

    def prepare(self) -> None:
        """Make the folders, closed to other users, and clear away what was being written when the process ended."""
        self._blobs.parent.mkdir(parents=True, exist_ok=True)
        self._blobs.parent.chmod(0o700)  # the folder around it may be somebody's own, and open to all
        self._incoming.mkdir(exist_ok=True)
        for byte in range(256):
            (self._blobs / f"{byte:02x}").mkdir(parents=True, exist_ok=True)
        self._disk.sync_folder(self._blobs)
        self._disk.sync_folder(self._blobs.parent)
        for path in self._incoming.iterdir():
            self._disk.remove(path)

    def sweep(self, is_known: Callable[[str], bool]) -> int:
        """Remove the blobs that `is_known` denies, and answer how many there were."""
        orphans = [path for path in self._blobs.glob("??/*") if not is_known(path.name)]
        for path in orphans:
            self._disk.remove(path)
        return len(orphans)

    def create(self) -> BlobWriter:
        """A new blob, written as it comes."""
        blob_id = new_secret(16).hex()
        return BlobWriter(blob_id, self._incoming / blob_id, self._path(blob_id), disk=self._disk)

    def create_sealed(self) -> BlobWriter:
        """A new blob, encrypted with a key of its own."""
        blob_id = new_secret(16).hex()
        data_key = new_data_key()
        wrapped = self._server_key.wrap(blob_id, data_key)
        incoming = self._incoming / blob_id
        return SealedBlobWriter(
            blob_id, incoming, self._path(blob_id), disk=self._disk, cipher=SegmentCipher(data_key), wrapped_key=wrapped
        )

    def open(self, blob: Blob) -> BlobReader:
        """Raises Damaged if the blob is gone or its key does not fit."""
        try:
            descriptor = os.open(self._path(blob.id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise Damaged(f"blob {blob.id} is gone") from None
        if blob.wrapped_key is None:
            return PlainBlobReader(descriptor)
        try:
            return SealedBlobReader(descriptor, blob.size, self._server_key.unwrap(blob.id, blob.wrapped_key))
        except Damaged:
            os.close(descriptor)
            raise

    def pin(self, blob_ids: Sequence[str]) -> None:
        """Keep blobs for a reader."""
        with self._lock:
            self._pins.update(blob_ids)

    def unpin(self, blob_ids: Sequence[str]) -> None:
        """A reader is done. Removes what was retired meanwhile."""
        for blob_id in self._drop_pins(blob_ids):
            self._disk.remove(self._path(blob_id))

    def retire(self, blob_ids: Sequence[str]) -> None:
        """Remove blobs that the index no longer names, now or when their readers are done."""
        with self._lock:
            pinned = {blob_id for blob_id in blob_ids if blob_id in self._pins}
            self._retired |= pinned
        for blob_id in blob_ids:
            if blob_id not in pinned:
                self._disk.remove(self._path(blob_id))

    def _drop_pins(self, blob_ids: Sequence[str]) -> list[str]:
        with self._lock:
            removable = []
            for blob_id in blob_ids:
                self._pins[blob_id] -= 1
                if self._pins[blob_id] > 0:
                    continue
                del self._pins[blob_id]
                if blob_id in self._retired:
                    self._retired.discard(blob_id)
                    removable.append(blob_id)
            return removable

    def _path(self, blob_id: str) -> Path:
        return self._blobs / blob_id[:2] / blob_id
