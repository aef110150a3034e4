"""What a server on the wire layer answers to each of a table of requests, over a real socket.

Each case is followed by a valid request on the same connection. A case that keeps the connection must see it answered;
one that closes must not, since what follows it may be anything.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from waiting import PATIENCE_S

from moorage.wire.limits import Limits
from moorage.wire.messages import Request, Response
from moorage.wire.server import Server, serve

H = b"Host: a\r\n"
GET = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n" + H
TE = POST + b"Transfer-Encoding: chunked\r\n\r\n"
AFTER = b"GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LIMITS = Limits(body_bytes=1_000, linger_s=PATIENCE_S)


def line(request_line: bytes) -> bytes:
    return request_line + b"\r\n" + H + b"\r\n"


def get(fields: bytes) -> bytes:
    return GET + H + fields + b"\r\n"


def post(fields: bytes, body: bytes = b"") -> bytes:
    return POST + fields + b"\r\n" + body


KEPT: list[tuple[int, bytes]] = [
    (200, get(b"")),
    (200, b"\r\n" + get(b"")),
    (200, line(b"HEAD / HTTP/1.1")),
    (200, line(b"PUT /a/b?c=d&e HTTP/1.1")),
    (200, line(b"DELETE /%2F%00 HTTP/1.1")),
    (200, line(b"PATCH / HTTP/1.1")),
    (200, line(b"OPTIONS * HTTP/1.1")),
    (200, line(b"OPTIONS / HTTP/1.1")),
    (200, line(b"GET http://a/x HTTP/1.1")),
    (200, line(b"GET HTTP://A HTTP/1.1")),
    (200, line(b"GET //a//b/../c HTTP/1.1")),
    (200, line(b"GET /" + b"a" * 8_000 + b" HTTP/1.1")),
    (200, GET + b"hOST: a:8080\r\n\r\n"),
    (200, GET + b"Host:a\r\n\r\n"),
    (200, GET + b"Host: \t a \t \r\n\r\n"),
    (200, GET + b"Host: [::1]:80\r\n\r\n"),
    (200, get(b"X:\r\n")),
    (200, get(b"X: \x80\xff\r\n")),
    (200, get(b"X: a\tb\r\n")),
    (200, get(b"!#$%&'*+-.^_`|~: a\r\n")),
    (200, get(b"X: a\r\n" * 99)),
    (200, get(b"X: " + b"a" * 60_000 + b"\r\n")),
    (200, get(b"Connection: keep-alive\r\n")),
    (200, get(b"Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n")),
    (200, get(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n")),
    (200, get(b"Upgrade: TLS/1.0\r\n")),
    (200, post(b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n", b"abc")),
    (200, post(b"Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n", b"1\r\na\r\n0\r\n\r\n")),
    (200, post(b"Content-Length: 0\r\n")),
    (200, post(b"Content-Length: 3\r\n", b"abc")),
    (200, post(b"Content-Length: 0003\r\n", b"abc")),
    (200, post(b"Content-Length: 26\r\n", b"GET /smuggled HTTP/1.1\r\n\r\n")),
    (200, get(b"Content-Length: 3\r\n") + b"abc"),
    (200, post(b"Content-Length: 1000\r\n", b"a" * 1000)),
    (200, TE + b"0\r\n\r\n"),
    (200, TE + b"3\r\nabc\r\n0\r\n\r\n"),
    (200, TE + b"0003\r\nabc\r\n00\r\n\r\n"),
    (200, TE + b"A\r\n0123456789\r\n0\r\n\r\n"),
    (200, TE + b"a\r\n0123456789\r\n0\r\n\r\n"),
    (200, TE + b"3;x=y\r\nabc\r\n0;z\r\n\r\n"),
    (200, TE + b'3;x="y;z"\r\nabc\r\n0\r\n\r\n'),
    (200, TE + b"0\r\nX-Trailer: y\r\n\r\n"),
    (200, TE + b"3\r\nabc\r\n0\r\nX-Trailer: y\r\nX-Other: z\r\n\r\n"),
    (200, post(b"tRANSFER-eNCODING:\tCHUNKED \r\n", b"0\r\n\r\n")),
    (200, post(b"Expect: 100-continue\r\nContent-Length: 3\r\n", b"abc")),
    (200, post(b"Expect: 100-CONTINUE\r\nContent-Length: 3\r\n", b"abc")),
    (417, get(b"Expect: something\r\n")),
    (417, get(b"Expect: 100-continue, other\r\n")),
]

CLOSED: list[tuple[int, bytes]] = [
    # the request line
    (400, b"\r\n\r\n" + get(b"")),
    (400, b"\n" + get(b"")),
    (400, b" " + get(b"")),
    (400, b"\x00" + get(b"")),
    (400, b"\xef\xbb\xbf" + get(b"")),
    (400, line(b"GET")),
    (400, line(b"GET /")),
    (400, line(b"GET  / HTTP/1.1")),
    (400, line(b"GET /  HTTP/1.1")),
    (400, line(b"GET / HTTP/1.1 ")),
    (400, line(b"GET\t/\tHTTP/1.1")),
    (400, line(b"GET / HTTP/1.1 x")),
    (400, line(b"GET /a b HTTP/1.1")),
    (400, line(b"GET / http/1.1")),
    (400, line(b"GET / HTP/1.1")),
    (400, line(b"GET / RTSP/1.0")),
    (400, line(b"GET / ICE/1.0")),
    (400, line(b"GET / HTTP/1,1")),
    (400, line(b"GET / HTTP/11x")),
    (400, line(b"GET / HTTP /1.1")),
    (505, line(b"GET / HTTP/0.9")),
    (505, line(b"GET / HTTP/1.2")),
    (505, line(b"GET / HTTP/1.10")),
    (505, line(b"GET / HTTP/01.1")),
    (505, line(b"GET / HTTP/2.0")),
    (505, line(b"GET / HTTP/3")),
    (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    (400, b"G@T / HTTP/1.1\r\n" + H + b"\r\n"),
    (400, b"G(T) / HTTP/1.1\r\n" + H + b"\r\n"),
    (400, b"G\x80T / HTTP/1.1\r\n" + H + b"\r\n"),
    (405, line(b"FOO / HTTP/1.1")),
    (405, line(b"get / HTTP/1.1")),
    (405, line(b"GETT / HTTP/1.1")),
    (405, line(b"TRACE / HTTP/1.1")),
    (405, line(b"CONNECT a:443 HTTP/1.1")),
    (405, line(b"CONNECT / HTTP/1.1")),
    # the target
    (400, line(b"GET * HTTP/1.1")),
    (400, line(b"POST * HTTP/1.1")),
    (400, line(b"OPTIONS ** HTTP/1.1")),
    (400, line(b"GET a HTTP/1.1")),
    (400, line(b"GET ?a HTTP/1.1")),
    (400, line(b"GET a:80 HTTP/1.1")),
    (400, line(b"GET \\a HTTP/1.1")),
    (400, line(b"GET /#a HTTP/1.1")),
    (400, line(b"GET /\x80 HTTP/1.1")),
    (400, line(b"GET /\x7f HTTP/1.1")),
    (400, line(b"GET /\x00 HTTP/1.1")),
    (400, line(b"GET /\x1b HTTP/1.1")),
    (400, line(b"GET http://b/ HTTP/1.1")),
    (400, line(b"GET http:/// HTTP/1.1")),
    (400, line(b"GET http://u@a/ HTTP/1.1")),
    (400, line(b"GET ftp://a/ HTTP/1.1")),
    (400, line(b"GET file:///etc/passwd HTTP/1.1")),
    (414, line(b"GET /" + b"a" * 8_192 + b" HTTP/1.1")),
    # Host
    (400, GET + b"\r\n"),
    (400, GET + b"X: a\r\n\r\n"),
    (400, GET + H + H + b"\r\n"),
    (400, GET + H + b"Host: b\r\n\r\n"),
    (400, GET + b"Host:\r\n\r\n"),
    (400, GET + b"Host: a b\r\n\r\n"),
    (400, GET + b"Host: a/b\r\n\r\n"),
    (400, GET + b"Host: a?b\r\n\r\n"),
    (400, GET + b"Host: a#b\r\n\r\n"),
    (400, GET + b"Host: u@a\r\n\r\n"),
    (400, GET + b"Host: a:b\r\n\r\n"),
    (400, GET + b"Host: a:80:80\r\n\r\n"),
    (400, GET + b"Host: a:999999\r\n\r\n"),
    (400, GET + b"Host: [::1\r\n\r\n"),
    (400, GET + b"Host: [x]\r\n\r\n"),
    (400, GET + b"Host: \x80\r\n\r\n"),
    (400, GET + b"Host: http://a\r\n\r\n"),
    (400, b"GET / HTTP/1.0\r\n" + H + H + b"\r\n"),
    # fields
    (400, get(b"X\r\n")),
    (400, get(b": a\r\n")),
    (400, get(b"X : a\r\n")),
    (400, get(b"X\t: a\r\n")),
    (400, get(b" X: a\r\n")),
    (400, GET + b" X: a\r\n" + H + b"\r\n"),
    (400, get(b"X: a\r\n b\r\n")),
    (400, get(b"X: a\r\n\tb\r\n")),
    (400, get(b"X: a\x00\r\n")),
    (400, get(b"X: a\x01\r\n")),
    (400, get(b"X: a\x7f\r\n")),
    (400, get(b"X: a\x0b\r\n")),
    (400, get(b"X: a\rb\r\n")),
    (400, get(b"X: a\r\r\n")),
    (400, get(b"X: a\nY: b\r\n")),
    (400, get(b"X\x00: a\r\n")),
    (400, get(b"X\x80: a\r\n")),
    (400, get(b"X(: a\r\n")),
    (400, get(b"X/: a\r\n")),
    (400, get(b'"X": a\r\n')),
    (400, get(b"X Y: a\r\n")),
    (400, GET.replace(b"\r\n", b"\n") + H + b"\r\n"),
    (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    (400, b"GET / HTTP/1.1\rHost: a\r\r"),
    (431, get(b"X: a\r\n" * 100)),
    (431, get(b"X: " + b"a" * 66_000 + b"\r\n")),
    (431, get(b"X" * 66_000 + b": a\r\n")),
    (431, GET + b"a" * 70_000),
    # framing
    (400, post(b"Content-Length: \r\n", b"abc")),
    (400, post(b"Content-Length: +3\r\n", b"abc")),
    (400, post(b"Content-Length: -3\r\n", b"abc")),
    (400, post(b"Content-Length: 3 3\r\n", b"abc")),
    (400, post(b"Content-Length: 3,3\r\n", b"abc")),
    (400, post(b"Content-Length: 3, 4\r\n", b"abc")),
    (400, post(b"Content-Length: 0x3\r\n", b"abc")),
    (400, post(b"Content-Length: 3.0\r\n", b"abc")),
    (400, post(b"Content-Length: 3e0\r\n", b"abc")),
    (400, post(b"Content-Length: three\r\n", b"abc")),
    (400, post(b"Content-Length: \xb3\r\n", b"abc")),
    (400, post(b"Content-Length: " + b"9" * 30 + b"\r\n")),
    (400, post(b"Content-Length: 18446744073709551619\r\n", b"abc")),
    (400, post(b"Content-Length: 3\r\nContent-Length: 3\r\n", b"abc")),
    (400, post(b"Content-Length: 3\r\nContent-Length: 4\r\n", b"abc")),
    (400, post(b"Content-Length: 3\r\ncontent-length: 0\r\n", b"abc")),
    (400, post(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n", b"abc")),
    (400, post(b"Transfer-Encoding: identity\r\n")),
    (400, post(b"Transfer-Encoding: identity, chunked\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: chunkedx\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding:\r\n", b"0\r\n\r\n")),
    (400, post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding: chunked;x=y\r\n", b"0\r\n\r\n")),
    (400, post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n")),
    (501, post(b"Transfer-Encoding: gzip\r\n")),
    (501, post(b"Transfer-Encoding: deflate\r\n")),
    (501, post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n")),
    (400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (413, post(b"Content-Length: 1001\r\n")),
    (413, post(b"Expect: 100-continue\r\nContent-Length: 1001\r\n")),
    (413, post(b"Content-Length: 999999999999999999\r\n")),
    (417, post(b"Expect: other\r\nContent-Length: 3\r\n")),
    # chunks
    (400, TE + b"\r\n\r\n"),
    (400, TE + b"x\r\n\r\n"),
    (400, TE + b"-1\r\na\r\n"),
    (400, TE + b"+1\r\na\r\n"),
    (400, TE + b"0x1\r\na\r\n"),
    (400, TE + b"1 \r\na\r\n0\r\n\r\n"),
    (400, TE + b" 1\r\na\r\n0\r\n\r\n"),
    (400, TE + b"1_0\r\na\r\n"),
    (400, TE + b"1\na\r\n0\r\n\r\n"),
    (400, TE + b"1\ra\r\n0\r\n\r\n"),
    (400, TE + b"1\r\na\n0\r\n\r\n"),
    (400, TE + b"1\r\nab\r\n0\r\n\r\n"),
    (400, TE + b"2\r\na\r\n0\r\n\r\n"),
    (400, TE + b"1\r\na0\r\n\r\n"),
    (400, TE + b"1;\x00\r\na\r\n0\r\n\r\n"),
    (400, TE + b"1;\n\r\na\r\n0\r\n\r\n"),
    (400, TE + b"1;" + b"x" * 300 + b"\r\na\r\n0\r\n\r\n"),
    (400, TE + b"1;" + b"x" * 9_000),
    (400, TE + b"0" * 20 + b"\r\n\r\n"),
    (400, TE + b"f" * 16 + b"\r\na"),
    (400, TE + b"f" * 17 + b"\r\na"),
    (413, TE + b"fffffffffffffff\r\na"),
    (413, TE + b"3e9\r\na"),
    (413, TE + b"3e8\r\n" + b"a" * 1_000 + b"\r\n1\r\na\r\n0\r\n\r\n"),
    (400, TE + b"0\r\n\n"),
    (400, TE + b"0\r\nX\r\n\r\n"),
    (400, TE + b"0\r\nX : a\r\n\r\n"),
    (400, TE + b"0\r\n X: a\r\n\r\n"),
    (400, TE + b"0\r\nX: a\x00\r\n\r\n"),
    (400, TE + b"3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n"),
    (400, TE + b"3\r\nabc\r\n0\r\nHost: b\r\n\r\n"),
    (400, TE + b"0\r\ntransfer-encoding: chunked\r\n\r\n"),
    (400, TE + b"0\r\nX: " + b"a" * 9_000 + b"\r\n\r\n"),
    (400, TE + b"0\r\n" + b"X: a\r\n" * 3_000 + b"\r\n"),
    # what was not spoken as asked ends the connection
    (200, get(b"Connection: close\r\n")),
    (200, get(b"Connection: foo, Close\r\n")),
    (200, b"GET / HTTP/1.0\r\n\r\n"),
    (200, b"GET / HTTP/1.0\r\nConnection: close\r\n" + H + b"\r\n"),
]


async def answer_with_the_body(request: Request) -> Response:
    return Response(200, [], await request.read(LIMITS.body_bytes) + request.path)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = await serve(answer_with_the_body, path=tmp_path / "s", limits=LIMITS)
    yield server
    await server.close(grace_s=1)
    assert 0 == server.connections


async def ask(path: Path, parts: list[bytes]) -> list[int]:
    """The statuses answered on one connection until the server ends it."""
    loop = asyncio.get_running_loop()
    answers = b""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, str(path))
        with contextlib.suppress(BrokenPipeError):
            for part in parts:
                await loop.sock_sendall(sock, part)
                await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            while piece := await loop.sock_recv(sock, 65_536):
                answers += piece
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d\d\d) ", answers)]
    return [status for status in statuses if status != 100]


def test_the_table_is_long_enough() -> None:
    assert len(KEPT) + len(CLOSED) >= 150
    assert len(KEPT) + len(CLOSED) == len({case for _, case in KEPT + CLOSED})


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("step", [100_000, 7, 1])
async def test_every_case_of_the_table_however_it_is_cut(tmp_path: Path, step: int) -> None:
    wrong = []
    for cases, after in ((KEPT, [200]), (CLOSED, [])):
        for status, raw in cases:
            if step < 100_000 and len(raw) > 300:
                continue
            wire = raw + AFTER
            statuses = await ask(tmp_path / "s", [wire[at : at + step] for at in range(0, len(wire), step)])
            if [status, *after] != statuses:
                wrong.append((status, statuses, raw[:80]))
    assert [] == wrong
