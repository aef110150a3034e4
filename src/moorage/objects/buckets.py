"""Buckets: made, looked at, emptied and removed, with what is set on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moorage.objects import bucket_rows
from moorage.objects.index import Index
from moorage.objects.records import Bucket, Versioning
from moorage.system.clock import Clock


class Buckets:
    """All buckets. Every method on a named bucket raises Rejected(NO_SUCH_BUCKET), and all raise StorageUnavailable."""

    def __init__(self, index: Index, *, clock: Clock) -> None:
        self._index = index
        self._clock = clock

    async def create(self, name: str, region: str) -> Bucket:
        """Raises Rejected(BUCKET_EXISTS)."""
        bucket = Bucket(name, region, self._clock.now())
        await self._index.run(lambda transaction: bucket_rows.add(transaction, bucket))
        return bucket

    async def find(self, name: str) -> Bucket:
        """Look at a bucket."""
        return await self._index.run(lambda transaction: bucket_rows.get(transaction, name))

    async def list(self, *, prefix: str, after: str, region: str | None, limit: int) -> Sequence[Bucket]:
        """Up to `limit` buckets by name, behind `after`; of one region, or of all if None."""
        return await self._index.run(
            lambda transaction: bucket_rows.page(transaction, prefix=prefix, after=after, region=region, limit=limit)
        )

    async def delete(self, name: str) -> None:
        """Remove an empty bucket and the uploads under way in it. Raises Rejected(BUCKET_NOT_EMPTY)."""
        await self._index.run(lambda transaction: bucket_rows.remove(transaction, name))

    async def set_versioning(self, name: str, versioning: Versioning) -> None:
        """Keep what is overwritten from now on, or pause doing so."""
        await self._index.run(lambda transaction: bucket_rows.set_versioning(transaction, name, versioning))

    async def set_sealing(self, name: str, seals_by_default: bool) -> None:
        """Encrypt what is written from now on without a word about it, or do not. What is there stays as it is."""
        await self._index.run(lambda transaction: bucket_rows.set_sealing(transaction, name, seals_by_default))

    async def document(self, name: str, kind: str) -> Any:
        """A JSON-ready document kept with the bucket. Raises Rejected(NO_SUCH_DOCUMENT)."""
        return await self._index.run(lambda transaction: bucket_rows.document(transaction, name, kind))

    async def put_document(self, name: str, kind: str, *, body: Any) -> None:
        """Keep a document, in the place of the last of its kind."""
        await self._index.run(lambda transaction: bucket_rows.put_document(transaction, name, kind, body))

    async def remove_document(self, name: str, kind: str) -> None:
        """Forget a document; no error if there is none."""
        await self._index.run(lambda transaction: bucket_rows.remove_document(transaction, name, kind))
