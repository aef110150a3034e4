"""Verification of AWS Signature Version 4, in the Authorization header or in a presigned URL's query. No I/O.

This is on the gateway's hot path: everything works on the bytes that came over the wire, and what repeats between the
requests of one client (its credential, its list of signed headers, its signing key of the day) is remembered.
`authenticate` is the whole of it for a request whose body has been read; a streaming reader takes the steps itself:
`parse_authorization`, `check_time`, `verify`, and then `chunked` for the body.

Source: AWS General Reference, "AWS Signature Version 4", and botocore's `auth` module, which the tests sign with.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from moorage.aws import canonical
from moorage.aws.authentication import AuthenticationError, Failure, wrong_signature
from moorage.aws.authorization import TIME_FORMAT, Authorization, Credential, Signing, parse_authorization
from moorage.aws.canonical import Fields

UNSIGNED_PAYLOAD: Final = b"UNSIGNED-PAYLOAD"

_SIGNATURE_PARAMETER: Final = b"X-Amz-Signature"
_WINDOW: Final = timedelta(minutes=5)
_WINDOWS: Final = {"s3": timedelta(minutes=15)}
_HEX_64 = re.compile(rb"[0-9a-f]{64}")


class SigningKey:
    """The key that a secret signs with on one day, for one region and service."""

    def __init__(self, secret: str, scope: bytes) -> None:
        key = b"AWS4" + secret.encode()
        for part in scope.split(b"/"):
            key = hmac.digest(key, part, "sha256")
        # HMAC from two kept states: 1.7 µs against 3.6 µs for `hmac.digest`, which sets up the key each time.
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key.ljust(64, b"\0")))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key.ljust(64, b"\0")))

    def sign(self, message: bytes) -> bytes:
        """HMAC-SHA256 of `message` in lower-case hexadecimal."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest().encode()


@functools.lru_cache(maxsize=256)
def signing_key(secret: str, scope: bytes) -> SigningKey:
    """The signing key of `<date>/<region>/<service>/aws4_request`, remembered for the requests that follow."""
    return SigningKey(secret, scope)


def authenticate(
    method: bytes,
    path: bytes,
    *,
    query: bytes,
    fields: Fields,
    body_sha256: bytes,
    secret_of: Callable[[str], str | None],
    now: datetime,
) -> Credential:
    """Prove that a request was signed by the holder of a key, over exactly this content.

    `path` and `query` are as sent, `fields` see `canonical.header_fields`, `body_sha256` in lower-case hexadecimal;
    `secret_of` answers the secret of an access key id. The caller still has to `require_service`. Raises
    AuthenticationError.
    """
    authorization = parse_authorization(query, fields)
    check_time(authorization, now)
    secret = known_secret(authorization, secret_of)
    declared = declared_payload(authorization, fields)
    payload = declared or body_sha256
    verify(authorization, secret, method=method, path=path, query=query, fields=fields, payload=payload)
    if declared is not None and declared != UNSIGNED_PAYLOAD and declared != body_sha256:
        raise wrong_body()
    return authorization.signing.credential


def check_time(authorization: Authorization, now: datetime) -> None:
    """Refuse a signature older or newer than the service allows, and a presigned URL outside its time."""
    signed_at = _signed_at(authorization)
    window = _WINDOWS.get(authorization.signing.credential.service, _WINDOW)
    if authorization.expires_s is not None:
        if signed_at > now + window:
            raise AuthenticationError(Failure.EXPIRED, "Request is not valid yet")
        if now > signed_at + timedelta(seconds=authorization.expires_s):
            raise AuthenticationError(Failure.EXPIRED, "Request has expired")
    elif abs(now - signed_at) > window:
        raise _skewed(signed_at, now, window)


def known_secret(authorization: Authorization, secret_of: Callable[[str], str | None]) -> str:
    """The secret of the request's key. Raises AuthenticationError, also for a session token: none is issued."""
    secret = secret_of(authorization.signing.credential.access_key_id)
    if secret is None or authorization.token is not None:
        kind = Failure.UNKNOWN_KEY if secret is None else Failure.INVALID_TOKEN
        raise AuthenticationError(kind, "The security token included in the request is invalid.")
    return secret


def declared_payload(authorization: Authorization, fields: Fields) -> bytes | None:
    """What stands for the body in the signature if that is known from the head: `x-amz-content-sha256`, as sent.

    None: the hash of the body. Only S3 may leave the body out of the signature or sign it in chunks.
    """
    declared = fields.get(b"x-amz-content-sha256")
    is_s3 = authorization.signing.credential.service == "s3"
    if declared is None:
        if is_s3 and authorization.expires_s is not None:
            return UNSIGNED_PAYLOAD
        if is_s3:
            message = "Missing required header for this request: x-amz-content-sha256"
            raise AuthenticationError(Failure.BODY_UNDECLARED, message)
        return None
    if not _HEX_64.fullmatch(declared) and not is_s3:
        raise AuthenticationError(Failure.BODY_UNDECLARED, "x-amz-content-sha256 must be a SHA-256 in hexadecimal.")
    return declared


