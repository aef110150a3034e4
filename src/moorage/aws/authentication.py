"""Why a request is not believed, and the one table of what each protocol says about it.

The verifiers (`sigv4`, `sigv2`, `chunked`) raise `AuthenticationError` with a kind and a message; whoever knows which
protocol the caller speaks turns it into an answer with `answer_for`. A new kind needs a row in `_ANSWERS`.
"""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

from moorage.aws.call import Protocol
from moorage.aws.errors import ServiceError


class Failure(enum.Enum):
    """What is wrong with a request's credentials, by what the caller has to change."""

    MISSING = enum.auto()
    """Nothing was signed."""
    MALFORMED = enum.auto()
    """The Authorization header cannot be read."""
    MALFORMED_QUERY = enum.auto()
    """The parameters of a presigned URL cannot be read."""
    AMBIGUOUS = enum.auto()
    """Signed in more than one place."""
    UNKNOWN_KEY = enum.auto()
    INVALID_TOKEN = enum.auto()
    """A session token that was not issued here."""
    WRONG_SIGNATURE = enum.auto()
    UNSIGNED_HEADERS = enum.auto()
    """A header that changes the meaning of the request was left out of the signature."""
    SKEWED = enum.auto()
    """Signed too long ago, or in the future."""
    EXPIRED = enum.auto()
    """A presigned URL outside its time."""
    BODY_UNDECLARED = enum.auto()
    """No usable `x-amz-content-sha256` where one is required."""
    WRONG_BODY = enum.auto()
    """The body is not the signed one."""


class AuthenticationError(Exception):
    """The request is not proven to come from a holder of a known key. `message` may be shown to the caller."""

    def __init__(self, kind: Failure, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


WRONG_SIGNATURE_MESSAGE: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


def wrong_signature() -> AuthenticationError:
    """The plain mismatch, which says nothing about where it lies."""
    return AuthenticationError(Failure.WRONG_SIGNATURE, WRONG_SIGNATURE_MESSAGE)


class _Answer(NamedTuple):
    code: str
    status: int
    message: str | None = None
    """In place of the error's own."""


class _Row(NamedTuple):
    json: _Answer
    rest_json: _Answer
    query: _Answer
    s3: _Answer


def _row(code: str, *, query: str, query_status: int = 403, s3: _Answer) -> _Row:
    """JSON services answer 400 where the runtime's REST-JSON answers 403, with the same code."""
    return _Row(_Answer(code, 400), _Answer(code, 403), _Answer(query, query_status), s3)


_WRONG_SIGNATURE = _row(
    "InvalidSignatureException",
    query="SignatureDoesNotMatch",
    s3=_Answer(
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. Check your key and signing "
        "method.",
    ),
)

_MALFORMED = _row(
    "IncompleteSignatureException",
    query="IncompleteSignature",
    query_status=400,
    s3=_Answer("AuthorizationHeaderMalformed", 400),
)

_ANSWERS: Final = {
    Failure.MISSING: _row(
        "MissingAuthenticationTokenException",
        query="MissingAuthenticationToken",
        s3=_Answer("AccessDenied", 403, "Access Denied"),
    ),
    Failure.MALFORMED: _MALFORMED,
    Failure.MALFORMED_QUERY: _MALFORMED._replace(s3=_Answer("AuthorizationQueryParametersError", 400)),
    Failure.AMBIGUOUS: _MALFORMED._replace(
        s3=_Answer(
            "InvalidArgument",
            400,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
            "parameter or the Authorization header should be specified",
        )
    ),
    Failure.UNKNOWN_KEY: _row(
        "UnrecognizedClientException",
        query="InvalidClientTokenId",
        s3=_Answer("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
    ),
    Failure.INVALID_TOKEN: _row(
        "UnrecognizedClientException",
        query="InvalidClientTokenId",
        s3=_Answer("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
    ),
    Failure.WRONG_SIGNATURE: _WRONG_SIGNATURE,
    Failure.UNSIGNED_HEADERS: _WRONG_SIGNATURE._replace(s3=_Answer("AccessDenied", 403)),
    Failure.SKEWED: _WRONG_SIGNATURE._replace(
        s3=_Answer(
            "RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."
        )
    ),
    Failure.EXPIRED: _WRONG_SIGNATURE._replace(s3=_Answer("AccessDenied", 403)),
    Failure.BODY_UNDECLARED: _WRONG_SIGNATURE._replace(s3=_Answer("InvalidRequest", 400)),
    Failure.WRONG_BODY: _WRONG_SIGNATURE._replace(
        s3=_Answer(
            "XAmzContentSHA256Mismatch",
            400,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    ),
}


def answer_for(error: AuthenticationError, protocol: Protocol) -> ServiceError:
    """What a service that speaks `protocol` answers to `error`. The only REST-XML service is S3."""
    row = _ANSWERS[error.kind]
    match protocol:
        case Protocol.JSON | Protocol.CBOR:
            answer = row.json
        case Protocol.REST_JSON:
            answer = row.rest_json
        case Protocol.QUERY:
            answer = row.query
        case Protocol.REST_XML:
            answer = row.s3
    return ServiceError(answer.code, answer.message or error.message, status=answer.status)
