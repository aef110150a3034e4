"""Where model data may be read from, as one port: the object store of this Moorage, or an S3 endpoint elsewhere."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO, Protocol

from moorage.objects.errors import Damaged, Reason, Rejected
from moorage.objects.model_urls import ObjectLocation
from moorage.objects.reading import ObjectStream
from moorage.objects.store import ObjectStore


class Unreadable(Exception):
    """The object cannot be read, and asking again will not help. `str` says why, in words that end a sentence."""


class Changed(Exception):
    """The object is not the one it was a moment ago: look at it again."""


class Unreachable(Exception):
    """The place cannot be asked now; later it may."""


class ModelSource(Protocol):
    """A place to read objects from. Its methods raise Unreachable."""

    async def has_bucket(self, bucket: str) -> bool:
        """Whether to look here for the objects of `bucket`."""
        ...

    async def etag(self, location: ObjectLocation) -> str:
        """The entity tag of the object, without quotation marks. Raises Unreadable."""
        ...

    async def download(self, location: ObjectLocation, etag: str, path: Path) -> str:
        """Write the object to the new file `path` and answer its SHA-256. Raises Unreadable, Changed, OSError."""
        ...


class EmbeddedSource:
    """The object store of this Moorage."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def has_bucket(self, bucket: str) -> bool:
        try:
            await self._store.buckets.find(bucket)
        except Rejected:
            return False
        return True

    async def etag(self, location: ObjectLocation) -> str:
        try:
            version = await self._store.objects.find(location.bucket, location.key)
        except Rejected as rejected:
            raise Unreadable(_why(rejected)) from rejected
        return version.etag

    async def download(self, location: ObjectLocation, etag: str, path: Path) -> str:
        try:
            opened = await self._store.objects.open(location.bucket, location.key)
        except Rejected as rejected:
            raise Unreadable(_why(rejected)) from rejected
        if opened.version.etag != etag:
            opened.close()
            raise Changed
        try:
            return await self._write(opened.stream(0, opened.version.size), path)
        except Damaged as damaged:
            raise Unreadable(str(damaged)) from damaged

    async def _write(self, stream: ObjectStream, path: Path) -> str:
        digest = hashlib.sha256()
        files = self._store.files
        file = await files.run(path.open, "xb")
        try:
            async for piece in stream:
                await files.run(_absorb, file, digest, piece)
        finally:
            await stream.aclose()
            await files.run(file.close)
        return digest.hexdigest()


def _absorb(file: BinaryIO, digest: hashlib._Hash, piece: bytes) -> None:
    digest.update(piece)
    file.write(piece)


def _why(rejected: Rejected) -> str:
    if rejected.reason is Reason.NO_SUCH_BUCKET:
        return "the bucket does not exist"
    return "the object does not exist"
