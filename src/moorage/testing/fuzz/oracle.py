"""What h11, a parser with nothing of ours in it, makes of a stream of requests and of a stream of answers."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import h11

_EVENT_BYTES_MAX: Final = 1 << 20


@dataclass(slots=True)
class Asked:
    """A request that h11 finds valid and complete."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    """Names in lower case."""
    http_11: bool
    body: bytes = b""

    def values(self, name: bytes) -> list[bytes]:
        """Every value of `name` (lower case)."""
        return [value for key, value in self.headers if key == name]


class Rest(enum.Enum):
    """How a stream of requests ends."""

    BETWEEN = "between two requests"
    WITHIN = "within a request"
    CLOSING = "behind a request that was to be the last"
    BROKEN = "with something invalid"


@dataclass(slots=True)
class Read:
    """What there is in a stream of requests."""

    complete: list[Asked]
    rest: Rest
    part: Asked | None = None
    """A request of which the end is missing, or in which something is broken; of a head, the method alone."""


def read_requests(wire: bytes) -> Read:
    """The valid requests from the beginning of `wire` on, and what comes behind them.

    Each may have one empty line before it (RFC 9112, 2.2), which h11 does not do.
    """
    read = Read([], Rest.BETWEEN)
    while wire := wire.removeprefix(b"\r\n"):
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_EVENT_BYTES_MAX)
        connection.receive_data(wire)
        try:
            is_complete = _read_request(connection, read)
        except h11.RemoteProtocolError:
            is_complete, read.rest = False, Rest.BROKEN
        else:
            read.rest = Rest.BETWEEN if is_complete else Rest.WITHIN
        if not is_complete:
            read.part = read.part or Asked(_method_of(wire), b"", [], http_11=True)
            return read
        if not _is_kept(read.complete[-1]):
            read.rest = Rest.CLOSING
            return read
        wire = connection.trailing_data[0]
    return read


def _method_of(wire: bytes) -> bytes:
    method, space, _ = wire.lstrip(b"\r\n").partition(b" ")
    return method if space else b""


def _is_kept(request: Asked) -> bool:
    options = {option.strip().lower() for value in request.values(b"connection") for option in value.split(b",")}
    return b"close" not in options and (request.http_11 or b"keep-alive" in options)


def _read_request(connection: h11.Connection, read: Read) -> bool:
    """Add what comes next; whether it is complete."""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            headers = [(bytes(name), bytes(value)) for name, value in event.headers]
            read.part = Asked(bytes(event.method), bytes(event.target), headers, event.http_version == b"1.1")
        elif isinstance(event, h11.Data):
            assert read.part is not None
            read.part.body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert read.part is not None
            read.complete.append(read.part)
            read.part = None
            return True
        else:
            return False


@dataclass(slots=True)
class Answered:
    """An answer."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes = b""

    @property
    def code(self) -> str:
        """The error's code, if it is one of the runtime's."""
        return self.headers.get(b"x-amzn-errortype", b"").partition(b":")[0].decode("latin-1")


class AnswerReader:
    """Reads answers as they come. Raises h11.RemoteProtocolError for whatever is not one."""

    def __init__(self, methods: Sequence[bytes]) -> None:
        self.answers: list[Answered] = []
        self.is_over = False
        """Whether an answer said that it is the last."""
        self._methods: Iterator[bytes] = iter(methods)
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_EVENT_BYTES_MAX)
        self._part: Answered | None = None
        self._ask()

    @property
    def is_between(self) -> bool:
        """Whether no answer has begun that is not complete."""
        return self._part is None and not self._connection.trailing_data[0]

    def feed(self, data: bytes) -> None:
        """Take what has arrived; nothing stands for the connection's end."""
        if not data and self.is_between:
            return
        self._connection.receive_data(data)
        while self._take(self._connection.next_event()):
            pass

    def _take(self, event: object) -> bool:
        if isinstance(event, h11.Response):
            self._part = Answered(event.status_code, {bytes(name): bytes(value) for name, value in event.headers})
        elif isinstance(event, h11.Data):
            assert self._part is not None
            self._part.body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert self._part is not None
            self.answers.append(self._part)
            self._part = None
            self._go_on()
        return isinstance(event, h11.Response | h11.Data | h11.EndOfMessage | h11.InformationalResponse)

    def _go_on(self) -> None:
        if self._connection.their_state is h11.DONE:
            self._connection.start_next_cycle()
            self._ask()
        else:
            self.is_over = True

    def _ask(self) -> None:
        method = b"HEAD" if next(self._methods, b"GET") == b"HEAD" else b"GET"
        self._connection.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"a")]))
        self._connection.send(h11.EndOfMessage())
