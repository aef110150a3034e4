"""Objects: put, open, look at, delete, tag and list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from moorage.objects import bucket_rows, listing, version_rows
from moorage.objects.blobs import BlobFolder
from moorage.objects.checksums import Algorithm
from moorage.objects.conditions import UNCONDITIONAL, WriteCondition, check_write
from moorage.objects.index import Index, Transaction
from moorage.objects.intake import Intake, Payload
from moorage.objects.listing import Listing, Selection
from moorage.objects.reading import OpenObject
from moorage.objects.records import NO_ATTRIBUTES, NULL_VERSION, Attributes, Bucket, Extent, ObjectVersion, Versioning
from moorage.objects.version_rows import Draft
from moorage.objects.workers import Workers
from moorage.system.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """What to delete: a version, or the object as a whole, which leaves a delete marker where versions are kept."""

    key: str
    version_id: str | None = None
    condition: WriteCondition = UNCONDITIONAL


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a delete did. `version_id` is that of the version removed or of the delete marker made, if any."""

    key: str
    version_id: str | None
    is_delete_marker: bool
    """Whether that version is a delete marker."""


class Objects:
    """The objects of all buckets. Every method raises Rejected(NO_SUCH_BUCKET) and StorageUnavailable."""

    def __init__(self, index: Index, blobs: BlobFolder, *, intake: Intake, files: Workers, clock: Clock) -> None:
        self._index = index
        self._blobs = blobs
        self._intake = intake
        self._files = files
        self._clock = clock

    async def put(
        self,
        bucket: str,
        key: str,
        *,
        payload: Payload,
        attributes: Attributes = NO_ATTRIBUTES,
        condition: WriteCondition = UNCONDITIONAL,
        is_sealed: bool | None = None,
    ) -> ObjectVersion:
        """Write an object; it is durable and visible, whole, when this answers. `is_sealed` None: as the bucket has it.

        Raises Rejected for content that is not what its sender says, and for an unmet condition.
        """
        found = await self._index.run(lambda transaction: bucket_rows.get(transaction, bucket))
        sealed = found.seals_by_default if is_sealed is None else is_sealed
        keep = payload.algorithm or Algorithm.CRC64NVME
        async with self._intake.receive(payload, keep=keep, is_sealed=sealed) as taken:
            draft = Draft(
                key=key,
                modified_at=self._clock.now(),
                size=taken.blob.size,
                etag=taken.md5,
                checksum=taken.checksum,
                is_sealed=sealed,
                attributes=attributes,
                extents=[Extent(1, taken.blob, None)],
            )
            return await self._index.run(lambda transaction: write(transaction, bucket, draft, condition=condition))

    async def find(self, bucket: str, key: str, version_id: str | None = None) -> ObjectVersion:
        """Look at an object. Raises Rejected(NO_SUCH_KEY, NO_SUCH_VERSION, DELETED, IS_DELETE_MARKER)."""
        return await self._in_bucket(bucket, lambda tx, found: version_rows.get(tx, found, key, version_id))

    async def examine(
        self, bucket: str, key: str, version_id: str | None = None
    ) -> tuple[ObjectVersion, Sequence[Extent]]:
        """Look at an object and the pieces it is made of. Raises as `find`."""

        def work(transaction: Transaction, found: Bucket) -> tuple[ObjectVersion, Sequence[Extent]]:
            version = version_rows.get(transaction, found, key, version_id)
            return version, version_rows.extents_of(transaction, version.seq)

        return await self._in_bucket(bucket, work)

    async def open(self, bucket: str, key: str, version_id: str | None = None) -> OpenObject:
        """Open an object for reading. Raises as `find`."""

        def work(transaction: Transaction, found: Bucket) -> OpenObject:
            version = version_rows.get(transaction, found, key, version_id)
            extents = version_rows.extents_of(transaction, version.seq)
            # In the index's thread, so that no delete comes between the look and the pin.
            self._blobs.pin([extent.blob.id for extent in extents])
            return OpenObject(version, extents, blobs=self._blobs, files=self._files)

        return await self._in_bucket(bucket, work)

    async def delete(self, bucket: str, target: Target) -> Deletion:
        """Delete an object or a version of it; no error if there is none. Raises Rejected for an unmet condition."""
        return await self._index.run(lambda transaction: self._delete(transaction, bucket, target))

    async def delete_many(self, bucket: str, targets: Sequence[Target]) -> Sequence[Deletion]:
        """Delete all, unconditionally, in one transaction."""
        return await self._index.run(
            lambda transaction: [self._delete(transaction, bucket, target) for target in targets]
        )

    async def set_tags(
        self, bucket: str, key: str, *, version_id: str | None = None, tags: Mapping[str, str]
    ) -> ObjectVersion:
        """Put `tags` in the place of all that are there, and answer whose they are. Raises as `find`."""

        def work(transaction: Transaction, found: Bucket) -> ObjectVersion:
            version = version_rows.get(transaction, found, key, version_id)
            version_rows.set_tags(transaction, version, tags)
            return version

        return await self._in_bucket(bucket, work)

    async def list(self, selection: Selection, *, after: str = "") -> Listing[ObjectVersion]:
        """A page of current objects, behind the key or stem `after`."""
        return await self._index.run(lambda transaction: listing.list_objects(transaction, selection, after=after))

    async def list_versions(
        self, selection: Selection, *, after_key: str = "", after_version: str | None = None
    ) -> Listing[ObjectVersion]:
        """A page of versions and delete markers, newest first within a key."""
        return await self._index.run(
            lambda transaction: listing.list_versions(
                transaction, selection, after_key=after_key, after_version=after_version
            )
        )

    async def _in_bucket(self, bucket: str, work: Callable[[Transaction, Bucket], T]) -> T:
        return await self._index.run(lambda transaction: work(transaction, bucket_rows.get(transaction, bucket)))

    def _delete(self, transaction: Transaction, bucket_name: str, target: Target) -> Deletion:
        bucket = bucket_rows.get(transaction, bucket_name)
        current = version_rows.find(transaction, bucket, target.key, target.version_id)
        check_write(target.key, current, target.condition)
        if target.version_id is not None or bucket.versioning is Versioning.OFF:
            version_id = target.version_id or NULL_VERSION
            removed = version_rows.remove(transaction, bucket, target.key, version_id)
            return Deletion(target.key, target.version_id, removed is not None and removed.is_delete_marker)
        draft = Draft(key=target.key, modified_at=self._clock.now(), is_delete_marker=True)
        marker = version_rows.add(transaction, bucket, draft)
        return Deletion(target.key, marker.version_id, is_delete_marker=True)


def write(transaction: Transaction, bucket_name: str, draft: Draft, *, condition: WriteCondition) -> ObjectVersion:
    """Write a version if the condition holds. Raises Rejected(NO_SUCH_BUCKET, PRECONDITION_FAILED, NO_SUCH_KEY)."""
    bucket = bucket_rows.get(transaction, bucket_name)
    check_write(draft.key, version_rows.find(transaction, bucket, draft.key), condition)
    return version_rows.add(transaction, bucket, draft)
