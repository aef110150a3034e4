"""The index: which buckets, versions, uploads and parts there are, and which blobs hold their content.

A blob is named by exactly one row, of `extents` or of `parts`. Times are kept in microseconds, keys compare by code
point, which is the order of their UTF-8 bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator

SCHEMA_VERSION = 1
"""Goes up with every change here; an index of another version is refused."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware time, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData()

buckets = Table(
    "buckets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("region", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("versioning", Text, nullable=False),
    Column("seals_by_default", Boolean, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("body", JSON, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("bucket", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("version_id", Text, nullable=False),
    Column("is_latest", Boolean, nullable=False),
    Column("is_delete_marker", Boolean, nullable=False),
    Column("modified_at", Instant, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("etag", Text, nullable=False),
    Column("checksum", JSON, nullable=True),
    Column("is_sealed", Boolean, nullable=False),
    Column("part_count", Integer, nullable=True),
    Column("headers", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Index("versions_by_id", "bucket", "key", "version_id", unique=True),
    Index("versions_by_age", "bucket", "key", "seq"),
    sqlite_autoincrement=True,
)
Index("versions_latest", versions.c.bucket, versions.c.key, unique=True, sqlite_where=versions.c.is_latest)

extents = Table(
    "extents",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("blob_id", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=True),
    Column("checksum", JSON, nullable=True),
)

uploads = Table(
    "uploads",
    metadata,
    Column("upload_id", Text, primary_key=True),
    Column("bucket", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("initiated_at", Instant, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("coverage", Text, nullable=False),
    Column("is_sealed", Boolean, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Index("uploads_by_key", "bucket", "key", "upload_id"),
)

parts = Table(
    "parts",
    metadata,
    Column("upload_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("blob_id", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=True),
    Column("etag", Text, nullable=False),
    Column("checksum", JSON, nullable=False),
    Column("modified_at", Instant, nullable=False),
)
