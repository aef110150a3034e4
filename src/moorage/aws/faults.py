"""What the service models and AWS's common errors say of an error code: its shape, its status, whose fault it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.model import ServiceModel

from moorage.aws.call import Protocol
from moorage.aws.errors import ServiceError

_COMMON: Final[Mapping[str, int]] = {
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "NotImplemented": 501,
    "RequestEntityTooLargeException": 413,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
}
"""Statuses that hold in every protocol."""

_REFUSALS: Final = frozenset({"AccessDenied", "AccessDeniedException"})
"""Answered 403 everywhere but in the JSON protocols, where every fault of the caller's is a 400."""

_S3: Final[Mapping[str, int]] = {
    "BucketNotEmpty": 409,
    "ConditionalRequestConflict": 409,
    "InvalidBucketState": 409,
    "InvalidRange": 416,
    "MethodNotAllowed": 405,
    "MissingContentLength": 411,
    "NoSuchBucketPolicy": 404,
    "NoSuchCORSConfiguration": 404,
    "NoSuchLifecycleConfiguration": 404,
    "NoSuchPublicAccessBlockConfiguration": 404,
    "NoSuchTagSet": 404,
    "NoSuchVersion": 404,
    "NoSuchWebsiteConfiguration": 404,
    "NotModified": 304,
    "ObjectLockConfigurationNotFoundError": 404,
    "OperationAborted": 409,
    "OwnershipControlsNotFoundError": 404,
    "PreconditionFailed": 412,
    "ReplicationConfigurationNotFoundError": 404,
    "ServerSideEncryptionConfigurationNotFoundError": 404,
}
"""S3's codes that its model leaves out: the "Error responses" page of the S3 API reference."""


def shape_of(code: str, service: ServiceModel | None) -> Any:
    """The model's error shape for `code`, which may be its name or its code in the query protocol; None without one."""
    if service is None:
        return None
    named = next((shape for shape in service.error_shapes if shape.name == code), None)
    return named or service.shape_for_error_code(code)


def status_of(error: ServiceError, shape: Any, protocol: Protocol) -> int:
    """The HTTP status: the error's own, else the model's, else the common one, else 400."""
    if error.status is not None:
        return error.status
    modelled = shape.metadata.get("error", {}).get("httpStatusCode") if shape else None
    if modelled:
        return int(modelled)
    if error.code in _COMMON:
        return _COMMON[error.code]
    if protocol is Protocol.REST_XML and error.code in _S3:
        return _S3[error.code]
    if error.code in _REFUSALS and protocol not in (Protocol.JSON, Protocol.CBOR):
        return 403
    return 400


def side_of(status: int) -> str:
    """Whose fault an error is, in the words of the query protocol."""
    return "Receiver" if status >= 500 else "Sender"


def members_of(error: ServiceError, shape: Any) -> dict[str, Any]:
    """The error's members with its message under the name that its shape has for it."""
    names = shape.members if shape else ()
    message = next((name for name in names if name.lower() == "message"), "message")
    return {message: error.message, **error.members}


def query_error(code: str, shape: Any, status: int) -> str:
    """`x-amzn-query-error`: the code as the service's query protocol has it, for clients that still go by that."""
    return f"{shape.error_code if shape else code};{side_of(status)}"
