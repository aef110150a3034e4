"""What a request's signature says about itself, in the Authorization header or in a presigned URL's query.

Only read here, never believed: that is for `sigv4` to do. What repeats between the requests of one client, its
credential and its list of signed headers, is parsed once and remembered.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from moorage.aws.authentication import AuthenticationError, Failure
from moorage.aws.canonical import Fields, HeaderBlock

PRESIGNED_SECONDS_MAX: Final = 7 * 24 * 3600
TIME_FORMAT: Final = "%Y%m%dT%H%M%SZ"

_ALGORITHM: Final = b"AWS4-HMAC-SHA256"
_AUTHORIZATION_BYTES_MAX: Final = 4096
_REGION: Final = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
"""A host label, as botocore has it. A region ends up in ARNs and in the names of folders."""


@dataclass(frozen=True, slots=True)
class Credential:
    """The scope of a signature: which key, on which day, for which region and service (its signing name)."""

    access_key_id: str
    date: str
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class Signing:
    """The part of an Authorization that one client repeats from request to request."""

    credential: Credential
    date: bytes
    scope: bytes
    signed_headers: bytes
    """As sent: `host;x-amz-date`."""
    names: frozenset[bytes]
    block: HeaderBlock


class Authorization(NamedTuple):
    """What a request says about itself: nothing of it is proven before `verify`."""

    signing: Signing
    timestamp: bytes
    """`20261121T025500Z`."""
    signature: bytes
    token: bytes | None
    expires_s: int | None
    """Of a presigned URL; None for a signed header."""

    @property
    def credential(self) -> Credential:
        """What the request claims to be signed with."""
        return self.signing.credential


def parse_authorization(query: bytes, fields: Fields) -> Authorization:
    """Read the Authorization header, or the parameters of a presigned URL. Raises AuthenticationError."""
    header = fields.get(b"authorization")
    if not query or (b"X-Amz-Algorithm=" not in query and b"X-Amz-Signature=" not in query):
        if header is None:
            raise AuthenticationError(Failure.MISSING, "Missing Authentication Token")
        return _parse_header(header, fields)
    if header is not None:
        raise AuthenticationError(Failure.AMBIGUOUS, "The request is signed in more than one place.")
    return _parse_presigned(query)


def _parse_header(header: bytes, fields: Fields) -> Authorization:
    if len(header) > _AUTHORIZATION_BYTES_MAX:
        raise _malformed("Authorization header is too long.")
    start, found, end = header.rpartition(b"Signature=")
    signature, _, rest = end.partition(b",")
    if not found or not signature:
        raise _malformed("Authorization header requires 'Signature' parameter.")
    signing = _parse_signing(start + rest)
    timestamp = fields.get(b"x-amz-date") or _timestamp_of(fields.get(b"date"))
    if timestamp[:8] != signing.date:
        raise _foreign_date()
    return Authorization(signing, timestamp, signature, fields.get(b"x-amz-security-token"), None)


@functools.lru_cache(maxsize=1024)
def _parse_signing(header: bytes) -> Signing:
    """Read an Authorization header without its signature. Refusals are not remembered."""
    if header.count(_ALGORITHM) > 1:
        raise AuthenticationError(Failure.AMBIGUOUS, "The request is signed in more than one place.")
    algorithm, _, rest = header.strip().partition(b" ")
    if algorithm != _ALGORITHM:
        raise _malformed("Authorization header requires the algorithm 'AWS4-HMAC-SHA256'.")
    fields = dict(field.strip().partition(b"=")[::2] for field in rest.split(b",") if field.strip())
    for name in (b"Credential", b"SignedHeaders"):
        if not fields.get(name):
            raise _malformed(f"Authorization header requires '{name.decode()}' parameter.")
    if len(fields) > 2:
        raise _malformed("Authorization header must hold Credential, SignedHeaders and Signature, and nothing else.")
    return _make_signing(fields[b"Credential"], fields[b"SignedHeaders"], Failure.MALFORMED)


def _make_signing(credential: bytes, signed_headers: bytes, kind: Failure) -> Signing:
    parts = credential.decode("latin-1").rsplit("/", 4)
    if len(parts) != 5 or not all(parts) or parts[4] != "aws4_request":
        message = "Credential must be of the form <access key id>/<date>/<region>/<service>/aws4_request."
        raise AuthenticationError(kind, message)
    if not _REGION.fullmatch(parts[2]):
        raise AuthenticationError(kind, "The region in Credential must be of letters, digits and hyphens, at most 63.")
    names = sorted(set(signed_headers.split(b";")))
    return Signing(
        credential=Credential(*parts[:4]),
        date=parts[1].encode("latin-1"),
        scope="/".join(parts[1:]).encode("latin-1"),
        signed_headers=signed_headers,
        names=frozenset(names),
        block=HeaderBlock(names),
    )


def _parse_presigned(query: bytes) -> Authorization:
    pairs = [pair.partition(b"=")[::2] for pair in query.split(b"&")]
    fields = dict(pairs)
    if [name for name, _ in pairs].count(b"X-Amz-Signature") > 1:  # the signature is all that it does not cover itself
        raise _malformed_query("Query-string authentication takes one X-Amz-Signature parameter.")
    required = (b"Algorithm", b"Credential", b"Date", b"Expires", b"SignedHeaders", b"Signature")
    values = {name: unquote_to_bytes(fields.get(b"X-Amz-" + name, b"")) for name in required}
    if not all(values.values()):
        raise _malformed_query(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )
    if values[b"Algorithm"] != _ALGORITHM:
        raise _malformed_query('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
    signing = _make_signing(values[b"Credential"], values[b"SignedHeaders"], Failure.MALFORMED_QUERY)
    timestamp = values[b"Date"]
    if timestamp[:8] != signing.date:
        raise _foreign_date()
    token = fields.get(b"X-Amz-Security-Token")
    return Authorization(signing, timestamp, values[b"Signature"], token, _parse_expires(values[b"Expires"]))


def _parse_expires(value: bytes) -> int:
    if not re.fullmatch(rb"-?[0-9]{1,12}", value):
        raise _malformed_query("X-Amz-Expires should be a number")
    seconds = int(value)
    if seconds < 0:
        raise _malformed_query("X-Amz-Expires must be non-negative")
    if seconds > PRESIGNED_SECONDS_MAX:
        raise _malformed_query(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{PRESIGNED_SECONDS_MAX} seconds"
        )
    return seconds


def _foreign_date() -> AuthenticationError:
    message = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."
    return AuthenticationError(Failure.WRONG_SIGNATURE, message)


def _timestamp_of(date: bytes | None) -> bytes:
    """The timestamp that a `Date` header stands for where there is no `X-Amz-Date`."""
    if date is None:
        raise _malformed("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    try:
        return parsedate_to_datetime(date.decode("latin-1")).astimezone(UTC).strftime(TIME_FORMAT).encode()
    except (ValueError, OverflowError):
        return date


def _malformed(message: str) -> AuthenticationError:
    return AuthenticationError(Failure.MALFORMED, message)


def _malformed_query(message: str) -> AuthenticationError:
    return AuthenticationError(Failure.MALFORMED_QUERY, message)
