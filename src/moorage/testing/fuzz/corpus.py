"""Requests that are right in everything, and the check that another one is authentic.

Whoever spoils a signed request may make another valid one of it, but none that is authentic: only what was signed is.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from moorage.core.routes import BearerKey
from moorage.system.clock import SystemClock
from moorage.testing.fuzz.draft import CRLF
from moorage.testing.fuzz.oracle import Asked
from moorage.testing.signing import NOW, REGION, Sent, sign

ENDPOINT: Final = "iris"
HOST: Final = "moorage.test"
TOKEN: Final = b"a-key-for-fuzzing"
BEARER_KEYS: Final = {hashlib.sha256(TOKEN).hexdigest(): BearerKey("key-1", REGION, ENDPOINT)}
INVOCATIONS: Final = b"/endpoints/iris/invocations"
STREAMS: Final = b"/endpoints/iris/invocations-response-stream"

_SIGNATURE = re.compile(rb"Signature=([0-9a-f]{64})")
_ABSOLUTE = re.compile(rb"https?://[^/?]*", re.IGNORECASE)
_BEARER = re.compile(rb"(?i:bearer) +(.*)")


class StoppedCalendar(SystemClock):
    """The loop's clock, under a calendar that stays at the day of the signatures, so that these stay good."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Signed:
    """What one signature covers."""

    method: bytes
    path: bytes
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes


class Corpus:
    """The requests to spoil."""

    def __init__(self) -> None:
        self._signed: dict[bytes, Signed] = {}
        self.requests = [
            self._sign(b"1,2,3,4"),
            self._sign(b"{}", {"Accept": "application/json", "X-Amzn-SageMaker-Inference-Id": "id-1"}),
            self._sign(b"", {"User-Agent": "fuzz"}),
            self._sign(b"x" * 3_000, {"X-Amzn-SageMaker-Custom-Attributes": "a=b", "Connection": "keep-alive"}),
            self._sign(b"5,6", path=STREAMS),
            self._sign(b"", where="query"),
            self._sign(b"9,10", {"Expect": "100-continue"}),
            self._sign(b"11", path=b"/endpoints/iris/async-invocations"),
            self._sign(b"{}", path=b"/", headers={"X-Amz-Target": "SageMaker.ListEndpoints"}),
            _bearer(INVOCATIONS, b"12,13"),
            _bearer(STREAMS, b"14", b"traceparent: 00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"),
            b"GET /health HTTP/1.1\r\nHost: moorage.test\r\n\r\n",
            b"HEAD /health HTTP/1.1\r\nHost: moorage.test\r\n\r\n",
            b"PUT /bucket/key HTTP/1.1\r\nHost: moorage.test\r\nContent-Length: 6\r\n\r\nabcdef",
            b"GET /bucket?list-type=2 HTTP/1.0\r\nHost: moorage.test\r\nConnection: keep-alive\r\n\r\n",
        ]
        self.good = _bearer(INVOCATIONS, b"the good one")

    def is_authentic(self, asked: Asked) -> bool:
        """Whether that is what was signed, or comes with the key to the endpoint."""
        authorizations = asked.values(b"authorization")
        path, _, query = _ABSOLUTE.sub(b"", asked.target).partition(b"?")
        if len(authorizations) == 1 and (bearer := _BEARER.fullmatch(authorizations[0])):
            return (
                asked.method == b"POST"
                and bearer[1].strip() == TOKEN
                and unquote_to_bytes(path) in (INVOCATIONS, STREAMS)
            )
        found = [match[1] for text in (*authorizations, query) for match in _SIGNATURE.finditer(text)]
        signed = self._signed.get(found[0]) if len(found) == 1 else None
        return signed is not None and _is_as_signed(asked, signed)

    def _sign(
        self,
        body: bytes,
        headers: dict[str, str] | None = None,
        *,
        path: bytes = INVOCATIONS,
        where: str = "header",
    ) -> bytes:
        fields = {"Content-Type": "text/csv", **(headers or {})}
        sent = sign("POST", f"http://{HOST}{path.decode()}", headers=fields, body=body, where=where)
        return self._remember(sent)

    def _remember(self, sent: Sent) -> bytes:
        fields = dict(sent.headers)
        said = fields.get(b"authorization", b"") + sent.query
        found = _SIGNATURE.search(said)
        names = re.search(rb"SignedHeaders=([^&,]+)", said)
        assert found is not None
        assert names is not None
        covered = {name: fields[name] for name in unquote_to_bytes(names[1]).split(b";")}
        self._signed[found[1]] = Signed(sent.method, sent.path, sent.query, covered, sent.body)
        fields[b"content-length"] = b"%d" % len(sent.body)
        target = sent.path + (b"?" + sent.query if sent.query else b"")
        lines = [b"%b %b HTTP/1.1" % (sent.method, target), *(b"%b: %b" % field for field in fields.items())]
        return CRLF.join([*lines, b"", sent.body])


def _bearer(path: bytes, body: bytes, *fields: bytes) -> bytes:
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: moorage.test", b"Authorization: Bearer " + TOKEN, *fields]
    return CRLF.join([*lines, b"Content-Type: text/csv", b"Content-Length: %d" % len(body), b"", body])


def _is_as_signed(asked: Asked, signed: Signed) -> bool:
    path, _, query = _ABSOLUTE.sub(b"", asked.target).partition(b"?")
    unsigned = [name for name, _ in asked.headers if name not in signed.headers]
    return (
        (asked.method, path, asked.body) == (signed.method, signed.path, signed.body)
        and _parameters(query) == _parameters(signed.query)
        and all(_squeezed(b",".join(asked.values(name))) == _squeezed(value) for name, value in signed.headers.items())
        and not any(name == b"host" or name.startswith(b"x-amz-") for name in unsigned)
    )


def _squeezed(value: bytes) -> bytes:
    return b" ".join(value.split())


def _parameters(query: bytes) -> list[tuple[str, str]]:
    return sorted(parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1"))
