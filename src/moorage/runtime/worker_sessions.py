"""Sticky sessions among the workers of one instance: the worker that a session lives in is part of the session's id.

A script makes its own ids and remembers them in its own process. On the way out each id is given the worker's number,
on the way in that is taken off and says who has the session, as the gateway does with instances: `c5a1` of worker 2 is
`c5a1-w2`. A worker that gets a request for another's session hands it over: it makes a pair of sockets, has the parent
deal one of them to the other worker, and passes on what comes back.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from typing import Final

from moorage.runtime.replies import failure
from moorage.wire import encoding
from moorage.wire.answer import Answer
from moorage.wire.limits import Limits
from moorage.wire.messages import Begin, Cancellable, HeaderList, Refused, Reply, Request, Response, WireError
from moorage.wire.upstream import UpstreamConnection

SESSION_ID: Final = b"x-amzn-sagemaker-session-id"
_RETURNED: Final = (b"x-amzn-sagemaker-new-session-id", b"x-amzn-sagemaker-closed-session-id")
_NUMBERED: Final = re.compile(rb"(.+)-w([0-9]{1,3})")
_NOT_PASSED_ON: Final = encoding.HOP_BY_HOP | {b"content-length"}
_ANSWER_S: Final = 3600.0
"""The gateway knows for how long it waits."""

HandOver = Callable[[int, socket.socket], None]
"""Has a connection dealt to the worker of that number; it is closed if there is none."""


class Sessions:
    """Begins invocations of worker `number`, or has another worker answer them."""

    def __init__(self, begin: Begin, number: int, hand_over: HandOver, limits: Limits) -> None:
        self._begin = begin
        self._number = number
        self._hand_over = hand_over
        self._limits = limits
        self._loop = asyncio.get_running_loop()

    def __call__(self, request: Request, reply: Reply) -> Cancellable | None:
        session = request.fields.get(SESSION_ID)
        if session is None:
            return self._begin(request, reply)
        numbered = _NUMBERED.fullmatch(session)
        if numbered is not None and int(numbered[2]) != self._number:
            return self._loop.create_task(self._pass_on(int(numbered[2]), request, reply))
        if numbered is not None:
            _name_session(request, numbered[1])
        return self._begin(request, _Numbering(reply, self._number))

    async def _pass_on(self, number: int, request: Request, reply: Reply) -> None:
        try:
            body = await request.read(self._limits.body_bytes)
            answer = await self._ask(number, request, body)
        except Refused as refused:
            reply.respond(failure(refused.status, refused.reason))
        except (WireError, OSError):
            reply.respond(failure(500, f"the process that had this session, worker {number}, has ended"))
        else:
            fields = [field for field in answer.headers if field[0] not in _NOT_PASSED_ON]
            content = answer.content if answer.content is not None else answer.stream()
            reply.respond(Response(answer.status, fields, content, answer.content_length))

    async def _ask(self, number: int, request: Request, body: bytes) -> Answer:
        ours, theirs = socket.socketpair()
        with theirs:
            self._hand_over(number, theirs)
        receiver = _Receiver(self._loop)
        _, connection = await self._loop.create_unix_connection(
            lambda: UpstreamConnection(self._loop, self._limits, on_free=_close, on_lost=_forget), sock=ours
        )
        fields = [field for field in request.headers if field[0] not in _NOT_PASSED_ON]
        framing = b"content-length: %d\r\n" % len(body)
        head = encoding.request_head(request.method, request.target, fields, framing)
        connection.send(receiver, request.method, head, body, head_s=_ANSWER_S, total_s=None)
        try:
            return await receiver.answer
        except asyncio.CancelledError:
            connection.abort()
            raise


class _Receiver:
    """Turns an answer into a future's result."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.answer: asyncio.Future[Answer] = loop.create_future()

    def on_answer(self, answer: Answer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)

    def on_failure(self, error: WireError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class _Numbering:
    """A reply that gives the ids of sessions the worker's number."""

    def __init__(self, reply: Reply, number: int) -> None:
        self._reply = reply
        self._suffix = b"-w%d" % number

    def respond(self, response: Response) -> None:
        if not isinstance(response.headers, bytes):
            response.headers = [self._numbered(*field) for field in response.headers]
        self._reply.respond(response)

    def abort(self) -> None:
        self._reply.abort()

    def _numbered(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name.lower() not in _RETURNED:
            return name, value
        session, separator, rest = value.partition(b";")
        return name, session.rstrip() + self._suffix + separator + rest


def _name_session(request: Request, session: bytes) -> None:
    """Have the request name the session as the script does."""
    fields: HeaderList = [(name, session if name == SESSION_ID else value) for name, value in request.headers]
    request.headers = fields
    request.fields = dict(fields)


def _close(connection: UpstreamConnection) -> None:
    connection.abort()


def _forget(_connection: UpstreamConnection) -> None:
    """It was for one exchange."""
