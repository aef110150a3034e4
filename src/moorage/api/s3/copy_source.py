"""What a copy is made of: the header that names an object, and perhaps its version."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from moorage.api.s3.errors import invalid_argument
from moorage.api.s3.names import check_version_id


@dataclass(frozen=True, slots=True)
class CopySource:
    """What to copy."""

    bucket: str
    key: str
    version_id: str | None


def parse_copy_source(header: str) -> CopySource:
    """What `x-amz-copy-source` names: `bucket/key` or `/bucket/key`, url-encoded, perhaps with `?versionId=` behind."""
    path, _, query = header.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key:
        raise invalid_argument("Invalid copy source object key", "x-amz-copy-source", header)
    version_id = query or None
    check_version_id(version_id)
    return CopySource(bucket, key, version_id)
