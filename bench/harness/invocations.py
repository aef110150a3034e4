"""InvokeEndpoint as boto3 sends it: the bytes, captured before they would have left, each request another one."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from moorage.testing.models import IRIS_ROWS


@dataclass(frozen=True, slots=True)
class Caller:
    """Who invokes, and what if nothing else is said."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    endpoint_name: str


def signed_invocations(caller: Caller, netloc: str, endpoints: Sequence[str]) -> list[bytes]:
    """A request to each of the endpoints on the host `netloc`, no two the same, signed now: good for five minutes."""
    sent: list[bytes] = []

    def capture(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        sent.append(_wire_bytes(request))
        return AWSResponse(request.url, 200, {}, _NoBody())

    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://{netloc}",
        region_name=caller.region,
        aws_access_key_id=caller.access_key_id,
        aws_secret_access_key=caller.secret_access_key,
    )
    client.meta.events.register("before-send.sagemaker-runtime.InvokeEndpoint", capture)
    for name, body in zip(endpoints, _bodies(), strict=False):
        client.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body)
    return sent


def _bodies() -> Iterator[bytes]:
    """The recipe's three rows, each time a little off: all of one length."""
    draw = random.Random(1)
    while True:
        rows = [[round(value + draw.randrange(1, 10) / 100, 2) for value in row] for row in IRIS_ROWS]
        yield json.dumps({"instances": rows}).encode()


def _wire_bytes(request: AWSPreparedRequest) -> bytes:
    """What http.client makes of the request: it adds the first header."""
    lines = [f"POST {urlsplit(request.url).path} HTTP/1.1", "Accept-Encoding: identity"]
    lines += [f"{name}: {_text(value)}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + bytes(request.body)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class _NoBody:
    """The raw side of an answer that never was."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        return iter(())

    def read(self, *_: Any) -> bytes:
        return b""
