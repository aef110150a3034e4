"""The life of an invocation, from top to bottom. Read this first.

Nothing here asks control or the store anything: all that is needed is in the routes in force. The usual invocation
never leaves the callbacks in which its bytes arrive; only what has to wait for something else gets a task.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final

from moorage.aws.errors import ServiceError
from moorage.core.traffic import Outcome
from moorage.gateway import errors, sessions
from moorage.gateway.admission import WAIT_S, Waiter
from moorage.gateway.aim import Aim, aim, by_weight, is_aimed
from moorage.gateway.entry import Admitted, enter
from moorage.gateway.errors import ModelErrors
from moorage.gateway.form import Form, form_of
from moorage.gateway.instance import Instance
from moorage.gateway.ledger import Series
from moorage.gateway.pick import pick_other
from moorage.gateway.recorder import Recorder, outcome_of
from moorage.gateway.relay import relay
from moorage.gateway.tables import Endpoint, Routes, Tables, Variant
from moorage.gateway.target import (
    Address,
    Operation,
    caller_event_fields,
    caller_fields,
    container_request,
    container_stream_request,
    endpoint_name,
)
from moorage.gateway.watch import Watch
from moorage.system.clock import Clock
from moorage.system.entropy import new_request_id
from moorage.wire.answer import Answer
from moorage.wire.messages import (
    BadAnswer,
    BodyTooLarge,
    Disconnected,
    NoAnswer,
    NotSent,
    Reply,
    Request,
    Response,
    WireError,
)
from moorage.wire.upstream import UpstreamConnection

INVOCATION_S: Final = 60.0
_TRIES_MAX: Final = 3
_STREAM: Final = Operation.STREAM

_log = logging.getLogger(__name__)


class Invoker:
    """Begins invocations. `draw` gives random numbers in [0, 1)."""

    def __init__(
        self, tables: Tables, watch: Watch, recorder: Recorder, *, clock: Clock, draw: Callable[[], float]
    ) -> None:
        self.tables = tables
        self.watch = watch
        self.recorder = recorder
        self.now = clock.now
        self.monotonic = clock.monotonic
        self.draw = draw
        self.loop = asyncio.get_running_loop()

    def begin(self, request: Request, reply: Reply, address: Address) -> Invocation:
        """Answer `request`, which is at `address`, by way of `reply`, now or later."""
        invocation = Invocation(self, request, reply, address)
        body = request.content
        if body is not None and len(body) <= errors.PAYLOAD_BYTES_MAX:
            invocation.start(body)
        else:
            invocation.spawn(invocation.start_when_read())
        return invocation

    def routes(self) -> Routes:
        """The routes in force at this moment."""
        if self.tables.routes is None:
            raise errors.no_routes()
        return self.tables.routes


class Invocation:
    """One request to an endpoint: it is let in, an instance is chosen and asked, and the answer passed on.

    It is the receiver of the instance's answer, what the server cancels when the caller leaves, and what is recorded.
    """

    __slots__ = (
        "_connection",
        "_instance",
        "_invoker",
        "_is_over",
        "_reply",
        "_session_id",
        "_task",
        "_tried",
        "_waiter",
        "address",
        "admitted",
        "answered",
        "began",
        "body",
        "instance_id",
        "request",
        "request_id",
        "sent",
        "series",
        "variant",
    )

    def __init__(self, invoker: Invoker, request: Request, reply: Reply, address: Address) -> None:
        self._invoker = invoker
        self.request = request
        self._reply = reply
        self.address = address
        self.request_id = new_request_id()
        self.began = invoker.monotonic()
        self.sent = 0.0
        self.answered = 0.0
        self.series: Series | None = None
        self.instance_id = ""
        self.body = b""
        self.admitted: Admitted | None = None
        self.variant: Variant | None = None
        self._instance: Instance | None = None
        self._tried: list[Instance] | None = None
        self._session_id: bytes | None = None
        self._waiter: Waiter[Instance] | None = None
        self._connection: UpstreamConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    # -- the request comes in -----------------------------------------------------------------------------------------

    async def start_when_read(self) -> None:
        """Read a body that is still on its way, and go on."""
        try:
            body = await self.request.read(errors.PAYLOAD_BYTES_MAX)
        except BodyTooLarge:
            self._refuse(errors.payload_too_large())
        except Disconnected:
            self._reply.abort()
        except WireError as error:
            self._refuse(errors.broken(error))
        else:
            self.start(body)

    def start(self, body: bytes) -> None:
        """Let the request in and send it to an instance.

        All in one go: a drain that began in between would not see the request, and report free what it is sent to.
        """
        self.body = body
        try:
            invoker, address = self._invoker, self.address
            self.admitted = enter(
                invoker.routes(),
                self.request,
                body,
                name=endpoint_name(address.name),
                operation=address.operation,
                now=invoker.now,
            )
            self._ask(self.admitted.endpoint)
        except ServiceError as error:
            self._refuse(error)
        except Exception:
            self._break()

    # -- an instance is asked -----------------------------------------------------------------------------------------

    def _ask(self, endpoint: Endpoint) -> None:
        """Ask one instance, and another only while no byte of the request has reached any; or wait for a free one."""
        invoker, only = self._invoker, None
        self.series = endpoint.series
        if is_aimed(self.request.fields):
            variant, only, self._session_id = self._aim(endpoint)
        else:
            variant = by_weight(endpoint, invoker.draw)
        self.variant = variant
        self.series = variant.series
        now = invoker.monotonic()
        if only is None and self._tried is None:
            instance = variant.pick(now)
        else:
            candidates = variant.instances if only is None else (only,)
            instance = pick_other(candidates, self._tried or (), draw=invoker.draw, now=now)
        if instance is None:
            self._wait(endpoint, variant, only, now)
        else:
            instance.in_flight += 1
            self._visit(instance)

    def _aim(self, endpoint: Endpoint) -> Aim:
        assert self.admitted is not None
        return aim(
            endpoint,
            self.request.fields,
            self.address.operation,
            account_id=self.admitted.account_id,
            draw=self._invoker.draw,
        )

    def _wait(self, endpoint: Endpoint, variant: Variant, only: Instance | None, now: float) -> None:
        """Wait for a slot, unless there is nobody left to wait for, or no hope."""
        candidates = variant.instances if only is None else (only,)
        if all(each in (self._tried or ()) for each in candidates):
            raise errors.no_ready_instance(endpoint.key.name)
        deadline = self._waiter.deadline if self._waiter is not None else now + WAIT_S
        self._waiter = variant.queue.join(
            self._on_turn, deadline=deadline, now=now, body_bytes=len(self.body), only=only
        )
        if self._waiter is None:
            raise errors.overloaded(endpoint.key.name)

    def _on_turn(self, instance: Instance | None) -> None:
        """A slot has been taken; without an instance, there is none any more where the request waited."""
        if instance is None:
            self._look_again()
            return
        try:
            self._visit(instance)
        except Exception:
            self._break()

    def _visit(self, instance: Instance) -> None:
        self._instance = instance
        self.instance_id = instance.id
        self.series = series = instance.series
        series.begin()
        if not instance.is_watched:
            self._invoker.watch.add(instance)
        connection = instance.pool.take()
        if connection is None:
            self.spawn(self._send_when_connected(instance))
        else:
            self._send(connection)

    async def _send_when_connected(self, instance: Instance) -> None:
        try:
            connection = await instance.pool.connect()
        except NotSent as error:
            self.on_failure(error)
        else:
            self._send(connection)

    def _send(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        self.sent = self._invoker.monotonic()
        is_stream = self.address.operation is _STREAM
        head = (container_stream_request if is_stream else container_request)(self.request, self.body)
        if self._session_id is not None:
            head = sessions.with_session(head, self._session_id)
        total_s = None if is_stream else INVOCATION_S
        connection.send(self, b"POST", head, self.body, head_s=INVOCATION_S, total_s=total_s)

    # -- the instance answers -----------------------------------------------------------------------------------------

    def on_answer(self, answer: Answer) -> None:
        """See `wire.upstream.Receiver`."""
        instance, variant = self._instance, self.variant
        assert instance is not None
        assert variant is not None
        self._connection = None
        instance.health.record_success()
        content = answer.content
        if (
            content is None
            or len(content) > errors.PAYLOAD_BYTES_MAX
            or not 200 <= answer.status < 300
            or self.address.operation is _STREAM
            or self._session_id is not None
        ):
            self.spawn(self._relay(answer, variant, instance))
            return
        self.answered = self._invoker.monotonic()
        fields = caller_fields(answer.headers, signature=variant.signature, request_id=self.request_id.encode())
        self._reply.respond(Response(200, fields, content))
        self._end(Outcome.SUCCESS, 200, len(content))

    def on_failure(self, error: WireError) -> None:
        """See `wire.upstream.Receiver`."""
        if self._is_over:
            return
        assert self._instance is not None
        self._connection = None
        instance = self._instance
        instance.record_failure(error)
        if isinstance(error, NotSent):
            if self.series is not None:
                self.series.take_back()
            self.sent = 0.0
            self._leave_instance()
            self._tried = [*(self._tried or ()), instance]
            self._look_again()
        else:
            self._refuse(_silence(error, self._blame()))

    def _look_again(self) -> None:
        """In the routes now in force: those of before may name instances that have gone since."""
        assert self.admitted is not None
        try:
            self._ask(self._admitted_now(self.admitted).endpoint)
        except ServiceError as error:
            self._refuse(error)
        except Exception:
            self._break()

    def _admitted_now(self, admitted: Admitted) -> Admitted:
        key = admitted.endpoint.key
        endpoint = self._invoker.routes().endpoint(key.region, key.name)
        if endpoint is None:
            raise errors.no_such_endpoint(key.name, admitted.account_id)
        if self._tried is not None and len(self._tried) >= _TRIES_MAX:
            raise errors.no_ready_instance(key.name)
        return admitted._replace(endpoint=endpoint)

    async def _relay(self, answer: Answer, variant: Variant, instance: Instance) -> None:
        form = form_of(self.address.operation, self.request, answer.header(b"content-type"))
        make_fields = caller_event_fields if form is Form.EVENTS else caller_fields
        try:
            signature = variant.signature + self._session_fields(answer, instance)
            fields = make_fields(answer.headers, signature=signature, request_id=self.request_id.encode())
            response = await relay(answer, fields, form=form, blame=self._blame(), on_end=self._end_stream)
        except ServiceError as error:
            self._refuse(error)
        except Exception:
            self._break()
        else:
            self._task = None  # from here on it is the server that sends, and closes the answer if the caller leaves
            self._reply.respond(response)
            if isinstance(response.body, bytes):
                self._end(Outcome.SUCCESS, 200, len(response.body))

    def _session_fields(self, answer: Answer, instance: Instance) -> bytes:
        if self._session_id is None or not 200 <= answer.status < 300:
            return b""
        try:
            return sessions.caller_fields(answer.headers, instance.id)
        except BadAnswer as error:
            answer.close()
            raise self._blame().broke(str(error)) from error

    def _blame(self) -> ModelErrors:
        assert self.admitted is not None
        assert self.variant is not None
        assert self._instance is not None
        admitted = self.admitted
        return ModelErrors(
            admitted.endpoint.key, admitted.account_id, variant=self.variant.name, instance=self._instance.id
        )

    # -- the end ------------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """The caller has left: whatever goes on for it is given up."""
        self._end(Outcome.ABANDONED, 0)
        if self._task is not None:
            self._task.cancel()
        if self._connection is not None:
            self._connection.abort()

    def spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        """Go on in a task, which is given up with the invocation."""
        self._task = self._invoker.loop.create_task(coroutine)

    def _refuse(self, error: ServiceError) -> None:
        response = errors.answer(error, self.request_id)
        self._reply.respond(response)
        self._end(outcome_of(error), response.status, error=error.code)

    def _break(self) -> None:
        """A fault of our own."""
        _log.exception("invocation %s failed", self.request_id)
        self._refuse(errors.internal())

    def _end_stream(self, outcome: Outcome, bytes_out: int) -> None:
        """The caller has had an answer that streamed, or as much of it as there was, or has left."""
        self._end(outcome, 200, bytes_out)

    def _end(self, outcome: Outcome | None, status: int, bytes_out: int = 0, error: str = "") -> None:
        """The invocation is over, for whatever reason."""
        if self._is_over:
            return
        self._is_over = True
        self._leave_instance()
        if self._waiter is not None and self.variant is not None:
            self.variant.queue.leave(self._waiter)
        self._invoker.recorder.record(self, outcome, status, bytes_out, error)

    def _leave_instance(self) -> None:
        instance, self._instance = self._instance, None
        if instance is not None:
            instance.leave()


def _silence(error: WireError, blame: ModelErrors) -> ServiceError:
    return blame.timed_out() if isinstance(error, NoAnswer) else blame.broke(str(error))
