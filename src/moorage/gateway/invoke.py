"""The life of an invocation, from top to bottom. Read this first.

Nothing here asks control or the store anything: all that is needed is in the routes in force. The usual invocation
never leaves the callbacks in which its bytes arrive; only what has to wait for something else gets a task.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from moorage.aws.errors import ServiceError
from moorage.core.traffic import Outcome
from moorage.gateway import errors, sessions
from moorage.gateway.asking import Asking
from moorage.gateway.containers import LATENCIES
from moorage.gateway.entry import enter
from moorage.gateway.errors import ModelErrors
from moorage.gateway.form import Form, form_of
from moorage.gateway.instance import Instance
from moorage.gateway.recorder import Recorder, outcome_of
from moorage.gateway.relay import relay
from moorage.gateway.tables import Routes, Tables, Variant
from moorage.gateway.target import (
    Address,
    Operation,
    caller_event_fields,
    caller_fields,
    endpoint_name,
)
from moorage.gateway.turnstile import Turnstile
from moorage.gateway.waking import Waker
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

_STREAM: Final = Operation.STREAM
_REFUSED: Final = Outcome.REFUSED

_log = logging.getLogger(__name__)


class Invoker:
    """Begins invocations. `draw` gives random numbers in [0, 1)."""

    def __init__(
        self,
        tables: Tables,
        watch: Watch,
        waker: Waker,
        turnstile: Turnstile,
        recorder: Recorder,
        *,
        clock: Clock,
        draw: Callable[[], float],
    ) -> None:
        self.tables = tables
        self.watch = watch
        self.waker = waker
        self.turnstile = turnstile
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


class Invocation(Asking):
    """One request to an endpoint: it is let in, an instance is chosen and asked, and the answer passed on.

    How it is asked is in `asking`. It is what the server cancels when the caller leaves, and what is recorded.
    """

    __slots__ = ("_answer", "_is_over", "_reply", "answered", "latencies")

    _invoker: Invoker

    def __init__(self, invoker: Invoker, request: Request, reply: Reply, address: Address) -> None:
        self._invoker = invoker
        self.request = request
        self._reply = reply
        self.address = address
        self.request_id = new_request_id()
        self.began = invoker.monotonic()
        self.sent = 0.0
        self.answered = 0.0
        self.series = None
        self.instance_id = ""
        self.body = b""
        self.admitted = None
        self.trace = None
        self.variant = None
        self._instance = None
        self._tried = None
        self._turn = None
        self._session_id = None
        self._container = None
        self._model = None
        self.latencies = b""
        self._waiter = None
        self._connection = None
        self._is_first_use = False
        self._task = None
        self._answer: Answer | None = None
        """One that is not all here."""
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
            if invoker.recorder.tracer is not None:
                self.trace = invoker.recorder.tracer.begin(self.request)
            self._ask(self.admitted.endpoint)
        except ServiceError as error:
            self._refuse(error)
        except Exception:
            self._break()

    # -- the instance answers -----------------------------------------------------------------------------------------

    def on_answer(self, answer: Answer) -> None:
        """See `wire.upstream.Receiver`."""
        instance, variant = self._instance, self.variant
        assert instance is not None
        assert variant is not None
        self._connection = None
        instance.health.record_success()
        if variant.containers is not None:
            self.latencies = answer.fields.get(LATENCIES, b"")
        content = answer.content
        if (
            content is None
            or len(content) > errors.PAYLOAD_BYTES_MAX
            or not 200 <= answer.status < 300
            or self.address.operation is _STREAM
            or self._session_id is not None
        ):
            self._answer = answer
            self.spawn(self._relay(answer, variant, instance))
            return
        self.answered = self._invoker.monotonic()
        fields = caller_fields(answer.fields, signature=variant.signature, request_id=self.request_id.encode())
        self._reply.respond(Response(200, fields, content))
        self._end(Outcome.SUCCESS, 200, len(content))

    def on_failure(self, error: WireError) -> None:
        """See `wire.upstream.Receiver`."""
        if self._is_over:
            return
        assert self._instance is not None
        self._connection = None
        instance = self._instance
        if isinstance(error, NotSent) and not self._is_first_use:
            # A connection that was kept, and closed just then: that says nothing of the instance.
            self.spawn(self._send_when_connected(instance))
            return
        instance.record_failure(error)
        if isinstance(error, NotSent):
            self._try_another(instance)
        else:
            self._refuse(_silence(error, self._blame({})))

    async def _relay(self, answer: Answer, variant: Variant, instance: Instance) -> None:
        form = form_of(self.address.operation, self.request, answer.header(b"content-type"))
        make_fields = caller_event_fields if form is Form.EVENTS else caller_fields
        try:
            signature = variant.signature + self._session_fields(answer, instance)
            fields = make_fields(answer.fields, signature=signature, request_id=self.request_id.encode())
            blame = self._blame(answer.fields)
            response = await relay(answer, fields, form=form, blame=blame, on_end=self._end_stream)
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
            raise self._blame(answer.fields).broke(str(error)) from error

    def _blame(self, answer: Mapping[bytes, bytes]) -> ModelErrors:
        """Errors about the instance, from the fields of its answer: they say which container is meant."""
        assert self.admitted is not None
        assert self.variant is not None
        assert self._instance is not None
        admitted, containers = self.admitted, self.variant.containers
        return ModelErrors(
            admitted.endpoint.key,
            admitted.account_id,
            variant=self.variant.name,
            instance=self._instance.id,
            container=containers.blamed(self._container, answer) if containers is not None else None,
            is_of_many_models=self.variant.homes is not None,
        )

    # -- the end ------------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """The caller has left: whatever goes on for it is given up."""
        self._end(Outcome.ABANDONED, 0)
        if self._task is not None:
            self._task.cancel()
        if self._connection is not None:
            self._connection.abort()
        if self._answer is not None:
            self._answer.close()

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
        self._end(outcome, 200, bytes_out, "ModelStreamError" if outcome is Outcome.NO_ANSWER else "")

    def _end(self, outcome: Outcome | None, status: int, bytes_out: int = 0, error: str = "") -> None:
        """The invocation is over, for whatever reason."""
        if self._is_over:
            return
        self._is_over = True
        if (outcome is None or outcome is _REFUSED) and self._instance is not None and self.series is not None:
            self.series.take_back()
        self._leave()
        if self._turn is not None:
            self._invoker.turnstile.leave(self._turn)
        self._invoker.recorder.record(self, outcome, status, bytes_out, error)


def _silence(error: WireError, blame: ModelErrors) -> ServiceError:
    return blame.timed_out() if isinstance(error, NoAnswer) else blame.broke(str(error))
