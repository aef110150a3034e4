"""Requests and responses as the wire layer hands them over: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

HeaderList = list[tuple[bytes, bytes]]
"""Names are lower case in what was received; in what is sent they go out as given."""


class Request(Protocol):
    """A request whose head has been read and found valid. The body arrives while the handler runs."""

    method: bytes
    target: bytes
    """As sent: path and query."""
    path: bytes
    query: bytes
    """Without the `?`; empty if there is none."""
    headers: HeaderList
    fields: Mapping[bytes, bytes]
    """The headers by name; of a repeated one the last."""
    content_length: int | None
    """None for a chunked body."""
    content: bytes | None
    """The whole body, if it was here before the handler was called: one of up to `Limits.window_bytes` is."""

    def header(self, name: bytes) -> bytes | None:
        """The first value of `name` (lower case)."""
        ...

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises BodyTooLarge as soon as it is known to exceed `limit`; Disconnected."""
        ...

    def stream(self) -> AsyncIterator[bytes]:
        """The body piece by piece; nothing is read ahead beyond a small window. Raises Disconnected."""
        ...


@dataclass(slots=True)
class Response:
    """An answer. Framing and connection headers are the wire layer's: do not put them here."""

    status: int
    headers: HeaderList | bytes = field(default_factory=list)
    """Or the fields as they go out, each ending in CR LF: whoever writes them answers for what is in them."""
    body: bytes | AsyncIterator[bytes] = b""
    content_length: int | None = None
    """Of a streaming body, if known; else it goes out chunked. The answer to a HEAD may state it without a body."""


Handler = Callable[[Request], Awaitable[Response]]
"""Answers a request in a task of its own, which is cancelled when the client leaves."""


class Reply(Protocol):
    """Where the answer to one request goes."""

    def respond(self, response: Response) -> None:
        """Send the answer. To be called once; if the client has left, the answer is dropped."""
        ...

    def abort(self) -> None:
        """Cut the connection instead."""
        ...


class Cancellable(Protocol):
    """What goes on for a client that may leave."""

    def cancel(self) -> object:
        """The client has left: its answer is not needed any more."""
        ...


Begin = Callable[[Request, Reply], Cancellable | None]
"""Begins to answer a request, and may have answered when it returns. No task is made: a third of a simple request's
cost. It must not raise."""


class WireError(Exception):
    """The peer broke the protocol, a limit or a deadline."""


class Disconnected(WireError):
    """The peer went away."""


class Refused(WireError):
    """What the peer sent is not taken: `status` is the answer it deserves, `reason` a clause for a person.

    A client's request is answered with it and the connection closed.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class BodyTooLarge(Refused):
    """The body exceeds what the reader allows."""

    def __init__(self, reason: str = "the body is too large") -> None:
        super().__init__(413, reason)


class NotSent(WireError):
    """No byte of the request reached the upstream: it may be sent again, to another one."""


class BadAnswer(WireError):
    """What the upstream answered is malformed or too large."""


class NoAnswer(WireError):
    """The upstream did not answer within its deadline."""
