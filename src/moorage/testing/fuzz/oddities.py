"""Spellings that have told parsers apart before: request smuggling, response splitting, leniency. Only tables here."""

from __future__ import annotations

from typing import Final

LENGTHS: Final = (
    b"0", b"1", b"3", b"5", b"05", b"+5", b"-1", b"5,5", b"5, 5", b"5,6", b"0x5", b"5.0", b"5 5", b"1e1", b"",
    b" ", b"_5",
    b"1_0", b"\xb2", b"\xd9\xa3", b"262145", b"6291456", b"6291457", b"5368709121", b"999999999999999999",
    b"18446744073709551616", b"9" * 100, b"five", b"5;x", b"\x0b5", b"5\x00",
)  # fmt: skip
CODINGS: Final = (
    b"chunked", b"CHUNKED", b"chunked ", b"chunked, chunked", b"gzip, chunked", b"identity, chunked", b"chunked, gzip",
    b"identity", b"gzip", b"xchunked", b"chunked;q=1", b"\x0bchunked", b"chunked\x00", b"", b",", b"chunked,",
    b", chunked",
    b"'chunked'", b'"chunked"', b"cow", b"deflate, gzip, chunked",
)  # fmt: skip
HOSTS: Final = (
    b"", b"moorage.test", b"other", b"a b", b"a,b", b"a/b", b"a@b", b"[::1]", b"[::1", b"::1", b"a:99999", b"a:x",
    b"a:",
    b"\xff", b"a\x00", b"a?b", b"a#b", b"%41", b"a" * 300, b"MOORAGE.TEST", b"moorage.test:80",
)  # fmt: skip
CONNECTIONS: Final = (
    b"close", b"keep-alive", b"Close", b"close, keep-alive", b"keep-alive, close", b"upgrade",
    b"Upgrade, HTTP2-Settings",
    b"x", b"", b",", b"content-length", b"host", b"authorization", b"transfer-encoding, content-type", b"closed",
    b"TE",
)  # fmt: skip
FIELDS: Final = (
    b"Expect: 100-continue", b"Expect: 100-Continue", b"Expect: 200-ok", b"Expect:", b"Expect: 100-continue, x",
    b"Upgrade: h2c", b"Upgrade: websocket", b"Upgrade: TLS/1.0", b"TE: trailers", b"Trailer: Content-Length",
    b"X-Amz-Security-Token: x", b"X-Amz-Date: 20261121T025500Z", b"X-Amz-Target: SageMaker.ListEndpoints",
    b"X-Amz-Content-SHA256: UNSIGNED-PAYLOAD", b"X-Amz-Content-SHA256: " + b"0" * 64, b"Authorization: Bearer nobody",
    b"Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=" + b"0" * 64,
    b"X-Amzn-SageMaker-Target-Variant: blue", b"X-Amzn-SageMaker-Target-Variant: \xff", b"Proxy-Connection: close",
    b"X-Amzn-SageMaker-Session-Id: NEW_SESSION", b"X-Amzn-SageMaker-Session-Id: a-0", b"Content-Encoding: gzip",
    b"X-Amzn-SageMaker-Session-Id: \xe9", b"X-Amzn-SageMaker-Target-Model: a", b"X-Amzn-SageMaker-Inference-Id: \xff",
    b"X-Amzn-SageMaker-Inference-Component: \xff", b"X-Amzn-SageMaker-Custom-Attributes: " + b"a" * 1_025,
    b"X-Amzn-SageMaker-Accept: text/event-stream", b"Accept: application/vnd.amazon.eventstream", b"Accept: \xe9",
    b"traceparent: 00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", b"traceparent: \x80", b"tracestate: " + b"a=b," * 60,
    b"Cookie: a=b", b"X-Forwarded-For: 1.2.3.4", b"Content-Type: \xff", b"Content-Type:", b"Content-Type: a\tb",
    b"Keep-Alive: timeout=5", b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA", b"X-HTTP-Method-Override: GET",
)  # fmt: skip
BAD_FIELDS: Final = (
    b"no colon", b": no name", b"X : y", b" X: y", b"\tfolded", b" folded", b"X\x00: y", b"X: \x00", b"X: a\rb",
    b"X: a\nb",
    b"X: a\r\r", b"X\xe9: y", b"X(): y", b"X: \x7f", b"X: \x0b", b"X: \x1b[0m", b"", b"X:\r\n y", b"X\r: y", b"X\n: y",
    b"Content-Length : 5", b"Transfer-Encoding : chunked", b"Content-Length\t: 5", b"Transfer-Encoding:\r\n chunked",
    b"Content_Length: 5", b"Content-Length\x00: 5", b"Transfer-Encoding\x0b: chunked", b"[]: y", b'"X": y', b"X;: y",
)  # fmt: skip
METHODS: Final = (
    b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"post", b"Post", b"",
    b"P OST",
    b"PRI", b"MKCOL", b"SOURCE", b"COW", b"P\x00ST", b"\xc9", b"QUERY", b"POST/", b"A" * 300, b"PO\tST", b"M-SEARCH",
)  # fmt: skip
TARGETS: Final = (
    b"/", b"*", b"", b"//", b"/health", b"/health?x", b"/Health", b"/../health", b"/endpoints/iris/invocations",
    b"/endpoints/iris/invocations/", b"/endpoints/iris/async-invocations", b"/endpoints/nobody/invocations",
    b"/endpoints/iris/invocations-response-stream", b"/endpoints//invocations", b"/endpoints/%69ris/invocations",
    b"/endpoints/iris%2Finvocations", b"/endpoints/iris%00/invocations", b"/endpoints/\xff/invocations",
    b"/endpoints/" + b"a" * 64 + b"/invocations", b"/endpoints/iris/invocations#a", b"/endpoints/iris/invocations?a=b",
    b"/endpoints/iris/./invocations", b"/endpoints/x/../iris/invocations", b"//endpoints/iris/invocations", b"/%",
    b"http://moorage.test/endpoints/iris/invocations", b"http://other/endpoints/iris/invocations", b"http:///x",
    b"HTTP://MOORAGE.TEST/health", b"https://moorage.test:443", b"ftp://a/", b"moorage.test:80", b"a b", b"/a\tb",
    b"/a\x00b", b"/a\x7f", b"/" + b"a" * 8_200, b"/bucket/key", b"/bucket/key?partNumber=1&uploadId=x", b"http://a@b/",
    b"/ping", b"/invocations", b"?", b"/endpoints/iris/invocations?X-Amz-Signature=" + b"0" * 64, b"\\", b"/\xe9",
    b"/endpoints/iris%20/invocations", b"/endpoints/-iris/invocations", b"/endpoints/%/invocations",
)  # fmt: skip
VERSIONS: Final = (
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/2", b"HTTP/1.2", b"HTTP/1", b"http/1.1",
    b"HTTP/1.1 ", b"",
    b"HTTP/01.1", b"HTTP/1.01", b"HTTP/1.10", b"HTTP/11", b"HTP/1.1", b"HTTP/1.1 x", b"HTTP/1,1", b"HTTP/-1.1",
    b"ICE/1.0",
    b"HTTP/1.\x00", b"HTTP /1.1", b"RTSP/1.0",
)  # fmt: skip
LINE_ENDS: Final = (
    b"\n",
    b"\r",
    b"\r\r\n",
    b"\n\r",
    b"\r\n\r\n",
    b"",
    b" \r\n",
    b"\t\r\n",
    b"\x0b\r\n",
    b"\x00\r\n",
    b"\r\n ",
)
HEAD_ENDS: Final = (b"\n", b"\r", b"", b"\n\r\n", b"\r\n\r\n", b"\r\r\n", b" \r\n", b"\x00\r\n")
SIZES: Final = (
    b"0x%x", b"+%x", b"-%x", b" %x", b"%x ", b"%x;a=b", b"%x;", b'%x;a="b\r\n"', b"%x\n", b"000000%x",
    b"%x;" + b"a" * 300,
    b"%x\x00", b"%x;\x00", b"%xg", b"%x\t", b"%x\r", b"0" * 20 + b"%x", b"1000%x", b"fffffffffffffff%x", b"%x;a\n",
)  # fmt: skip
TRAILERS: Final = (
    b"X: y\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: other\r\n", b"X : y\r\n",
    b"no colon\r\n",
    b"X: \x00\r\n", b" folded\r\n", b"X: y\n", b"X: a\rb\r\n", b"X: " + b"a" * 9_000 + b"\r\n", b"X: y\r\n" * 200,
)  # fmt: skip
STATUS_LINES: Final = (
    b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.0 200 OK", b"HTTP/2 200 OK", b"HTTP/1.1 99 X", b"HTTP/1.1 600 X",
    b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 100 Continue", b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 X",
    b"HTTP/1.1 301 Moved", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 500 Oops", b"HTTP/1.1  200 OK", b"HTTP/1.1 2000 OK",
    b"HTTP/1.1 20 OK", b"http/1.1 200 OK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\rK", b"200 OK", b"", b"ICY 200 OK",
    b"HTTP/1.1 -200 OK", b"HTTP/1.1 2OO OK", b"HTTP/1.1\t200 OK", b"HTTP/1.1 206 Partial", b"HTTP/1.1 205 Reset",
)  # fmt: skip
