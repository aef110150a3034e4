"""Requests as bytes to a running Moorage, for what no client library would send: signed, and then spoilt at will."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from moorage.testing.server import RunningMoorage

TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer. `is_kept` says whether the connection was good for another request after it."""

    status: int
    fields: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    is_kept: bool

    @property
    def code(self) -> str:
        """The error's code, wherever the protocol has it."""
        named = re.search(rb'"__type":"([^"]+)"|<Code>([^<]+)</Code>', self.body)
        if named:
            return (named[1] or named[2]).decode()
        return self.fields.get("x-amzn-errortype", "").partition(":")[0]


class RawCaller:
    """Signs with the root key of `server` and speaks to its port."""

    def __init__(self, server: RunningMoorage) -> None:
        environment = server.environment()
        self.host = urlsplit(server.endpoint_url).netloc
        self.key_id = environment["AWS_ACCESS_KEY_ID"]
        self.secret = environment["AWS_SECRET_ACCESS_KEY"]
        self._address = (urlsplit(server.endpoint_url).hostname, urlsplit(server.endpoint_url).port)

    def signed(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        service: str = "sagemaker",
        region: str = "us-east-1",
        headers: Mapping[str, str] | None = None,
        key_id: str | None = None,
        secret: str | None = None,
        token: str | None = None,
        at: datetime | None = None,
        presign_s: int | None = None,
        signer: Callable[..., SigV4Auth] | None = None,
    ) -> AWSRequest:
        """A request as botocore's signer leaves it; `presign_s` signs its query instead."""
        request = AWSRequest(method, f"http://{self.host}{path}", data=body or None, headers=dict(headers or {}))
        credentials = Credentials(key_id or self.key_id, secret or self.secret, token)
        if presign_s is None:
            auth = (signer or (S3SigV4Auth if service == "s3" else SigV4Auth))(credentials, service, region)
        else:
            query_auth = S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth
            auth = query_auth(credentials, service, region, expires=presign_s)
        with _clock_at(at):
            auth.add_auth(request)
        return request

    def control(self, operation: str, body: bytes | Mapping[str, Any] = b"{}", **changes: Any) -> AWSRequest:
        """A call to SageMaker's control plane, signed."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        return self.signed("POST", "/", content, headers=headers | changes.pop("headers", {}), **changes)

    def invocation(self, endpoint: str, body: bytes = b"hello", **changes: Any) -> AWSRequest:
        """An invocation, signed."""
        return self.signed("POST", f"/endpoints/{endpoint}/invocations", body, **changes)

    def written(
        self,
        request: AWSRequest,
        *,
        body: bytes | None = None,
        length: int | None = None,
        extra: Sequence[tuple[str, str]] = (),
        without: Sequence[str] = (),
    ) -> bytes:
        """The bytes of a signed request, with another `body`, declared `length` or further fields if they are given."""
        sent = (request.data or b"") if body is None else body
        url = urlsplit(request.url)
        target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        dropped = {"content-length", *(name.lower() for name in without)}
        fields = [(name, value) for name, value in request.headers.items() if name.lower() not in dropped]
        if "content-length" not in {name.lower() for name in without}:
            fields.append(("Content-Length", str(len(sent) if length is None else length)))
        return self.plain(request.method, target, fields=[*fields, *extra], body=sent)

    def plain(self, method: str, target: str, *, fields: Sequence[tuple[str, str]] = (), body: bytes = b"") -> bytes:
        """An unsigned request with Host and these fields, nothing added."""
        head = "".join(f"{name}: {_text(value)}\r\n" for name, value in [("Host", self.host), *fields])
        return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body

    def ask(self, request: bytes) -> Heard:
        """Send `request` and, right behind it, a health check: whether that is answered shows if they are in step."""
        with socket.create_connection(self._address, timeout=TIMEOUT_S) as peer:
            with contextlib.suppress(ConnectionError):  # refused early: the answer is there all the same
                peer.sendall(request + self.plain("GET", "/health"))
            answer = http.client.HTTPResponse(peer, method=request.partition(b" ")[0].decode("latin-1"))
            answer.begin()
            # HTTPResponse reads ahead, so the second answer is looked for in the same file.
            file = answer.fp
            fields = {name.lower(): value for name, value in answer.getheaders()}
            length = 0 if answer.length is None else answer.length
            body = file.read(length) if length else b""
            with contextlib.suppress(ConnectionError):
                return Heard(answer.status, fields, body, is_kept=file.readline().startswith(b"HTTP/1.1 200"))
            return Heard(answer.status, fields, body, is_kept=False)


def _clock_at(moment: datetime | None) -> contextlib.AbstractContextManager[object]:
    if moment is None:
        return contextlib.nullcontext()
    return mock.patch("botocore.auth.get_current_datetime", return_value=moment.replace(tzinfo=None))


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
