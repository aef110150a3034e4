"""The object store as a whole: opened on a folder, swept, used, closed.

    index.db         which objects there are (see `schema`)
    blobs/, incoming/  their content (see `blobs`)

A write is a blob made durable and then a row committed; a delete is a row committed and then a blob removed. Whatever a
crash leaves between the two is a blob that no row names, and the next start sweeps it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from moorage.objects.blobs import BlobFolder
from moorage.objects.buckets import Buckets
from moorage.objects.disk import Disk, SystemDisk
from moorage.objects.index import Index, Transaction, is_named
from moorage.objects.intake import Intake
from moorage.objects.objects import Objects
from moorage.objects.sealing import load_server_key
from moorage.objects.uploads import Uploads
from moorage.objects.workers import Workers
from moorage.system.clock import Clock

_FILE_THREADS = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """An open object store. One process at a time may have it open."""

    buckets: Buckets
    objects: Objects
    uploads: Uploads
    index: Index
    files: Workers

    async def close(self) -> None:
        """Wait for what is under way and let the folder go."""
        await self.index.close()
        self.files.close()


async def open_object_store(folder: Path, *, key_path: Path, clock: Clock, disk: Disk | None = None) -> ObjectStore:
    """Open the store in `folder`, making what is missing, and remove what a crash has left half done.

    `key_path` is the file of the key that wraps data keys. Raises OSError, ValueError (a folder or key that is not
    ours), StorageUnavailable.
    """
    files = Workers("objects-files", _FILE_THREADS)
    index_path = folder / "index.db"
    server_key = await files.run(load_server_key, key_path, index=index_path)
    blobs = BlobFolder(folder, disk=disk or SystemDisk(), server_key=server_key)
    index = Index(index_path, on_freed=lambda blob_ids: files.post(blobs.retire, blob_ids))
    await files.run(blobs.prepare)
    await index.open()
    await index.run(lambda transaction: _sweep(transaction, blobs))
    intake = Intake(blobs, index=index, files=files)
    return ObjectStore(
        buckets=Buckets(index, clock=clock),
        objects=Objects(index, blobs, intake=intake, files=files, clock=clock),
        uploads=Uploads(index, intake=intake, clock=clock),
        index=index,
        files=files,
    )


def _sweep(transaction: Transaction, blobs: BlobFolder) -> None:
    removed = blobs.sweep(lambda blob_id: is_named(transaction, blob_id))
    if removed:
        _log.info("removed %d blobs that belonged to nothing", removed)
