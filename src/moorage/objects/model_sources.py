"""Where model data may be read from, as one port: the object store of this Moorage, or an S3 endpoint elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from moorage.objects.download import Download
from moorage.objects.errors import Damaged, Reason, Rejected
from moorage.objects.listing import Selection
from moorage.objects.model_urls import ObjectLocation
from moorage.objects.records import ObjectVersion
from moorage.objects.store import ObjectStore

_PAGE = 1000


class Unreadable(Exception):
    """It cannot be read, and asking again will not help. `str` says why, in words that end a sentence."""


class Changed(Exception):
    """The object is not the one it was a moment ago: look at it again."""


class Unreachable(Exception):
    """The place cannot be asked now; later it may."""


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object as a look at it found it."""

    location: ObjectLocation
    etag: str
    """Without quotation marks."""
    size: int


class ModelSource(Protocol):
    """A place to read objects from. Its methods raise Unreachable."""

    async def has_bucket(self, bucket: str) -> bool:
        """Whether to look here for the objects of `bucket`."""
        ...

    async def look(self, location: ObjectLocation) -> FoundObject:
        """The object as it is now. Raises Unreadable."""
        ...

    async def list(self, prefix: ObjectLocation, *, limit: int) -> Sequence[FoundObject]:
        """The first `limit` objects whose keys begin with the prefix, in the order of keys. Raises Unreadable."""
        ...

    async def download(self, found: FoundObject, download: Download) -> None:
        """Write the object from `download.size` to its end. Raises Unreadable, Changed, Abandoned, OSError.

        After Unreachable it may be called again with the same download.
        """
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

    async def look(self, location: ObjectLocation) -> FoundObject:
        try:
            return _found(await self._store.objects.find(location.bucket, location.key))
        except Rejected as rejected:
            raise Unreadable(_why(rejected)) from rejected

    async def list(self, prefix: ObjectLocation, *, limit: int) -> Sequence[FoundObject]:
        found: list[FoundObject] = []
        is_truncated = True
        try:
            while is_truncated and len(found) < limit:
                selection = Selection(prefix.bucket, prefix.key, limit=min(_PAGE, limit - len(found)))
                after = found[-1].location.key if found else ""
                page = await self._store.objects.list(selection, after=after)
                found += map(_found, page.rows)
                is_truncated = page.is_truncated
        except Rejected as rejected:
            raise Unreadable(_why(rejected)) from rejected
        return found

    async def download(self, found: FoundObject, download: Download) -> None:
        try:
            opened = await self._store.objects.open(found.location.bucket, found.location.key)
        except Rejected as rejected:
            raise Unreadable(_why(rejected)) from rejected
        if opened.version.etag != found.etag:
            opened.close()
            raise Changed
        stream = opened.stream(download.size, found.size - download.size)
        try:
            async for piece in stream:
                await self._store.files.run(download.write, piece)
        except Damaged as damaged:
            raise Unreadable(str(damaged)) from damaged
        finally:
            await stream.aclose()


def _found(version: ObjectVersion) -> FoundObject:
    return FoundObject(ObjectLocation(version.bucket.name, version.key), version.etag, version.size)


def _why(rejected: Rejected) -> str:
    if rejected.reason is Reason.NO_SUCH_BUCKET:
        return "the bucket does not exist"
    return "the object does not exist"
