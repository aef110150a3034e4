"""What the object store answers instead of doing what was asked.

`Rejected` is the caller's fault and carries a reason from a closed set; the API has one table from reason to answer.
`StorageUnavailable` is ours, and later may go well. `Damaged` is ours, and will not.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class Reason(Enum):
    """Why a request was rejected. The comment names the details that come with it."""

    NO_SUCH_BUCKET = "no such bucket"  # bucket
    BUCKET_EXISTS = "bucket exists"  # bucket, region
    BUCKET_NOT_EMPTY = "bucket not empty"  # bucket
    NO_SUCH_DOCUMENT = "no such document"  # bucket, kind
    NO_SUCH_KEY = "no such key"  # key
    NO_SUCH_VERSION = "no such version"  # key, version_id
    DELETED = "deleted"  # key, version_id of the delete marker that is the current version
    IS_DELETE_MARKER = "is a delete marker"  # key, version_id: the marker itself was asked for
    NO_SUCH_UPLOAD = "no such upload"  # upload_id
    INVALID_PART = "invalid part"  # upload_id, number, etag
    PARTS_OUT_OF_ORDER = "parts out of order"  # upload_id
    PART_TOO_SMALL = "part too small"  # number, etag, size, minimum
    SIZE_MISMATCH = "size mismatch"  # expected, received
    TOO_LARGE = "too large"  # maximum
    MD5_MISMATCH = "MD5 mismatch"  # expected, computed
    CHECKSUM_MISMATCH = "checksum mismatch"  # algorithm, expected, computed
    PRECONDITION_FAILED = "precondition failed"  # condition
    NOT_MODIFIED = "not modified"  # etag


class Rejected(Exception):
    """The request cannot be met as asked; nothing was changed."""

    def __init__(self, reason: Reason, **details: Any) -> None:
        super().__init__(f"{reason.value}: {details}")
        self.reason = reason
        self.details = details


class StorageUnavailable(Exception):
    """The disk is full or failing. Nothing of the request was kept; it may be tried again."""


class Damaged(Exception):
    """What is on the disk is not what was written: a blob is gone, cut short or altered."""
