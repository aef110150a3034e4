"""What S3 does on the wire and its service model does not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from botocore.model import OperationModel

from moorage.aws.errors import ServiceError
from moorage.aws.protocols import xml
from moorage.aws.validate import Violation

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"

_ROOTS: Final[Mapping[str, str]] = {
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "UploadPartCopy": "CopyPartResult",
}
"""Root elements of the answers, from the S3 API reference; others are `<Operation>Result` or the payload's shape."""

_ENCODED: Final = frozenset(
    {"Delimiter", "Key", "KeyMarker", "Marker", "NextKeyMarker", "NextMarker", "Prefix", "StartAfter"}
)
"""Members of list answers that are url-encoded when `EncodingType` is `url`, at any depth."""


MALFORMED_XML: Final = "The XML you provided was not well-formed or did not validate against our published schema"


def refusal(operation: OperationModel, found: list[Violation]) -> ServiceError:
    """The error for what validation found: S3 says less than other services, and by another code for the body."""
    shape = operation.input_shape
    payload = shape.serialization.get("payload", "")
    first = found[0].path.partition(".")[0]
    if first == f"{payload[:1].lower()}{payload[1:]}":
        if found[0].path == first and found[0].value == "null":
            return ServiceError("MissingRequestBodyError", "Request Body is empty", status=400)
        return ServiceError("MalformedXML", MALFORMED_XML, status=400)
    return ServiceError("InvalidArgument", str(found[0]), status=400)


def root_name(operation: str, shape: Any) -> str:
    """The name of an answer's root element."""
    if operation in _ROOTS:
        return _ROOTS[operation]
    return f"{operation}Result" if shape.name.endswith("Output") else str(shape.name)


def content(operation: str, output: Mapping[str, Any]) -> str | None:
    """The root's content where it is not the members' elements: GetBucketLocation's is bare text, us-east-1's empty."""
    if operation != "GetBucketLocation":
        return None
    return xml.text(output.get("LocationConstraint") or "")


def status_of(output: Mapping[str, Any]) -> int | None:
    """206 for part of an object, None for the model's status."""
    return 206 if output.get("ContentRange") else None


def encode_keys(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """A list answer with its keys url-encoded, if its `EncodingType` says so."""
    return _quoted(output) if output.get("EncodingType") == "url" else output


def _quoted(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _quote(name, value) for name, value in members.items()}


def _quote(name: str, value: Any) -> Any:
    match value:
        case str() if name in _ENCODED:
            return quote(value, safe="/")
        case Mapping():
            return _quoted(value)
        case list():
            return [_quote(name, item) for item in value]
        case _:
            return value
