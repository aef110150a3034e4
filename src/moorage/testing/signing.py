"""Requests signed by botocore's own signers, taken apart into what a server receives: the oracle of our verifiers."""

from __future__ import annotations

import hashlib
import hmac
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


def sign_streaming_upload(url: str, *, headers: dict[str, str] | None = None, at: datetime = NOW) -> Sent:
    """The head of an upload whose body follows in signed chunks, see `signed_chunks`."""
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if "x-amz-trailer" in (headers or {}) else "")
    request = AWSRequest(method="PUT", url=url, headers={**(headers or {}), "X-Amz-Content-SHA256": kind})
    with mock.patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=None)):
        SigV4Auth(Credentials(KEY_ID, SECRET), "s3", REGION).add_auth(request)  # S3's own would replace the hash
    return _sent(request, b"")


def signed_chunks(head: Sent, chunks: list[bytes], *, trailer: tuple[str, str] | None = None) -> bytes:
    """An aws-chunked body, from the specification's text: botocore does not sign chunks."""
    authorization = head.header(b"authorization").decode()
    scope = authorization.partition("Credential=")[2].partition(",")[0].partition("/")[2]
    previous = authorization.rpartition("Signature=")[2]
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()

    def next_signature(kind: str, *hashes: str) -> str:
        nonlocal previous
        date = head.header(b"x-amz-date").decode()
        text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", date, scope, previous, *hashes])
        previous = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return previous

    empty = hashlib.sha256(b"").hexdigest()
    body = b""
    for chunk in [*chunks, b""]:
        signature = next_signature("PAYLOAD", empty, hashlib.sha256(chunk).hexdigest())
        body += f"{len(chunk):x};chunk-signature={signature}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    if trailer is not None:
        line = f"{trailer[0]}:{trailer[1]}"
        signature = next_signature("TRAILER", hashlib.sha256(f"{line}\n".encode()).hexdigest())
        body += f"{line}\r\nx-amz-trailer-signature:{signature}\r\n".encode()
    return body + b"\r\n"


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
