"""Statements about buckets and the documents kept with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from moorage.objects.errors import Reason, Rejected
from moorage.objects.index import Transaction
from moorage.objects.records import Bucket, Versioning
from moorage.objects.schema import buckets, documents, parts, uploads, versions


def find(transaction: Transaction, name: str) -> Bucket | None:
    row = transaction.connection.execute(select(buckets).where(buckets.c.name == name)).one_or_none()
    return None if row is None else _to_bucket(row)


def get(transaction: Transaction, name: str) -> Bucket:
    """Raises Rejected(NO_SUCH_BUCKET)."""
    bucket = find(transaction, name)
    if bucket is None:
        raise Rejected(Reason.NO_SUCH_BUCKET, bucket=name)
    return bucket


def add(transaction: Transaction, bucket: Bucket) -> None:
    """Raises Rejected(BUCKET_EXISTS)."""
    existing = find(transaction, bucket.name)
    if existing is not None:
        raise Rejected(Reason.BUCKET_EXISTS, bucket=bucket.name, region=existing.region)
    transaction.connection.execute(
        insert(buckets).values(
            name=bucket.name,
            region=bucket.region,
            created_at=bucket.created_at,
            versioning=bucket.versioning,
            seals_by_default=bucket.seals_by_default,
        )
    )


def remove(transaction: Transaction, name: str) -> None:
    """Raises Rejected(NO_SUCH_BUCKET, BUCKET_NOT_EMPTY). Any version holds a bucket; uploads in parts go with it."""
    get(transaction, name)
    if transaction.connection.execute(select(versions.c.seq).where(versions.c.bucket == name).limit(1)).first():
        raise Rejected(Reason.BUCKET_NOT_EMPTY, bucket=name)
    of_bucket = select(uploads.c.upload_id).where(uploads.c.bucket == name)
    orphaned = delete(parts).where(parts.c.upload_id.in_(of_bucket)).returning(parts.c.blob_id)
    transaction.freed.extend(transaction.connection.execute(orphaned).scalars())
    transaction.connection.execute(delete(uploads).where(uploads.c.bucket == name))
    transaction.connection.execute(delete(documents).where(documents.c.bucket == name))
    transaction.connection.execute(delete(buckets).where(buckets.c.name == name))


def page(transaction: Transaction, *, prefix: str, after: str, region: str | None, limit: int) -> Sequence[Bucket]:
    """Up to `limit` buckets in order of name, behind `after`."""
    query = select(buckets).where(buckets.c.name > after, buckets.c.name.startswith(prefix, autoescape=True))
    if region is not None:
        query = query.where(buckets.c.region == region)
    return [_to_bucket(row) for row in transaction.connection.execute(query.order_by(buckets.c.name).limit(limit))]


def set_versioning(transaction: Transaction, name: str, versioning: Versioning) -> None:
    get(transaction, name)
    transaction.connection.execute(update(buckets).where(buckets.c.name == name).values(versioning=versioning))


def set_sealing(transaction: Transaction, name: str, seals_by_default: bool) -> None:
    get(transaction, name)
    change = update(buckets).where(buckets.c.name == name).values(seals_by_default=seals_by_default)
    transaction.connection.execute(change)


def document(transaction: Transaction, name: str, kind: str) -> Any:
    """Raises Rejected(NO_SUCH_BUCKET, NO_SUCH_DOCUMENT)."""
    get(transaction, name)
    query = select(documents.c.body).where(documents.c.bucket == name, documents.c.kind == kind)
    row = transaction.connection.execute(query).one_or_none()
    if row is None:
        raise Rejected(Reason.NO_SUCH_DOCUMENT, bucket=name, kind=kind)
    return row.body


def put_document(transaction: Transaction, name: str, kind: str, body: Any) -> None:
    remove_document(transaction, name, kind)
    transaction.connection.execute(insert(documents).values(bucket=name, kind=kind, body=body))


def remove_document(transaction: Transaction, name: str, kind: str) -> None:
    get(transaction, name)
    transaction.connection.execute(delete(documents).where(documents.c.bucket == name, documents.c.kind == kind))


def _to_bucket(row: Row[Any]) -> Bucket:
    return Bucket(row.name, row.region, row.created_at, Versioning(row.versioning), row.seals_by_default)
