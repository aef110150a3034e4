"""The nouns of the object store: buckets, versions of objects, uploads in parts, and what is kept with each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from moorage.objects.checksums import Algorithm, Checksum, Coverage

NULL_VERSION = "null"
"""The id of the version written while a bucket kept none."""


class Versioning(StrEnum):
    """Whether a bucket keeps what is overwritten. Once it has kept versions it can only pause."""

    OFF = ""
    ENABLED = "Enabled"
    SUSPENDED = "Suspended"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket. Names are global; the region is where it says it is."""

    name: str
    region: str
    created_at: datetime
    versioning: Versioning = Versioning.OFF
    seals_by_default: bool = False
    """Whether objects are encrypted at rest when the writer says nothing."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of content under a random name."""

    id: str
    size: int
    """In bytes of content, before encryption."""
    wrapped_key: bytes | None = None
    """The key it is encrypted with, itself encrypted with the server's; None for plain content."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a writer says of an object, kept and given back as it was."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Content type, disposition, caching …, under whatever names the caller uses."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


NO_ATTRIBUTES = Attributes()


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object, or a delete marker, which has neither content nor attributes."""

    seq: int
    """Grows with every write to the store: of two versions of a key the newer has the larger."""
    bucket: Bucket
    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool
    modified_at: datetime
    size: int
    etag: str
    """Without quotation marks."""
    checksum: Checksum | None
    is_sealed: bool
    part_count: int | None
    """Of an object uploaded in parts; None for one written in a single request."""
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Extent:
    """A piece of an object's content: one for a plain write, one a part for an upload in parts."""

    number: int
    blob: Blob
    checksum: Checksum | None


@dataclass(frozen=True, slots=True)
class Upload:
    """An object being uploaded in parts."""

    upload_id: str
    bucket: str
    key: str
    initiated_at: datetime
    attributes: Attributes
    algorithm: Algorithm
    coverage: Coverage
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has arrived."""

    number: int
    blob: Blob
    etag: str
    checksum: Checksum
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class PartClaim:
    """A part as the one who completes an upload names it."""

    number: int
    etag: str
    checksum: Checksum | None = None
    """Only one of the upload's algorithm counts: the part was checked against any other when it arrived."""
