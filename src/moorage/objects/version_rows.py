"""Statements about versions of objects: which is current, what a write replaces, what a delete leaves.

The current version of a key is the one with the highest `seq`; `is_latest` says so in an index of its own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from moorage.objects.checksums import Algorithm, Checksum, Coverage
from moorage.objects.errors import Reason, Rejected
from moorage.objects.index import Transaction
from moorage.objects.records import (
    NO_ATTRIBUTES,
    NULL_VERSION,
    Attributes,
    Blob,
    Bucket,
    Extent,
    ObjectVersion,
    Versioning,
)
from moorage.objects.schema import extents, versions
from moorage.system.entropy import new_secret


@dataclass(frozen=True, slots=True)
class Draft:
    """A version about to be written."""

    key: str
    modified_at: datetime
    size: int = 0
    etag: str = ""
    checksum: Checksum | None = None
    is_sealed: bool = False
    part_count: int | None = None
    attributes: Attributes = NO_ATTRIBUTES
    extents: Sequence[Extent] = ()
    is_delete_marker: bool = False


def find(transaction: Transaction, bucket: Bucket, key: str, version_id: str | None = None) -> ObjectVersion | None:
    """The version, or the current one, delete markers included."""
    query = select(versions).where(versions.c.bucket == bucket.name, versions.c.key == key)
    query = query.where(versions.c.is_latest if version_id is None else versions.c.version_id == version_id)
    row = transaction.connection.execute(query).one_or_none()
    return None if row is None else to_version(row, bucket)


def get(transaction: Transaction, bucket: Bucket, key: str, version_id: str | None = None) -> ObjectVersion:
    """The version, or the current one. Raises Rejected(NO_SUCH_KEY, NO_SUCH_VERSION, DELETED, IS_DELETE_MARKER)."""
    version = find(transaction, bucket, key, version_id)
    if version is None and version_id is None:
        raise Rejected(Reason.NO_SUCH_KEY, key=key)
    if version is None:
        raise Rejected(Reason.NO_SUCH_VERSION, key=key, version_id=version_id)
    if version.is_delete_marker:
        reason = Reason.DELETED if version_id is None else Reason.IS_DELETE_MARKER
        raise Rejected(reason, key=key, version_id=version.version_id, modified_at=version.modified_at)
    return version


def add(transaction: Transaction, bucket: Bucket, draft: Draft) -> ObjectVersion:
    """Write a version as the bucket's versioning has it: beside the others, or in the place of the null version."""
    version_id = _new_version_id() if bucket.versioning is Versioning.ENABLED else NULL_VERSION
    if version_id == NULL_VERSION:
        _remove_row(transaction, bucket, draft.key, NULL_VERSION)
    _demote(transaction, bucket.name, draft.key)
    values = {
        "bucket": bucket.name,
        "key": draft.key,
        "version_id": version_id,
        "is_latest": True,
        "is_delete_marker": draft.is_delete_marker,
        "modified_at": draft.modified_at,
        "size": draft.size,
        "etag": draft.etag,
        "checksum": checksum_to_json(draft.checksum),
        "is_sealed": draft.is_sealed,
        "part_count": draft.part_count,
        **attributes_to_columns(draft.attributes),
    }
    row = transaction.connection.execute(insert(versions).values(values).returning(versions)).one()
    for extent in draft.extents:
        transaction.connection.execute(insert(extents).values(_extent_columns(row.seq, extent)))
    return to_version(row, bucket)


def remove(transaction: Transaction, bucket: Bucket, key: str, version_id: str) -> ObjectVersion | None:
    """Remove one version for good; the newest of those left becomes the current one."""
    removed = _remove_row(transaction, bucket, key, version_id)
    if removed is not None and removed.is_latest:
        _promote_newest(transaction, bucket.name, key)
    return removed


def extents_of(transaction: Transaction, seq: int) -> Sequence[Extent]:
    """The pieces of a version's content, in order."""
    rows = transaction.connection.execute(select(extents).where(extents.c.seq == seq).order_by(extents.c.number))
    return [
        Extent(row.number, Blob(row.blob_id, row.size, row.wrapped_key), checksum_from_json(row.checksum))
        for row in rows
    ]


def set_tags(transaction: Transaction, version: ObjectVersion, tags: Mapping[str, str]) -> None:
    transaction.connection.execute(update(versions).where(versions.c.seq == version.seq).values(tags=dict(tags)))


def to_version(row: Row[Any], bucket: Bucket) -> ObjectVersion:
    return ObjectVersion(
        seq=row.seq,
        bucket=bucket,
        key=row.key,
        version_id=row.version_id,
        is_latest=row.is_latest,
        is_delete_marker=row.is_delete_marker,
        modified_at=row.modified_at,
        size=row.size,
        etag=row.etag,
        checksum=checksum_from_json(row.checksum),
        is_sealed=row.is_sealed,
        part_count=row.part_count,
        attributes=Attributes(row.headers, row.metadata, row.tags),
    )


def attributes_to_columns(attributes: Attributes) -> dict[str, Any]:
    return {
        "headers": dict(attributes.headers),
        "metadata": dict(attributes.metadata),
        "tags": dict(attributes.tags),
    }


def checksum_to_json(checksum: Checksum | None) -> list[str] | None:
    return None if checksum is None else [checksum.algorithm, checksum.value, checksum.coverage]


def checksum_from_json(value: list[str] | None) -> Checksum | None:
    return None if value is None else Checksum(Algorithm(value[0]), value[1], Coverage(value[2]))


def _remove_row(transaction: Transaction, bucket: Bucket, key: str, version_id: str) -> ObjectVersion | None:
    query = delete(versions).where(
        versions.c.bucket == bucket.name, versions.c.key == key, versions.c.version_id == version_id
    )
    row = transaction.connection.execute(query.returning(versions)).one_or_none()
    if row is None:
        return None
    freed = transaction.connection.execute(delete(extents).where(extents.c.seq == row.seq).returning(extents.c.blob_id))
    transaction.freed.extend(freed.scalars())
    return to_version(row, bucket)


def _demote(transaction: Transaction, bucket: str, key: str) -> None:
    query = update(versions).where(versions.c.bucket == bucket, versions.c.key == key, versions.c.is_latest)
    transaction.connection.execute(query.values(is_latest=False))


def _promote_newest(transaction: Transaction, bucket: str, key: str) -> None:
    of_key = select(versions.c.seq).where(versions.c.bucket == bucket, versions.c.key == key)
    newest = of_key.order_by(versions.c.seq.desc()).limit(1).scalar_subquery()
    transaction.connection.execute(update(versions).where(versions.c.seq == newest).values(is_latest=True))


def _extent_columns(seq: int, extent: Extent) -> dict[str, Any]:
    blob = extent.blob
    return {
        "seq": seq,
        "number": extent.number,
        "blob_id": blob.id,
        "size": blob.size,
        "wrapped_key": blob.wrapped_key,
        "checksum": checksum_to_json(extent.checksum),
    }


def _new_version_id() -> str:
    """Thirty-two characters that need no escaping anywhere."""
    return base64.b32encode(new_secret(20)).decode("ascii")
