"""From the object store's reasons to S3's answers: the one table, and the wrapper that applies it to every handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from functools import wraps
from typing import Any

from moorage.api.service import Caller, Handler
from moorage.aws.errors import ServiceError
from moorage.objects.errors import Damaged, Reason, Rejected, StorageUnavailable


@dataclass(frozen=True, slots=True)
class _Answer:
    """An S3 error. `message` is a format over the details; `members` names the body's further elements."""

    code: str
    status: int
    message: str
    members: Mapping[str, str]


_ANSWERS: dict[Reason, _Answer] = {
    Reason.NO_SUCH_BUCKET: _Answer(
        "NoSuchBucket", 404, "The specified bucket does not exist", {"BucketName": "bucket"}
    ),
    Reason.BUCKET_NOT_EMPTY: _Answer(
        "BucketNotEmpty", 409, "The bucket you tried to delete is not empty", {"BucketName": "bucket"}
    ),
    Reason.BUCKET_EXISTS: _Answer(
        "BucketAlreadyOwnedByYou",
        409,
        "Your previous request to create the named bucket succeeded and you already own it.",
        {"BucketName": "bucket"},
    ),
    Reason.NO_SUCH_KEY: _Answer("NoSuchKey", 404, "The specified key does not exist.", {"Key": "key"}),
    Reason.DELETED: _Answer("NoSuchKey", 404, "The specified key does not exist.", {"Key": "key"}),
    Reason.NO_SUCH_VERSION: _Answer(
        "NoSuchVersion", 404, "The specified version does not exist.", {"Key": "key", "VersionId": "version_id"}
    ),
    Reason.IS_DELETE_MARKER: _Answer(
        "MethodNotAllowed", 405, "The specified method is not allowed against this resource.", {}
    ),
    Reason.NO_SUCH_UPLOAD: _Answer(
        "NoSuchUpload",
        404,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed.",
        {"UploadId": "upload_id"},
    ),
    Reason.INVALID_PART: _Answer(
        "InvalidPart",
        400,
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
        "entity tag may not match the part's entity tag.",
        {"UploadId": "upload_id", "PartNumber": "number", "ETag": "etag"},
    ),
    Reason.PARTS_OUT_OF_ORDER: _Answer(
        "InvalidPartOrder",
        400,
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
        {"UploadId": "upload_id"},
    ),
    Reason.PART_TOO_SMALL: _Answer(
        "EntityTooSmall",
        400,
        "Your proposed upload is smaller than the minimum allowed size",
        {"ProposedSize": "size", "MinSizeAllowed": "minimum", "PartNumber": "number", "ETag": "etag"},
    ),
    Reason.SIZE_MISMATCH: _Answer(
        "IncompleteBody",
        400,
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
        {"NumberBytesExpected": "expected", "NumberBytesProvided": "received"},
    ),
    Reason.TOO_LARGE: _Answer(
        "EntityTooLarge",
        400,
        "Your proposed upload exceeds the maximum allowed size",
        {"MaxSizeAllowed": "maximum"},
    ),
    Reason.MD5_MISMATCH: _Answer(
        "BadDigest",
        400,
        "The Content-MD5 you specified did not match what we received.",
        {"ExpectedDigest": "expected", "CalculatedDigest": "computed"},
    ),
    Reason.CHECKSUM_MISMATCH: _Answer(
        "BadDigest", 400, "The {algorithm} you specified did not match the calculated checksum.", {}
    ),
    Reason.PRECONDITION_FAILED: _Answer(
        "PreconditionFailed",
        412,
        "At least one of the pre-conditions you specified did not hold",
        {"Condition": "condition"},
    ),
    Reason.NOT_MODIFIED: _Answer("NotModified", 304, "Not Modified", {}),
}


def answering(handler: Handler) -> Handler:
    """`handler`, with what the object store says instead of succeeding turned into S3's words."""

    @wraps(handler)
    async def answer(caller: Caller, request: Any) -> Any:
        try:
            return await handler(caller, request)
        except Rejected as rejected:
            raise service_error(rejected) from rejected
        except StorageUnavailable as unavailable:
            raise ServiceError(
                "ServiceUnavailable", "Service is unable to handle request.", status=503
            ) from unavailable
        except Damaged as damaged:
            raise ServiceError(
                "InternalError", "We encountered an internal error. Please try again.", status=500
            ) from damaged

    return answer


def service_error(rejected: Rejected) -> ServiceError:
    """S3's answer to what the store rejected."""
    answer = _ANSWERS[rejected.reason]
    headers = _HEADERS.get(rejected.reason)
    return ServiceError(
        answer.code,
        answer.message.format_map(rejected.details),
        status=answer.status,
        members={name: rejected.details[detail] for name, detail in answer.members.items()},
        headers=None if headers is None else headers(rejected.details),
    )


def not_implemented(what: str) -> ServiceError:
    """The answer to a feature of S3 that the store does not have and will not pretend to have."""
    return ServiceError(
        "NotImplemented",
        f"A header or element you provided implies functionality that is not implemented: {what}.",
        status=501,
    )


def invalid_argument(message: str, name: str, value: object) -> ServiceError:
    """The answer to an argument outside its rule."""
    members = {"ArgumentName": name, "ArgumentValue": str(value)}
    return ServiceError("InvalidArgument", message, status=400, members=members)


def invalid_request(message: str) -> ServiceError:
    """The answer to arguments that do not go together."""
    return ServiceError("InvalidRequest", message, status=400)


def malformed_xml() -> ServiceError:
    """The answer to a document that does not follow its schema."""
    return ServiceError(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
        status=400,
    )


def _delete_marker_headers(details: Mapping[str, Any]) -> dict[str, str]:
    return {"x-amz-delete-marker": "true", "x-amz-version-id": details["version_id"]}


def _refused_marker_headers(details: Mapping[str, Any]) -> dict[str, str]:
    modified_at = format_datetime(details["modified_at"], usegmt=True)
    return {**_delete_marker_headers(details), "Allow": "DELETE", "Last-Modified": modified_at}


def _not_modified_headers(details: Mapping[str, Any]) -> dict[str, str]:
    version = details["version"]
    return {"ETag": f'"{version.etag}"', "Last-Modified": format_datetime(version.modified_at, usegmt=True)}


_HEADERS: dict[Reason, Callable[[Mapping[str, Any]], dict[str, str]]] = {
    Reason.DELETED: _delete_marker_headers,
    Reason.IS_DELETE_MARKER: _refused_marker_headers,
    Reason.NOT_MODIFIED: _not_modified_headers,
}
