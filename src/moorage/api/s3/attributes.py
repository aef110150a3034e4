"""What a writer says of an object and a reader is told: headers, metadata, tags, encryption, version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from moorage.api.s3.checksum_fields import reported
from moorage.api.s3.errors import invalid_argument
from moorage.api.s3.names import OBJECT_TAGS_MAX, check_metadata, check_tags
from moorage.objects.records import Attributes, Bucket, ObjectVersion, Versioning

DEFAULT_CONTENT_TYPE = "binary/octet-stream"
_TEXT_FIELDS = ("ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage")
_OVERRIDES = (*_TEXT_FIELDS, "Expires")
_CHUNKED = "aws-chunked"


def attributes_of(request: Mapping[str, Any]) -> Attributes:
    """The attributes that a request writes. Raises ServiceError for those against the rules."""
    return Attributes(headers_of(request), metadata_of(request), tags_of(request))


def headers_of(request: Mapping[str, Any]) -> dict[str, str]:
    """The standard headers of an object, by member name, as text."""
    headers = {field: request[field] for field in _TEXT_FIELDS if request.get(field)}
    encodings = [encoding.strip() for encoding in headers.pop("ContentEncoding", "").split(",")]
    kept = ",".join(encoding for encoding in encodings if encoding not in ("", _CHUNKED))
    if kept:
        headers["ContentEncoding"] = kept
    if request.get("Expires"):
        headers["Expires"] = request["Expires"].isoformat()
    if request.get("StorageClass", "STANDARD") != "STANDARD":
        headers["StorageClass"] = request["StorageClass"]
    return headers


def metadata_of(request: Mapping[str, Any]) -> dict[str, str]:
    """User metadata. Names travel as header names and are lower case."""
    metadata = {name.lower(): value for name, value in request.get("Metadata", {}).items()}
    check_metadata(metadata)
    return metadata


def tags_of(request: Mapping[str, Any]) -> dict[str, str]:
    """The tags in the `x-amz-tagging` header, which is written like a query string."""
    text = request.get("Tagging", "")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    except ValueError:
        message = (
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag "
            "name duplicates."
        )
        raise invalid_argument(message, "x-amz-tagging", text) from None
    return check_tags(pairs, most=OBJECT_TAGS_MAX)


def is_sealed(request: Mapping[str, Any]) -> bool | None:
    """Whether the request asks for encryption at rest; None if it says nothing."""
    return True if request.get("ServerSideEncryption") == "AES256" else None


def encryption_fields(sealed: bool) -> dict[str, Any]:
    """What an answer says about encryption at rest."""
    return {"ServerSideEncryption": "AES256"} if sealed else {}


def version_fields(bucket: Bucket, version_id: str | None) -> dict[str, Any]:
    """The version id, where the bucket keeps or has kept versions."""
    if bucket.versioning is Versioning.OFF or version_id is None:
        return {}
    return {"VersionId": version_id}


def written_fields(version: ObjectVersion) -> dict[str, Any]:
    """What a write answers."""
    return {
        "ETag": quoted(version.etag),
        **reported(version.checksum),
        **encryption_fields(version.is_sealed),
        **version_fields(version.bucket, version.version_id),
    }


def read_fields(version: ObjectVersion, request: Mapping[str, Any]) -> dict[str, Any]:
    """What GetObject and HeadObject both tell of an object, with the request's overrides."""
    headers: dict[str, Any] = {"ContentType": DEFAULT_CONTENT_TYPE, **version.attributes.headers}
    if "Expires" in headers:
        headers["Expires"] = datetime.fromisoformat(headers["Expires"])
    overrides = {field: request[f"Response{field}"] for field in _OVERRIDES if request.get(f"Response{field}")}
    tags = version.attributes.tags
    return {
        **headers,
        **overrides,
        "AcceptRanges": "bytes",
        "LastModified": version.modified_at,
        "ETag": quoted(version.etag),
        "Metadata": dict(version.attributes.metadata),
        **({"TagCount": len(tags)} if tags else {}),
        **encryption_fields(version.is_sealed),
        **version_fields(version.bucket, version.version_id),
    }


def storage_class(version: ObjectVersion) -> str:
    """The storage class, which is a label here."""
    return version.attributes.headers.get("StorageClass", "STANDARD")


def quoted(etag: str) -> str:
    """An entity tag as it travels."""
    return f'"{etag}"'


def unquoted(etag: str) -> str:
    """An entity tag as it is kept, from one as clients write it."""
    return etag.strip().removeprefix("W/").strip('"')
