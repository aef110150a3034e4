"""The body of an upload with everything the request promises about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from moorage.api.s3 import checksum_fields
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers
from moorage.objects import checksums
from moorage.objects.checksums import Algorithm
from moorage.objects.intake import Payload


@runtime_checkable
class Trailed(Protocol):
    """A body that may have header fields behind it (see `api.content`)."""

    @property
    def trailer_names(self) -> Iterable[str]:
        """The fields that the head announces, in lower case."""
        ...

    @property
    def trailers(self) -> Headers:
        """The fields; complete once the body has been read."""
        ...


def payload_of(request: Mapping[str, Any]) -> Payload:
    """The payload that a request uploads. Raises ServiceError(InvalidDigest, InvalidRequest) for malformed promises."""
    body: bytes | AsyncIterator[bytes] = request.get("Body", b"")
    md5 = request.get("ContentMD5")
    if md5 is not None and len(checksums.decode(md5) or b"") != 16:
        raise ServiceError("InvalidDigest", "The Content-MD5 you specified was invalid.", status=400)
    checksum = checksum_fields.given(request)
    if checksum is not None:
        return Payload(body, md5=md5, algorithm=checksum.algorithm, promised=lambda: checksum.value)
    algorithm = _announced(body)
    if algorithm is not None:
        return Payload(body, md5=md5, algorithm=algorithm, promised=lambda: _trailing(body, algorithm))
    return Payload(body, md5=md5, algorithm=checksum_fields.declared(request))


def _announced(body: object) -> Algorithm | None:
    if not isinstance(body, Trailed):
        return None
    named = (checksum_fields.algorithm_of_header(name) for name in body.trailer_names)
    return next((algorithm for algorithm in named if algorithm is not None), None)


def _trailing(body: object, algorithm: Algorithm) -> str:
    value = body.trailers.get(checksum_fields.header_of(algorithm)) if isinstance(body, Trailed) else None
    if value is None:
        message = (
            "The request contained trailing data that was not well-formed or did not conform to our published schema."
        )
        raise ServiceError("MalformedTrailerError", message, status=400)
    return checksum_fields.check_form(algorithm, value.strip())
