from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.wire.heads import HeadBuffer, parse_request, parse_response
from moorage.wire.limits import Limits
from moorage.wire.messages import Refused
from moorage.wire.request import ServerRequest

LIMITS = Limits()

fragments = st.sampled_from(
    [
        b"GET", b"POST", b"OPTIONS", b" ", b"  ", b"/", b"/a?b=c", b"*", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"\r\n",
        b"\n", b"\r", b"\t", b"\x00", b"\x80", b"Host: a", b"Host:", b"Host: a, b", b"Content-Length: 3",
        b"Content-Length: 3, 3", b"Content-Length: +3", b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked", b"X: y", b"X : y", b" X: y", b": y", b"Connection: close",
        b"Upgrade: h2c", b"Connection: upgrade", b"Expect: 100-continue", b"#", b"http://a/b",
    ]
)  # fmt: skip
ODD_HEADS = st.lists(fragments, max_size=12).map(
    lambda parts: b"".join(parts).replace(b"\r\n\r\n", b"\r\n") + b"\r\n\r\n"
)
LIKELY_HEADS = st.builds(
    lambda method, target, version, fields: b"\r\n".join([b" ".join([method, target, version]), *fields]) + b"\r\n\r\n",
    st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH"]),
    st.sampled_from([b"/", b"/a?b=c", b"*", b"http://a/b", b"/%41;x"]),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.0"]),
    st.lists(fragments.filter(lambda part: b"\r\n" not in part), max_size=4).map(lambda odd: [b"Host: a", *odd]),
)


def ours(head: bytes) -> ServerRequest | None:
    try:
        return parse_request(head, LIMITS)
    except Refused:
        return None


def h11s(head: bytes) -> h11.Request | None:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(head)
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError:
        return None
    return event if isinstance(event, h11.Request) else None


@given(st.one_of(ODD_HEADS, LIKELY_HEADS))
def test_what_we_accept_h11_accepts_and_reads_alike(head: bytes) -> None:
    if head.startswith(b"\r\n"):
        return
    found = ours(head)
    if found is None:
        return
    oracle = h11s(head)
    assert oracle is not None, head
    assert oracle.method == found.method
    assert [(name, value) for name, value in oracle.headers] == found.headers
    assert found.target in (oracle.target, b"/b")


TOKENS = st.text("abcdefgXYZ-_!~09", min_size=1, max_size=12).map(str.encode)
VALUES = st.text("abc XYZ,;=\"'()/\t09", max_size=20).map(lambda value: value.strip(" \t").encode())
RESERVED = {b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"}


@given(
    st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"PATCH"]),
    st.text("abc/?&=%.-~", max_size=30).map(lambda rest: b"/" + rest.encode()),
    st.lists(st.tuples(TOKENS.filter(lambda name: name.lower() not in RESERVED), VALUES), max_size=8),
)
def test_what_is_valid_is_read_as_it_was_sent(method: bytes, target: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: a", *(name + b": " + value for name, value in fields)]
    found = ours(b"\r\n".join(lines) + b"\r\n\r\n")
    assert found is not None
    assert (method, target) == (found.method, found.target)
    assert [(b"host", b"a"), *((name.lower(), value) for name, value in fields)] == found.headers


@given(st.lists(st.integers(0, 60), max_size=6))
def test_a_head_is_found_however_it_is_cut(at: list[int]) -> None:
    head, after = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"body\r\n\r\n"
    for empty_line in (b"", b"\r\n"):
        wire = empty_line + head + after
        edges = [0, *sorted(min(cut, len(wire)) for cut in at), len(wire)]
        buffer, found = HeadBuffer(1_000), None
        for start, end in pairwise(edges):
            part = wire[start:end]
            found = buffer.feed(part) if found is None else (found[0], found[1] + part)
        assert (head, after) == found
        assert not buffer


def test_a_head_may_not_be_too_large() -> None:
    with pytest.raises(Refused) as caught:
        HeadBuffer(50).feed(b"GET / HTTP/1.1\r\nHost: " + b"a" * 50)
    assert 431 == caught.value.status
    with pytest.raises(Refused) as caught:
        parse_request(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n", LIMITS)
    assert 431 == caught.value.status


@pytest.mark.parametrize(
    ("expected", "method", "head"),
    [
        (3, b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
        (None, b"GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (-1, b"GET", b"HTTP/1.1 200 OK\r\n\r\n"),
        (0, b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
        (0, b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (0, b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"),
        (0, b"GET", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_how_answers_are_framed(expected: int | None, method: bytes, head: bytes) -> None:
    assert expected == parse_response(head, LIMITS, method=method).content_length


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 3\r\nContent-Length: 3\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Content-Length: -3\r\n",
        b"X\r\n",
        b"X: a\x00b\r\n",
        b"X: a\r\n b\r\n",
    ],
)
def test_answers_that_are_refused(fields: bytes) -> None:
    with pytest.raises(Refused):
        parse_response(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n", LIMITS, method=b"GET")
