"""The rules of names: buckets, keys, version ids, tags.

Source: "Bucket naming rules", "Naming Amazon S3 objects" and "Object tagging" in the S3 User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from moorage.api.s3.errors import invalid_argument
from moorage.aws.errors import ServiceError

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]|(?<!-)\.(?![.-])){1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_VERSION_ID = re.compile(r"null|[A-Z2-7]{32}")

KEY_BYTES_MAX = 1024
OBJECT_TAGS_MAX = 10
BUCKET_TAGS_MAX = 50
METADATA_BYTES_MAX = 2048


def check_new_bucket(name: str) -> None:
    """Raises ServiceError(InvalidBucketName). Only new names are held to the rules; others are simply not there."""
    reserved = name.startswith(_RESERVED_STARTS) or name.endswith(_RESERVED_ENDS)
    if reserved or not _BUCKET.fullmatch(name) or _ADDRESS.fullmatch(name):
        raise ServiceError(
            "InvalidBucketName", "The specified bucket is not valid.", status=400, members={"BucketName": name}
        )


def check_key(key: str) -> None:
    """Raises ServiceError(KeyTooLongError)."""
    size = len(key.encode())
    if size > KEY_BYTES_MAX:
        members = {"Size": size, "MaxSizeAllowed": KEY_BYTES_MAX}
        raise ServiceError("KeyTooLongError", "Your key is too long", status=400, members=members)


def check_version_id(version_id: str | None) -> None:
    """Raises ServiceError(InvalidArgument) for an id that we can never have given out."""
    if version_id is not None and not _VERSION_ID.fullmatch(version_id):
        raise invalid_argument("Invalid version id specified", "versionId", version_id)


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Raises ServiceError(MetadataTooLarge)."""
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > METADATA_BYTES_MAX:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        members = {"Size": size, "MaxSizeAllowed": METADATA_BYTES_MAX}
        raise ServiceError("MetadataTooLarge", message, status=400, members=members)


def check_tags(tags: Iterable[tuple[str, str]], *, most: int) -> dict[str, str]:
    """The tags by key. Raises ServiceError(BadRequest, InvalidTag)."""
    pairs = list(tags)
    if len(pairs) > most:
        raise ServiceError("BadRequest", f"Object tags cannot be greater than {most}", status=400)
    found: dict[str, str] = {}
    for key, value in pairs:
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:"):
            raise _invalid_tag("The TagKey you have provided is invalid", key)
        if len(value) > 256:
            raise _invalid_tag("The TagValue you have provided is invalid", key)
        if key in found:
            raise _invalid_tag("Cannot provide multiple Tags with the same key", key)
        found[key] = value
    return found


def _invalid_tag(message: str, key: str) -> ServiceError:
    return ServiceError("InvalidTag", message, status=400, members={"TagKey": key})
