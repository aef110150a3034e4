"""Statements about uploads in parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select

from moorage.objects.checksums import Algorithm, Coverage
from moorage.objects.errors import Reason, Rejected
from moorage.objects.index import Transaction
from moorage.objects.records import Attributes, Blob, Part, Upload
from moorage.objects.schema import parts, uploads
from moorage.objects.version_rows import attributes_to_columns, checksum_from_json, checksum_to_json


def add(transaction: Transaction, upload: Upload) -> None:
    transaction.connection.execute(
        insert(uploads).values(
            upload_id=upload.upload_id,
            bucket=upload.bucket,
            key=upload.key,
            initiated_at=upload.initiated_at,
            algorithm=upload.algorithm,
            coverage=upload.coverage,
            is_sealed=upload.is_sealed,
            **attributes_to_columns(upload.attributes),
        )
    )


def get(transaction: Transaction, bucket: str, key: str, upload_id: str) -> Upload:
    """Raises Rejected(NO_SUCH_UPLOAD)."""
    query = select(uploads).where(uploads.c.upload_id == upload_id, uploads.c.bucket == bucket, uploads.c.key == key)
    row = transaction.connection.execute(query).one_or_none()
    if row is None:
        raise Rejected(Reason.NO_SUCH_UPLOAD, upload_id=upload_id)
    return to_upload(row)


def put_part(transaction: Transaction, upload: Upload, part: Part) -> None:
    """Add a part, in the place of one of the same number."""
    same = delete(parts).where(parts.c.upload_id == upload.upload_id, parts.c.number == part.number)
    transaction.freed.extend(transaction.connection.execute(same.returning(parts.c.blob_id)).scalars())
    transaction.connection.execute(
        insert(parts).values(
            upload_id=upload.upload_id,
            number=part.number,
            blob_id=part.blob.id,
            size=part.blob.size,
            wrapped_key=part.blob.wrapped_key,
            etag=part.etag,
            checksum=checksum_to_json(part.checksum),
            modified_at=part.modified_at,
        )
    )


def parts_of(transaction: Transaction, upload: Upload, *, after: int = 0, limit: int | None = None) -> Sequence[Part]:
    """The parts with a number above `after`, in order."""
    query = select(parts).where(parts.c.upload_id == upload.upload_id, parts.c.number > after)
    rows = transaction.connection.execute(query.order_by(parts.c.number).limit(limit))
    return [_to_part(row) for row in rows]


def remove(transaction: Transaction, upload: Upload, *, keeping: frozenset[str] = frozenset()) -> None:
    """End an upload. Its blobs are freed, but for the ones in `keeping`, which an object has taken over."""
    of_upload = delete(parts).where(parts.c.upload_id == upload.upload_id).returning(parts.c.blob_id)
    blob_ids = transaction.connection.execute(of_upload).scalars()
    transaction.freed.extend(blob_id for blob_id in blob_ids if blob_id not in keeping)
    transaction.connection.execute(delete(uploads).where(uploads.c.upload_id == upload.upload_id))


def to_upload(row: Row[Any]) -> Upload:
    return Upload(
        upload_id=row.upload_id,
        bucket=row.bucket,
        key=row.key,
        initiated_at=row.initiated_at,
        attributes=Attributes(row.headers, row.metadata, row.tags),
        algorithm=Algorithm(row.algorithm),
        coverage=Coverage(row.coverage),
        is_sealed=row.is_sealed,
    )


def _to_part(row: Row[Any]) -> Part:
    checksum = checksum_from_json(row.checksum)
    assert checksum is not None
    blob = Blob(row.blob_id, row.size, row.wrapped_key)
    return Part(row.number, blob, row.etag, checksum, row.modified_at)
