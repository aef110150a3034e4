"""What stands behind a gateway that is fuzzed: an instance and a control that check every byte they are sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, cast

import h11

from moorage.testing.fuzz.oracle import Asked

Judge = Callable[[Asked], str]
"""What is wrong with a request; empty if nothing is."""

_STRAY: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n)")
_FOR_INSTANCES: Final = frozenset(
    {
        b"host", b"content-length", b"content-type", b"accept", b"traceparent", b"tracestate",
        b"x-amzn-sagemaker-custom-attributes", b"x-amzn-sagemaker-inference-id", b"x-amzn-sagemaker-session-id",
        b"x-amzn-requestid",
    }
)  # fmt: skip
_NOT_FOR_CONTROL: Final = frozenset({b"connection", b"upgrade", b"te", b"proxy-connection", b"keep-alive", b"trailer"})


@dataclass(slots=True)
class Recorder:
    """What has reached a peer, and what was wrong with it."""

    judge: Judge
    reply: bytes
    """What an answer's body begins with; what was asked follows."""
    count: int = 0
    complaints: list[str] = field(default_factory=list)
    transports: set[asyncio.Transport] = field(default_factory=set)
    """The connections that are open."""

    def hang_up(self) -> None:
        """Cut them: what is still open when a test's loop ends would be complained of in somebody else's test."""
        for transport in tuple(self.transports):
            transport.abort()

    def complain(self, what: str, raw: bytes) -> None:
        """Something has reached a peer that must not."""
        self.complaints.append(f"{what}: {raw[:600]!r}")


class Peer(asyncio.Protocol):
    """One connection of the gateway's to a peer, read by h11."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        self._asked: Asked | None = None
        self._raw = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._recorder.transports.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._recorder.transports.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._raw += data
        try:
            self._connection.receive_data(data)
            self._read()
        except h11.RemoteProtocolError as error:
            self._recorder.complain(f"h11 says {error}", self._raw)
            self._transport.abort()

    def _read(self) -> None:
        while True:
            event = self._connection.next_event()
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                assert self._asked is not None
                self._asked.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._answer()
            else:
                return

    def _begin(self, event: h11.Request) -> None:
        headers = [(bytes(name), bytes(value)) for name, value in event.headers]
        self._asked = Asked(bytes(event.method), bytes(event.target), headers, event.http_version == b"1.1")
        head = self._raw.partition(b"\r\n\r\n")[0]
        if _STRAY.search(head):
            self._recorder.complain("a control character in a head", self._raw)
        if b"100-continue" in [value.lower() for value in self._asked.values(b"expect")]:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _answer(self) -> None:
        asked, recorder = self._asked, self._recorder
        assert asked is not None
        recorder.count += 1
        if wrong := recorder.judge(asked):
            recorder.complain(wrong, self._raw)
        body = recorder.reply + (b"" if asked.method == b"GET" else asked.body)
        fields = [(b"Content-Length", b"%d" % len(body)), (b"X-From", b"peer")]
        head = self._connection.send(h11.Response(status_code=200, headers=fields))
        assert head is not None
        if asked.method != b"HEAD":
            head += self._connection.send(h11.Data(data=body)) or b""
        self._transport.write(head + (self._connection.send(h11.EndOfMessage()) or b""))
        self._connection.start_next_cycle()
        self._raw = self._connection.trailing_data[0]


def for_instance(asked: Asked) -> str:
    """An instance is sent invocations and pings, with no more than it may know."""
    if (asked.method, asked.target) == (b"GET", b"/ping"):
        return ""
    if (asked.method, asked.target) != (b"POST", b"/invocations") or not asked.http_11:
        return "neither a ping nor an invocation"
    if surplus := {name for name, _ in asked.headers} - _FOR_INSTANCES:
        return f"an instance is sent {surplus}"
    return _framing_fault(asked, single=(b"host", b"content-length"))


def for_control(asked: Asked) -> str:
    """Control is sent everything else, but nothing that concerns the client's connection."""
    if surplus := {name for name, _ in asked.headers} & _NOT_FOR_CONTROL:
        return f"control is sent {surplus}"
    return _framing_fault(asked, single=())


def _framing_fault(asked: Asked, *, single: Collection[bytes]) -> str:
    lengths, codings = asked.values(b"content-length"), asked.values(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        return "framed twice"
    return "".join(f"{name!r} is not there once" for name in single if len(asked.values(name)) != 1)
