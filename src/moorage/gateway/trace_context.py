"""W3C Trace Context: which `traceparent` and `tracestate` of a caller a container gets to see. Pure.

They go on as they came, or not at all: a gateway that records no spans is not part of a trace, so it does not put
itself in as the parent. Of an invocation that it does record (`tracing`), the container finds the span of its own call
as parent. What breaks the grammar is dropped and never refused, as the recommendation has it.

Source: https://www.w3.org/TR/trace-context-2/. No source says that SageMaker passes `X-Amzn-Trace-Id` on: it is not.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from moorage.wire.messages import HeaderList

TRACEPARENT: Final = b"traceparent"
TRACESTATE: Final = b"tracestate"
STATE_BYTES_MAX: Final = 4_096
"""The recommendation asks for 512 at least; what is longer is dropped whole rather than cut."""
_STATE_MEMBERS_MAX: Final = 32
_FUTURE_BYTES_MAX: Final = 256

_IDS: Final = rb"(?!0{32}-)[0-9a-f]{32}-(?!0{16}-)[0-9a-f]{16}-[0-9a-f]{2}"
_PARENT: Final = re.compile(rb"00-%b|(?!00|ff)[0-9a-f]{2}-%b(?:-[!-~]*)?" % (_IDS, _IDS))
_KEY: Final = rb"[a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}"
_MEMBER: Final = re.compile(rb"[ \t]*(?:(?:%b)=[ -+\--<>-~]{0,255}[!-+\--<>-~][ \t]*)?" % _KEY)


class Parent(NamedTuple):
    """What a `traceparent` says."""

    trace_id: int
    span_id: int
    is_sampled: bool


def parent_of(headers: HeaderList) -> Parent | None:
    """The caller's span that a request with these headers is part of; None if there is none."""
    passed = passed_on(headers)
    if not passed:
        return None
    value = passed[0][1]
    return Parent(int(value[3:35], 16), int(value[36:52], 16), is_sampled=bool(int(value[53:55], 16) & 1))


def passed_on(headers: HeaderList) -> HeaderList:
    """The fields of the trace context among `headers` (names in lower case) that a container gets to see.

    Without a valid `traceparent`, or with more than one, there is no context.
    """
    parents = [value for name, value in headers if name == TRACEPARENT]
    if len(parents) != 1 or not _is_traceparent(parents[0]):
        return []
    state = b",".join(value for name, value in headers if name == TRACESTATE)
    if not state or not _is_tracestate(state):
        return [(TRACEPARENT, parents[0])]
    return [(TRACEPARENT, parents[0]), (TRACESTATE, state)]


def trace_id(headers: HeaderList) -> str:
    """The trace that a request with these headers belongs to: 32 hexadecimal digits. Empty if there is none."""
    passed = passed_on(headers)
    return passed[0][1][3:35].decode("ascii") if passed else ""


def _is_traceparent(value: bytes) -> bool:
    """Whether it is one of version 00, or of a later one that begins with what version 00 has."""
    return len(value) <= _FUTURE_BYTES_MAX and _PARENT.fullmatch(value) is not None


def _is_tracestate(value: bytes) -> bool:
    """Whether the list, several fields joined, follows the grammar. Members may be empty."""
    if len(value) > STATE_BYTES_MAX:
        return False
    members = value.split(b",")
    return len(members) <= _STATE_MEMBERS_MAX and all(map(_MEMBER.fullmatch, members))
