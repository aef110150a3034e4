"""Requests signed by botocore's own signers, taken apart into what a server receives: the oracle of our verifiers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime(2026, 11, 21, 2, 55, tzinfo=UTC)
REGION = "eu-west-1"


@dataclass(frozen=True)
class Sent:
    """What arrives: all bytes, header names in lower case."""

    method: bytes
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def body_sha256(self) -> bytes:
        return hashlib.sha256(self.body).hexdigest().encode()

    def header(self, name: bytes) -> bytes:
        return dict(self.headers)[name]

    def with_header(self, name: bytes, value: bytes) -> Sent:
        rest = [item for item in self.headers if item[0] != name]
        return replace(self, headers=[*rest, (name, value)])

    def without_header(self, name: bytes) -> Sent:
        return replace(self, headers=[item for item in self.headers if item[0] != name])


_SIGNERS = {
    ("header", False): SigV4Auth,
    ("header", True): S3SigV4Auth,
    ("query", False): SigV4QueryAuth,
    ("query", True): S3SigV4QueryAuth,
}


def sign(
    method: str = "POST",
    url: str = "http://127.0.0.1:4566/",
    *,
    service: str = "sagemaker",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    where: str = "header",
    at: datetime = NOW,
    token: str | None = None,
    expires: int = 3600,
    secret: str = SECRET,
) -> Sent:
    """A request as botocore's signer for the service leaves it."""
    request = AWSRequest(method=method, url=url, headers=headers or {}, data=body or None)
    credentials = Credentials(KEY_ID, secret, token)
    signer_class = _SIGNERS[where, service == "s3"]
    signer = signer_class(credentials, service, REGION, **({"expires": expires} if where == "query" else {}))
    with mock.patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=None)):
        signer.add_auth(request)
    return _sent(request, body)


def sign_v2_query(
    method: str, url: str, *, headers: dict[str, str] | None = None, at: datetime = NOW, expires: int = 3600
) -> Sent:
    """A request as botocore's signer of legacy presigned URLs leaves it."""
    request = AWSRequest(method=method, url=url, headers=headers or {})
    with mock.patch("botocore.auth.time.time", return_value=at.timestamp()):
        HmacV1QueryAuth(Credentials(KEY_ID, SECRET), expires=expires).add_auth(request)
    return _sent(request, b"")


def _sent(request: AWSRequest, body: bytes) -> Sent:
    prepared = request.prepare()
    split = urlsplit(prepared.url)
    headers = [(name.lower().encode(), _raw(value)) for name, value in prepared.headers.items()]
    if b"host" not in dict(headers):
        headers.insert(0, (b"host", split.netloc.encode()))
    return Sent(request.method.encode(), split.path.encode() or b"/", split.query.encode(), headers, body)


def _raw(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def secret_of(access_key_id: str) -> str | None:
    return SECRET if access_key_id == KEY_ID else None
