"""The one exception that becomes an AWS error answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServiceError(Exception):
    """An answer other than success.

    `code` is AWS's error code (`ValidationException`, `NoSuchBucket`, …). `status` is the HTTP status; None takes the
    one that the service model gives for the code, else 400 (JSON, query) or what the protocol has for it.
    `members` are further members of a modelled error shape (`OriginalStatusCode`, `BucketName`, …), `headers` further
    header fields (`ETag` of a 304, `x-amz-delete-marker`).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})
        self.headers = dict(headers or {})
