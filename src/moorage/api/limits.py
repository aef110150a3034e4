"""How much body a call may have and how long it may take to arrive."""

from __future__ import annotations

from typing import Final

from moorage.aws.call import Protocol, Target
from moorage.aws.errors import ServiceError

_MIB: Final = 1024 * 1024

_BODY_BYTES_MAX: Final = {
    "logs": 7 * _MIB,  # PutLogEvents takes 1 MiB of events, of which JSON makes up to six times as much
    "s3": 4 * _MIB,  # CompleteMultipartUpload: 10,000 parts with their checksums
    "sagemaker-runtime": 6 * _MIB,
}
_BODY_BYTES_MAX_OTHERS: Final = _MIB

DISCARDED_BYTES_MAX: Final = _MIB
DISCARDED_SECONDS: Final = 5.0

_BODY_SECONDS: Final = 30.0
_CONTENT_BYTES_PER_SECOND_MIN: Final = 16 * 1024


def body_bytes_max(target: Target) -> int:
    """Of a body that is read whole before its call is decoded."""
    name = target.service.service_name if target.service else ""
    return _BODY_BYTES_MAX.get(name, _BODY_BYTES_MAX_OTHERS)


def body_seconds(length: int | None) -> float:
    """The total time for a body of `length` bytes, None if unknown: cuts off a trickle, but not a slow line."""
    return _BODY_SECONDS + (length or 0) / _CONTENT_BYTES_PER_SECOND_MIN


def too_large(target: Target) -> ServiceError:
    """The answer to a body above the maximum."""
    if target.protocol is Protocol.REST_XML:
        return ServiceError("MaxMessageLengthExceeded", "Your request was too large.", status=400)
    message = f"Request body is larger than {body_bytes_max(target)} bytes."
    return ServiceError("RequestEntityTooLargeException", message, status=413)


def too_slow() -> ServiceError:
    """The answer to a body that does not arrive in time."""
    return ServiceError("RequestTimeout", "The request's body did not arrive in time.", status=408)
