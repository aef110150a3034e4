"""Real boto3 clients on an ASGI application in this process: serialised, signed and parsed by botocore, no sockets.

    with InProcess(Api([...], keys, clock=clock)) as aws:
        aws.client("iam").create_role(...)

The application runs on a loop of its own, in the caller's thread and only while a call is under way. From a coroutine
use `await asyncio.to_thread(client.create_role, ...)`.
"""

from __future__ import annotations

import asyncio
import functools
import io
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from moorage.aws.client_session import make_session
from moorage.core.iam.principal import KeyHolder, root

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ACCOUNT_ID = "123456789012"
ROOT_KEY = KeyHolder(SECRET, root(ACCOUNT_ID))

_PIECE_BYTES = 64 * 1024

Application = Callable[[Any, Any, Any], Awaitable[None]]


def root_key_ring(access_key_id: str) -> KeyHolder | None:
    """A key ring with one key, the clients' own."""
    return ROOT_KEY if access_key_id == KEY_ID else None


class InProcess:
    """Makes boto3 clients whose requests go to `application`."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)  # leaves the thread's own loop alone

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    def client(
        self,
        service: str,
        *,
        region: str = "us-east-1",
        endpoint_url: str = "http://127.0.0.1:4566",
        key_id: str = KEY_ID,
        secret: str = SECRET,
        token: str | None = None,
        config: Config | None = None,
        alter: Callable[[AWSPreparedRequest], None] | None = None,
    ) -> Any:
        """A client as any script makes one; `alter` may change each request after it was signed.

        Over an https `endpoint_url`, botocore sends uploads in chunks, with their checksum in a trailer.
        """
        no_retries = Config(retries={"mode": "standard", "total_max_attempts": 1})
        client = _session().client(
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=no_retries.merge(config) if config else no_retries,
        )
        send = functools.partial(self._send, alter=alter) if alter else self._send
        client.meta.events.register("before-send.*.*", send)
        return client

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> tuple[int, dict[str, str], bytes]:
        """A request without botocore, for what it would not send: status, headers (lower case), body."""
        items = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        return self._runner.run(self._call(method, url, items, _pieces(body)))

    def _send(
        self, request: AWSPreparedRequest, alter: Callable[[AWSPreparedRequest], None] | None = None, **_: Any
    ) -> AWSResponse:
        if alter is not None:
            alter(request)
        items = [(name.lower().encode(), _bytes(value)) for name, value in request.headers.items()]
        status, headers, body = self._runner.run(self._call(request.method, request.url, items, _pieces(request.body)))
        return AWSResponse(request.url, status, headers, _Raw(body))

    async def _call(
        self, method: str, url: str, headers: list[tuple[bytes, bytes]], pieces: Iterator[bytes]
    ) -> tuple[int, dict[str, str], bytes]:
        split = urlsplit(url)
        if b"host" not in dict(headers):
            headers.insert(0, (b"host", split.netloc.encode()))
        scope = {
            "type": "http",
            "method": method,
            "path": split.path,
            "raw_path": (split.path or "/").encode(),
            "query_string": split.query.encode(),
            "headers": headers,
        }
        exchange = _Exchange(pieces)
        await self._application(scope, exchange.receive, exchange.send)
        return exchange.status, exchange.headers, bytes(exchange.body)


@functools.cache
def _session() -> Any:
    """One for all, because it keeps the service models that it has loaded."""
    return boto3.session.Session(botocore_session=make_session())


class _Exchange:
    """The server's half of one request."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self._pieces = pieces
        self._next: bytes | None = next(pieces, b"")

    async def receive(self) -> dict[str, Any]:
        if self._next is None:
            await asyncio.Event().wait()  # the client stays until it is answered
        piece, self._next = self._next, next(self._pieces, None)
        return {"type": "http.request", "body": piece, "more_body": self._next is not None}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")


class _Raw(io.BytesIO):
    """What botocore reads a response's body from."""

    def stream(self, amount: int = _PIECE_BYTES, **_: Any) -> Iterator[bytes]:
        while piece := self.read(amount):
            yield piece


def _pieces(body: Any) -> Iterator[bytes]:
    if body is None:
        return
    if isinstance(body, (bytes, bytearray, str)):
        body = io.BytesIO(body.encode() if isinstance(body, str) else body)
    while piece := body.read(_PIECE_BYTES):
        yield piece


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
