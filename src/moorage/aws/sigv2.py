"""Verification of S3's legacy presigned URLs: `AWSAccessKeyId`, `Expires` and `Signature` in the query. No I/O.

boto3 still makes them for `generate_presigned_url` unless it is told to use version 4.
Source: S3 user guide, "Signing and authenticating REST requests", and botocore's `HmacV1QueryAuth`.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

from botocore.auth import HmacV1Auth

from moorage.aws.authentication import AuthenticationError, Failure, wrong_signature
from moorage.aws.http import HttpRequest
from moorage.aws.querystring import parse_pairs

_LIFETIME_MAX: Final = timedelta(days=7)
_SUBRESOURCES: Final = frozenset(HmacV1Auth.QSAOfInterest)
_OWN_PARAMETERS: Final = frozenset({"AWSAccessKeyId", "Expires", "Signature"})


def is_presigned(request: HttpRequest) -> bool:
    """Whether `request` claims to be signed in this way."""
    return "AWSAccessKeyId=" in request.query and {name for name, _ in parse_pairs(request.query)} >= _OWN_PARAMETERS


def authenticate(
    request: HttpRequest, *, bucket: str | None, secret_of: Callable[[str], str | None], now: datetime
) -> str:
    """The access key id that is proven to have signed `request`. Raises AuthenticationError.

    `bucket` is the one that the Host header names, if it does: it is signed as the first segment of the path.
    """
    if "authorization" in request.headers:
        raise AuthenticationError(Failure.AMBIGUOUS, "The request is signed in more than one place.")
    pairs = list(parse_pairs(request.query))
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise wrong_signature()  # one value would be signed, and another might be used
    _check_expiry(parameters["Expires"], now)
    access_key_id = parameters["AWSAccessKeyId"]
    secret = secret_of(access_key_id)
    if secret is None:
        message = "The AWS Access Key Id you provided does not exist in our records."
        raise AuthenticationError(Failure.UNKNOWN_KEY, message)
    string_to_sign = _string_to_sign(request, parameters, bucket)
    expected = base64.b64encode(hmac.digest(secret.encode(), string_to_sign.encode(), "sha1"))
    if not hmac.compare_digest(expected, parameters["Signature"].encode("latin-1", "replace")):
        raise wrong_signature()
    return access_key_id


def _check_expiry(expires: str, now: datetime) -> None:
    if not expires.isdecimal() or len(expires) > 12:
        raise AuthenticationError(Failure.EXPIRED, f"Invalid date (should be seconds since epoch): {expires[:20]}")
    seconds_left = int(expires) - now.timestamp()
    if seconds_left < 0:
        raise AuthenticationError(Failure.EXPIRED, "Request has expired")
    if seconds_left > _LIFETIME_MAX.total_seconds():
        raise AuthenticationError(Failure.EXPIRED, "A presigned URL may live for at most seven days")


def _string_to_sign(request: HttpRequest, parameters: dict[str, str], bucket: str | None) -> str:
    """Method, content headers, expiry, `x-amz-` headers and the resource; botocore moves headers into the query."""
    headers = {name: value for name, value in parameters.items() if name not in _OWN_PARAMETERS}
    for name in {name.lower() for name, _ in request.headers.items()}:
        headers[name] = ",".join(value.strip() for value in request.headers.get_all(name))
    amazon = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-amz-"))
    content = f"{headers.get('content-md5', '')}\n{headers.get('content-type', '')}"
    return f"{request.method}\n{content}\n{parameters['Expires']}\n{amazon}{_resource(request, bucket)}"


def _resource(request: HttpRequest, bucket: str | None) -> str:
    path = f"/{bucket}{request.path}" if bucket else request.path
    parts = [part.partition("=") for part in request.query.split("&")]
    chosen = sorted((name, equals + unquote(value)) for name, equals, value in parts if name in _SUBRESOURCES)
    query = "&".join(name + value for name, value in chosen)
    return f"{path}?{query}" if query else path
