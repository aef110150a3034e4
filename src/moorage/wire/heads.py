"""Heads of requests and responses: collected byte by byte, then parsed as a whole.

We find the end of a head and frame bodies ourselves, so httptools sees one head and nothing else, in a parser of its
own (0.5 µs). That is what keeps it in step where its own idea of a message would differ: upgrades, CONNECT, answers to
HEAD. No socket here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

import httptools

from moorage.wire import grammar
from moorage.wire.limits import Limits
from moorage.wire.messages import HeaderList, Refused
from moorage.wire.request import ServerRequest

_END = b"\r\n\r\n"
_SLASH = 0x2F
_CR = 0x0D
_SHORT = 512
_BODILESS = frozenset({204, 304})
_LASTING = (None, b"keep-alive")


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """A valid head. `content_length` is None for a chunked body, -1 for one that ends with the connection."""

    status: int
    headers: HeaderList
    fields: Mapping[bytes, bytes]
    content_length: int | None
    keep_alive: bool


class HeadBuffer:
    """Collects bytes until a head is complete."""

    __slots__ = ("_bytes_max", "_part")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._part = bytearray()

    def __bool__(self) -> bool:
        """Whether part of a head is held."""
        return bool(self._part)

    @property
    def part(self) -> bytes:
        """What is held."""
        return bytes(self._part)

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """The head, with its empty line, and what follows it; None if more is needed. Raises Refused."""
        if not self._part:
            end = data.find(_END)
            if 0 <= end <= self._bytes_max and data[0] != _CR:
                end += 4
                return data[:end], data[end:]
        return self._collect(data)

    def _collect(self, data: bytes) -> tuple[bytes, bytes] | None:
        """For a head in several pieces, or with something before it."""
        if self._part:
            return self._continue(data)
        # A client may put one empty line between two requests (RFC 9112, 2.2); more are a way to keep us busy.
        start = 2 if data.startswith(b"\r\n") else 0
        end = data.find(_END, start)
        if end < 0:
            self._part += data
            self._check_part(seen=0)
            return None
        self._check_size(end - start)
        return data[start : end + 4], data[end + 4 :]

    def _continue(self, data: bytes) -> tuple[bytes, bytes] | None:
        seen = len(self._part)
        self._part += data
        start = 2 if self._part.startswith(b"\r\n") else 0
        end = self._part.find(_END, max(start, seen - 3))
        if end < 0:
            self._check_part(seen=seen)
            return None
        self._check_size(end - start)
        whole = bytes(self._part)
        self._part.clear()
        return whole[start : end + 4], whole[end + 4 :]

    def _check_part(self, *, seen: int) -> None:
        self._check_size(len(self._part))
        grammar.check_partial(self._part, seen)

    def _check_size(self, size: int) -> None:
        if size > self._bytes_max:
            raise Refused(431, "the head is too large")


class _Collector:
    """Takes the header fields from the parser."""

    __slots__ = ("headers",)

    def __init__(self) -> None:
        self.headers: HeaderList = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))


def parse_request(head: bytes, limits: Limits) -> ServerRequest:
    """Parse a complete head. Raises Refused."""
    line = head[: head.index(b"\r\n")]
    method, target, http_11 = grammar.request_line(line, limits.target_bytes)
    headers = _parse(httptools.HttpRequestParser, head, limits.headers)
    fields = dict(headers)
    keep_alive = http_11 or b"connection" in fields
    expect: bytes | None = None
    length: int | None
    if _is_plain(headers, fields) and b"expect" not in fields and b"host" in fields:
        host: bytes | None = grammar.host(fields[b"host"])
        length = _plain_length(fields)
    else:
        values = partial(grammar.values_of, headers)
        host = grammar.host_of(values(b"host"), required=http_11)
        length = grammar.body_length(values(b"content-length"), values(b"transfer-encoding"), http_11=http_11)
        keep_alive = grammar.keeps_alive(values(b"connection"), http_11=http_11)
        expectations = values(b"expect") if http_11 else []
        expect = b",".join(expectations).lower() if expectations else None
    if target[0] != _SLASH:
        target = grammar.origin_form(method, target, host)
    if length is not None and length > limits.body_bytes:
        raise Refused(413, "the body is too large")
    return ServerRequest(
        method,
        target,
        headers,
        fields,
        content_length=length,
        http_11=http_11,
        keep_alive=keep_alive,
        expect=expect,
    )


def parse_response(head: bytes, limits: Limits, *, method: bytes) -> ResponseHead:
    """Parse the complete head of the answer to a request with `method`. Raises Refused.

    What is returned is shared between equal heads: it is not to be changed.
    """
    parse = _parse_short_response if len(head) <= _SHORT else _parse_response
    return parse(head, method, limits.headers)


def _parse_response(head: bytes, method: bytes, headers_max: int) -> ResponseHead:
    status, http_11 = grammar.status_line(head[: head.index(b"\r\n")])
    headers = _parse(httptools.HttpResponseParser, head, headers_max)
    fields = dict(headers)
    length: int | None
    if _is_plain(headers, fields) and b"content-length" in fields:
        keep_alive, length = http_11 or b"connection" in fields, _plain_length(fields)
    else:
        values = partial(grammar.values_of, headers)
        lengths, codings = values(b"content-length"), values(b"transfer-encoding")
        keep_alive = grammar.keeps_alive(values(b"connection"), http_11=http_11)
        length = grammar.body_length(lengths, codings, http_11=http_11) if lengths or codings else -1
    if status in _BODILESS or status < 200 or method == b"HEAD":
        length = 0
    return ResponseHead(status, headers, fields, length, keep_alive and length != -1)


# An instance says the same of one answer after another, but for its length, and perhaps a date that holds for a second:
# remembered, a head costs 0.2 µs instead of 4. A request's head never comes twice, since its signature differs.
_parse_short_response = lru_cache(maxsize=2048)(_parse_response)


def _is_plain(headers: HeaderList, fields: Mapping[bytes, bytes]) -> bool:
    """Whether no field is there twice and none says anything special of the framing: the rule, and then 2 µs less.

    A Connection field, if there is one, says no more than that the connection stays.
    """
    return len(fields) == len(headers) and b"transfer-encoding" not in fields and fields.get(b"connection") in _LASTING


def _plain_length(fields: Mapping[bytes, bytes]) -> int:
    value = fields.get(b"content-length")
    return 0 if value is None else grammar.content_length(value)


def _parse(
    parser: type[httptools.HttpRequestParser | httptools.HttpResponseParser], head: bytes, headers_max: int
) -> HeaderList:
    collector = _Collector()
    try:
        parser(collector).feed_data(head)
    except httptools.HttpParserUpgrade:
        pass  # raised behind the whole head: as if the Upgrade header were absent
    except httptools.HttpParserInvalidMethodError as error:
        raise Refused(405, "the method is not known") from error
    except httptools.HttpParserError as error:
        # The parser has one error for every coding that it cannot frame; ours tells the known ones apart.
        grammar.check_codings(grammar.values_of(collector.headers, b"transfer-encoding") or [b"chunked"])
        raise Refused(400, "the head is malformed") from error
    headers = collector.headers
    if len(headers) > headers_max:
        raise Refused(431, "there are too many headers")
    # The parser leaves white space at the end of a value where it is. (`in` takes three times as long as `find`: it
    # first tries its left side as a number, and fails.)
    if head.find(b" \r\n") >= 0 or head.find(b"\t") >= 0:
        headers = [(name, value.rstrip(b" \t")) for name, value in headers]
    return headers