def verify(
    authorization: Authorization,
    secret: str,
    *,
    method: bytes,
    path: bytes,
    query: bytes,
    fields: Fields,
    payload: bytes,
) -> None:
    """Compare the signature with the one that `secret` gives. Raises AuthenticationError.

    The request is tried as it was sent, which is how botocore signs it, and then, if that is another spelling, with its
    path and query encoded as the specification has it: some clients sign the one and send the other.
    """
    signing = authorization.signing
    _refuse_unsigned_headers(signing, fields)
    try:
        rest = b"\n%b\n%b\n%b" % (signing.block.write(fields), signing.signed_headers, payload)
    except KeyError:
        raise wrong_signature() from None
    is_s3 = signing.credential.service == "s3"
    without = _SIGNATURE_PARAMETER if authorization.expires_s is not None else None
    sent = (path if is_s3 else canonical.service_path(path), canonical.sorted_query(query, without=without))
    if _matches(authorization, secret, b"%b\n%b\n%b%b" % (method, *sent, rest)):
        return
    encoded = (canonical.object_path(path) if is_s3 else sent[0], canonical.encoded_query(query, without=without))
    if encoded == sent or not _matches(authorization, secret, b"%b\n%b\n%b%b" % (method, *encoded, rest)):
        raise wrong_signature()


def wrong_body() -> AuthenticationError:
    """The body is not the one that was signed."""
    message = "The body of the request is not the one that was signed (x-amz-content-sha256)."
    return AuthenticationError(Failure.WRONG_BODY, message)


def require_service(credential: Credential, expected: str) -> None:
    """Refuse a signature made for another service than the one that is asked."""
    if credential.service != expected:
        message = f"Credential should be scoped to correct service: '{expected}'."
        raise AuthenticationError(Failure.WRONG_SIGNATURE, message)


def _matches(authorization: Authorization, secret: str, request: bytes) -> bool:
    string_to_sign = b"AWS4-HMAC-SHA256\n%b\n%b\n%b" % (
        authorization.timestamp,
        authorization.signing.scope,
        hashlib.sha256(request).hexdigest().encode(),
    )
    expected = signing_key(secret, authorization.signing.scope).sign(string_to_sign)
    return hmac.compare_digest(expected, authorization.signature)


def _refuse_unsigned_headers(signing: Signing, fields: Fields) -> None:
    """`Host` and `x-amz-` headers say what is asked of whom: unsigned, anybody could have put them there."""
    if _leaves_out(signing.names, tuple(fields)):
        message = "There were headers present in the request which were not signed"
        raise AuthenticationError(Failure.UNSIGNED_HEADERS, message)


# A client sends the same fields each time: 0.2 µs instead of 0.7. Few are kept, as anybody may send long ones.
@functools.lru_cache(maxsize=128)
def _leaves_out(signed: frozenset[bytes], present: tuple[bytes, ...]) -> bool:
    return any(name == b"host" or name.startswith(b"x-amz-") for name in present if name not in signed)


def _signed_at(authorization: Authorization) -> datetime:
    try:
        return _parse_time(authorization.timestamp)
    except ValueError:
        kind = Failure.MALFORMED if authorization.expires_s is None else Failure.MALFORMED_QUERY
        message = "Date must be in ISO-8601 'basic format', such as 20261121T025500Z."
        raise AuthenticationError(kind, message) from None


@functools.lru_cache(maxsize=256)
def _parse_time(timestamp: bytes) -> datetime:
    if len(timestamp) != 16:
        raise ValueError("a timestamp has 16 characters")
    return datetime.strptime(timestamp.decode("ascii"), TIME_FORMAT).replace(tzinfo=UTC)


def _skewed(signed_at: datetime, now: datetime, window: timedelta) -> AuthenticationError:
    minutes = window // timedelta(minutes=1)
    if signed_at < now:
        detail = f"expired: {signed_at:{TIME_FORMAT}} is now earlier than {now - window:{TIME_FORMAT}}"
        edge = f"({now:{TIME_FORMAT}} - {minutes} min.)"
    else:
        detail = f"not yet current: {signed_at:{TIME_FORMAT}} is still later than {now + window:{TIME_FORMAT}}"
        edge = f"({now:{TIME_FORMAT}} + {minutes} min.)"
    return AuthenticationError(Failure.SKEWED, f"Signature {detail} {edge}")
