import pytest

from moorage.wire import grammar
from moorage.wire.messages import Refused

TARGET_MAX = 8_192


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET / HTTP/1.1", (b"GET", b"/", True)),
        (b"POST /a?b=c HTTP/1.0", (b"POST", b"/a?b=c", False)),
        (b"M-SEARCH * HTTP/1.1", (b"M-SEARCH", b"*", True)),
    ],
)
def test_request_lines_that_are_read(line: bytes, expected: tuple[bytes, bytes, bool]) -> None:
    assert expected == grammar.request_line(line, target_bytes_max=TARGET_MAX)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (400, b""),
        (400, b"GET"),
        (400, b"GET /"),
        (400, b"GET  / HTTP/1.1"),
        (400, b"GET / HTTP/1.1 "),
        (400, b" GET / HTTP/1.1"),
        (400, b"GET\t/ HTTP/1.1"),
        (400, b"GET / http/1.1"),
        (400, b"GET / HTTP/x"),
        (400, b"G(T / HTTP/1.1"),
        (400, b"GET /\x80 HTTP/1.1"),
        (400, b"GET /a#b HTTP/1.1"),
        (505, b"GET / HTTP/0.9"),
        (505, b"GET / HTTP/1.2"),
        (505, b"GET / HTTP/2"),
        (505, b"PRI * HTTP/2.0"),
        (405, b"CONNECT a:80 HTTP/1.1"),
        (405, b"TRACE / HTTP/1.1"),
        (414, b"GET /" + b"a" * TARGET_MAX + b" HTTP/1.1"),
    ],
)
def test_request_lines_that_are_refused(status: int, line: bytes) -> None:
    with pytest.raises(Refused) as caught:
        grammar.request_line(line, target_bytes_max=TARGET_MAX)
    assert status == caught.value.status


@pytest.mark.parametrize(
    ("expected", "method", "target"),
    [
        (b"/a?b", b"GET", b"/a?b"),
        (b"*", b"OPTIONS", b"*"),
        (b"/a", b"GET", b"http://h:1/a"),
        (b"/", b"GET", b"http://h:1"),
        (b"/?q", b"GET", b"HTTP://H:1?q"),
        (b"//x", b"GET", b"//x"),
    ],
)
def test_targets_become_path_and_query(expected: bytes, method: bytes, target: bytes) -> None:
    assert expected == grammar.origin_form(method, target, b"h:1")


@pytest.mark.parametrize(
    ("method", "target"),
    [(b"GET", b"*"), (b"GET", b"a"), (b"GET", b"http://other/a"), (b"GET", b"ftp://h:1/")],
)
def test_targets_that_are_refused(method: bytes, target: bytes) -> None:
    with pytest.raises(Refused) as caught:
        grammar.origin_form(method, target, b"h:1")
    assert 400 == caught.value.status


@pytest.mark.parametrize("value", [b"a", b"a:80", b"a:", b"[::1]:80", b"127.0.0.1:8080", b"a_b.c-d"])
def test_hosts_that_are_taken(value: bytes) -> None:
    assert value == grammar.host_of([value], required=True)


@pytest.mark.parametrize(
    "values",
    [[], [b"a", b"a"], [b""], [b"a b"], [b"a/b"], [b"u@h"], [b"a:b"], [b"a:123456"], [b"[::1"], [b"a\x80"]],
)
def test_hosts_that_are_refused(values: list[bytes]) -> None:
    with pytest.raises(Refused) as caught:
        grammar.host_of(values, required=True)
    assert 400 == caught.value.status


def test_http_10_needs_no_host() -> None:
    assert grammar.host_of([], required=False) is None


@pytest.mark.parametrize(
    ("expected", "lengths", "codings"),
    [
        (0, [], []),
        (0, [b"0"], []),
        (12, [b"12"], []),
        (12, [b"0012"], []),
        (None, [], [b"chunked"]),
        (None, [], [b" Chunked "]),
    ],
)
def test_framings_that_are_understood(expected: int | None, lengths: list[bytes], codings: list[bytes]) -> None:
    assert expected == grammar.body_length(lengths, codings, http_11=True)


@pytest.mark.parametrize(
    ("status", "lengths", "codings", "http_11"),
    [
        (400, [b"1", b"1"], [], True),
        (400, [b"1,1"], [], True),
        (400, [b"+1"], [], True),
        (400, [b"-1"], [], True),
        (400, [b"0x1"], [], True),
        (400, [b""], [], True),
        (400, [b"9" * 19], [], True),
        (400, [b"1"], [b"chunked"], True),
        (400, [], [b"chunked"], False),
        (400, [], [b"identity, chunked"], True),
        (400, [], [b"chunked, chunked"], True),
        (400, [], [b"chunked", b"chunked"], True),
        (400, [], [b"chunked, gzip"], True),
        (400, [], [b"identity"], True),
        (400, [], [b"xchunked"], True),
        (400, [], [b""], True),
        (501, [], [b"gzip"], True),
        (501, [], [b"gzip, chunked"], True),
    ],
)
def test_framings_that_are_refused(status: int, lengths: list[bytes], codings: list[bytes], http_11: bool) -> None:
    with pytest.raises(Refused) as caught:
        grammar.body_length(lengths, codings, http_11=http_11)
    assert status == caught.value.status


@pytest.mark.parametrize(
    ("expected", "connection", "http_11"),
    [
        (True, [], True),
        (False, [], False),
        (False, [b"close"], True),
        (False, [b"Foo, CLOSE"], True),
        (True, [b"keep-alive"], False),
        (False, [b"keep-alive, close"], False),
        (True, [b"upgrade"], True),
    ],
)
def test_persistence(expected: bool, connection: list[bytes], http_11: bool) -> None:
    assert expected == grammar.keeps_alive(connection, http_11=http_11)


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        ((200, True), b"HTTP/1.1 200 OK"),
        ((404, False), b"HTTP/1.0 404 "),
        ((599, True), b"HTTP/1.1 599"),
    ],
)
def test_status_lines_that_are_read(expected: tuple[int, bool], line: bytes) -> None:
    assert expected == grammar.status_line(line)


@pytest.mark.parametrize(
    "line",
    [b"", b"HTTP/1.1", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/2 200 OK", b"HTTP/1.1  200 OK", b"ICY 200 OK"],
)
def test_status_lines_that_are_refused(line: bytes) -> None:
    with pytest.raises(Refused):
        grammar.status_line(line)


@pytest.mark.parametrize("part", [b"\x16\x03\x01", b"GET / HTTP/1.1\n", b"GET /\r ", b"GET\x00", b"A: b\x7f"])
def test_what_cannot_become_a_head_is_refused_at_once(part: bytes) -> None:
    with pytest.raises(Refused):
        grammar.check_partial(part)


@pytest.mark.parametrize("part", [b"", b"G", b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\nHo", b"A: \xc3\tb\r\n"])
def test_what_can_become_a_head_may_wait(part: bytes) -> None:
    grammar.check_partial(part)
