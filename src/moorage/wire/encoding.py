"""Heads and chunks as they go out."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus

from moorage.wire.messages import HeaderList

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Header fields that concern one connection and are never passed on."""


def response(status: int, headers: HeaderList | bytes, framing: bytes, body: bytes) -> bytes:
    """A response, or the beginning of one. `framing` holds the wire layer's own fields, each ending in CR LF."""
    fields = headers if isinstance(headers, bytes) else _fields(headers)
    return b"%b%b%b\r\n%b" % (_status_line(status), fields, framing, body)


def request_head(method: bytes, target: bytes, headers: HeaderList, framing: bytes) -> bytes:
    """A request's head."""
    return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (method, target, _fields(headers), framing)


def chunk(data: bytes) -> bytes:
    """One chunk; `data` is not empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _fields(headers: HeaderList) -> bytes:
    fields = b"".join([b"%b: %b\r\n" % field for field in headers])
    if fields.count(b"\n") != len(headers) or fields.count(b"\r") != len(headers) or b"\0" in fields:
        raise ValueError("a header field holds a line break or NUL")
    return fields


@lru_cache(maxsize=600)
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return b"HTTP/1.1 %d %b\r\n" % (status, phrase.encode("ascii"))
