"""Examples are the recommendation's own where it has some."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.gateway.trace_context import (
    STATE_BYTES_MAX,
    TRACEPARENT,
    TRACESTATE,
    Parent,
    parent_of,
    passed_on,
    trace_id,
)

PARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
STATE = b"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"


@pytest.mark.parametrize(
    "parent",
    [
        PARENT,
        PARENT[:-2] + b"ff",
        b"01" + PARENT[2:],
        b"cc" + PARENT[2:] + b"-what-the-future-will-be-like",
    ],
)
def test_what_is_valid_goes_on_as_it_came(parent: bytes) -> None:
    headers = [(b"accept", b"*/*"), (TRACEPARENT, parent), (TRACESTATE, STATE)]
    assert [(TRACEPARENT, parent), (TRACESTATE, STATE)] == passed_on(headers)
    assert "4bf92f3577b34da6a3ce929d0e0e4736" == trace_id(headers)


@pytest.mark.parametrize(
    "parent",
    [
        b"",
        PARENT.upper(),
        b"ff" + PARENT[2:],
        PARENT + b"-",
        PARENT + b"-00",
        PARENT[:-1],
        PARENT.replace(b"-", b"_"),
        b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        b"cc" + PARENT[2:] + b".what",
        b"cc" + PARENT[2:] + b"-" + b"x" * 300,
        b"cc" + PARENT[2:] + b"-a b",
        PARENT + b"\n",
    ],
)
def test_without_a_valid_parent_there_is_no_context(parent: bytes) -> None:
    assert [] == passed_on([(TRACEPARENT, parent), (TRACESTATE, STATE)])
    assert "" == trace_id([(TRACEPARENT, parent)])


def test_two_parents_are_none() -> None:
    assert [] == passed_on([(TRACEPARENT, PARENT), (TRACEPARENT, PARENT)])
    assert [] == passed_on([(TRACESTATE, STATE)])


@pytest.mark.parametrize(
    ("expected", "states"),
    [
        (b"a=1,b=2", [b"a=1", b"b=2"]),
        (b"a=1 , \tb=2 ", [b"a=1 , \tb=2 "]),
        (b"a=1,,b=2", [b"a=1,", b"b=2"]),
        (b"fw529a3039@dt=FfD=x".replace(b"=x", b""), [b"fw529a3039@dt=FfD"]),
        (b"a=b c", [b"a=b c"]),
        (b"0v/*-_=~!", [b"0v/*-_=~!"]),
        (None, [b"a"]),
        (None, [b"=1"]),
        (None, [b"a="]),
        (None, [b"A=1"]),
        (None, [b"a =1"]),
        (None, [b"a=1=2"]),
        (None, [b"a=\xff"]),
        (None, [b"a=x\ty"]),
        (None, [b"a@b@c=1"]),
        (None, [b"a=" + b"x" * 257]),
        (None, [b"x" * 257 + b"=1"]),
        (None, [b",".join(b"k%d=1" % n for n in range(33))]),
        (None, [b",".join(b"k%d=%b" % (n, b"x" * 250) for n in range(20))]),
    ],
)
def test_a_state_follows_the_grammar_or_stays_behind(expected: bytes | None, states: list[bytes]) -> None:
    passed = passed_on([(TRACEPARENT, PARENT), *((TRACESTATE, state) for state in states)])
    assert [(TRACEPARENT, PARENT), *([(TRACESTATE, expected)] if expected else [])] == passed


@given(st.lists(st.tuples(st.sampled_from([TRACEPARENT, TRACESTATE]), st.sampled_from([PARENT, STATE]) | st.binary())))
def test_whatever_comes_what_goes_on_is_short_and_fit_for_a_header(headers: list[tuple[bytes, bytes]]) -> None:
    for name, value in passed_on(headers):
        assert name in (TRACEPARENT, TRACESTATE)
        assert STATE_BYTES_MAX >= len(value) > 0
        assert all(byte == 0x09 or 0x20 <= byte <= 0x7E for byte in value)


@pytest.mark.parametrize(("flags", "is_sampled"), [(b"01", True), (b"03", True), (b"00", False), (b"02", False)])
def test_a_parent_is_what_the_caller_says(flags: bytes, *, is_sampled: bool) -> None:
    headers = [(TRACEPARENT, PARENT[:-2] + flags), (TRACESTATE, STATE)]
    assert Parent(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, is_sampled) == parent_of(headers)


def test_without_a_valid_traceparent_there_is_no_parent() -> None:
    assert parent_of([(TRACESTATE, STATE)]) is None
    assert parent_of([(TRACEPARENT, PARENT), (TRACEPARENT, PARENT)]) is None
