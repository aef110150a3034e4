"""The middle of an invocation: an instance is chosen, its slot taken or waited for, and the request sent to it.

`invoke.Invocation` is this with a beginning and an end; it fills in the fields.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, Protocol

from moorage.aws.errors import ServiceError
from moorage.gateway import containers, errors, sessions, target_models
from moorage.gateway.admission import WAIT_S, Waiter
from moorage.gateway.aim import Aim, aim, by_weight
from moorage.gateway.containers import TARGET_CONTAINER
from moorage.gateway.entry import Admitted
from moorage.gateway.instance import Instance
from moorage.gateway.ledger import Series
from moorage.gateway.pick import Draw, pick_other
from moorage.gateway.sessions import SESSION_ID
from moorage.gateway.tables import Endpoint, Routes, Variant
from moorage.gateway.target import TARGET_VARIANT, Address, Operation, container_request, container_stream_request
from moorage.gateway.target_models import TARGET_MODEL, target_of
from moorage.gateway.tracing import Trace
from moorage.gateway.turnstile import Turnstile
from moorage.gateway.waking import Waker
from moorage.gateway.watch import Watch
from moorage.wire.answer import Answer
from moorage.wire.messages import NotSent, Request, WireError
from moorage.wire.upstream import UpstreamConnection

INVOCATION_S: Final = 60.0
REROUTED_WITHIN_S: Final = 15.0
"""How long a request waits while none of the instances that are routed to takes it. That they are gone gets into the
routes well before, also while control is being restarted."""
_TRIES_MAX: Final = 3
_STREAM: Final = Operation.STREAM


class Surroundings(Protocol):
    """What all invocations of a worker share."""

    watch: Watch
    waker: Waker
    turnstile: Turnstile
    monotonic: Callable[[], float]
    draw: Draw
    loop: asyncio.AbstractEventLoop

    def routes(self) -> Routes:
        """The routes in force at this moment. Raises ServiceError if there are none yet."""
        ...


class Asking(ABC):
    """One request on its way to an instance. It is the receiver of the instance's answer."""

    __slots__ = (
        "_connection",
        "_container",
        "_instance",
        "_invoker",
        "_is_first_use",
        "_model",
        "_session_id",
        "_task",
        "_tried",
        "_turn",
        "_waiter",
        "address",
        "admitted",
        "began",
        "body",
        "instance_id",
        "request",
        "request_id",
        "sent",
        "series",
        "trace",
        "variant",
    )

    _connection: UpstreamConnection | None
    _container: bytes | None
    """The container that the request is for, where it has to say so."""
    _instance: Instance | None
    _invoker: Surroundings
    _is_first_use: bool
    """Whether the connection was made for this request."""
    _model: bytes | None
    """The model that the request is for, where there are many."""
    _session_id: bytes | None
    _task: asyncio.Task[None] | None
    _tried: list[Instance] | None
    _turn: int | None
    """By which it leaves the turnstile of a serverless variant."""
    _waiter: Waiter[Instance] | None
    address: Address
    admitted: Admitted | None
    began: float
    body: bytes
    instance_id: str
    request: Request
    request_id: str
    sent: float
    series: Series | None
    trace: Trace | None
    """None if it is not traced."""
    variant: Variant | None

    @abstractmethod
    def on_answer(self, answer: Answer) -> None:
        """See `wire.upstream.Receiver`."""

    @abstractmethod
    def on_failure(self, error: WireError) -> None:
        """See `wire.upstream.Receiver`."""

    @abstractmethod
    def _refuse(self, error: ServiceError) -> None:
        """It will not be asked."""

    @abstractmethod
    def _break(self) -> None:
        """A fault of our own, which is being handled."""

    def spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        """Go on in a task, which is given up with the invocation."""
        self._task = self._invoker.loop.create_task(coroutine)

    def _ask(self, endpoint: Endpoint) -> None:
        """Ask one instance, and another only while no byte of the request has reached any; or wait for a free one."""
        invoker, only = self._invoker, None
        self.series = endpoint.series
        fields = self.request.fields
        if TARGET_VARIANT in fields or SESSION_ID in fields:
            variant, only, self._session_id = self._aim(endpoint)
        else:
            try:
                variant = by_weight(endpoint, invoker.draw)
            except ServiceError:
                self._read_targets(
                    endpoint, next(iter(endpoint.variants.values()))
                )  # what time will not mend comes first
                raise
        self.variant = variant
        self.series = variant.series
        self._read_targets(endpoint, variant)
        if variant.requests_max is not None:
            self._check_serverless(variant, variant.requests_max)
        now = invoker.monotonic()
        if only is None and self._tried is None:
            instance = variant.pick(now) if self._model is None else _at_home(variant, self._model, now)
        else:
            instance = self._pick_other(variant.instances if only is None else (only,), now)
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

    def _read_targets(self, endpoint: Endpoint, variant: Variant) -> None:
        """Which container and model of the variant the request is for. Raises ServiceError where it may not say so."""
        fields, name = self.request.fields, endpoint.key.name
        if variant.containers is not None or TARGET_CONTAINER in fields:
            assert self.admitted is not None
            account_id = self.admitted.account_id
            self._container = containers.target_of(variant.containers, fields, endpoint=name, account_id=account_id)
        if variant.homes is not None or TARGET_MODEL in fields:
            self._model = target_of(variant.homes, fields, endpoint=name, request_id=self.request_id)

    def _check_serverless(self, variant: Variant, requests_max: int) -> None:
        """Raises ServiceError if it is too large, or one too many when it comes."""
        if len(self.body) > errors.SERVERLESS_PAYLOAD_BYTES_MAX:
            raise errors.payload_too_large(errors.SERVERLESS_PAYLOAD_BYTES_MAX)
        if self._turn is None:
            self._turn = self._invoker.turnstile.enter(variant.turns, requests_max)
        if self._turn is None:
            raise errors.throttled()

    def _wait(self, endpoint: Endpoint, variant: Variant, only: Instance | None, now: float) -> None:
        """Wait for a slot, or for an instance where none is left to try."""
        if only is None and self._is_nobody_left(variant.instances):
            self._wait_for_instance(endpoint, variant, now)
            return
        if only is not None and self._is_nobody_left((only,)):
            raise errors.no_ready_instance(endpoint.key.name)
        deadline = self._waiter.deadline if self._waiter is not None else now + WAIT_S
        self._waiter = variant.queue.join(
            self._on_turn, deadline=deadline, now=now, body_bytes=len(self.body), only=only
        )
        if self._waiter is None:
            raise errors.overloaded(endpoint.key.name)

    def _wait_for_instance(self, endpoint: Endpoint, variant: Variant, now: float) -> None:
        """Wait for an instance that is coming, which may have to be asked for, as long as an invocation may."""
        name, deadline = endpoint.key.name, self.began + (REROUTED_WITHIN_S if variant.instances else INVOCATION_S)
        is_asleep = variant.wakes and not variant.instances
        if variant.fault:
            raise errors.no_instance_comes(name, variant.fault)
        if not self._invoker.waker.wake(variant.queue, is_serverless=variant.requests_max is not None):
            raise errors.no_capacity(name) if is_asleep else errors.no_ready_instance(name)
        self._tried = None
        self._waiter = variant.queue.hold(self._on_turn, deadline=deadline, now=now, body_bytes=len(self.body))
        if self._waiter is None and deadline > now:
            raise errors.overloaded(name)
        if self._waiter is None:
            raise errors.not_awake(name) if is_asleep else errors.no_ready_instance(name)

    def _is_nobody_left(self, instances: Sequence[Instance]) -> bool:
        tried = self._tried or ()
        return len(tried) >= _TRIES_MAX or all(each in tried for each in instances)

    def _pick_other(self, instances: Sequence[Instance], now: float) -> Instance | None:
        tried = self._tried or ()
        if len(tried) >= _TRIES_MAX:
            return None
        return pick_other(instances, tried, draw=self._invoker.draw, now=now)

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
            self._is_first_use = False
            self._send(connection)

    async def _send_when_connected(self, instance: Instance) -> None:
        self._is_first_use = True
        try:
            self._send(await instance.pool.connect())
        except NotSent as error:
            self.on_failure(error)
        except Exception:
            self._break()

    def _send(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        self.sent = self._invoker.monotonic()
        is_stream = self.address.operation is _STREAM
        make_head = container_stream_request if is_stream else container_request
        parent = self.trace.traceparent if self.trace is not None else None
        head = make_head(self.request, self.body, request_id=self.request_id, parent=parent)
        if self._session_id is not None:
            head = sessions.with_session(head, self._session_id)
        if self._container is not None:
            head = containers.with_target(head, self._container)
        if self._model is not None:
            head = target_models.with_target(head, self._model)
        assert self.variant is not None
        patience_s = INVOCATION_S if self.variant.containers is None else INVOCATION_S + containers.FRONT_S
        total_s = None if is_stream else patience_s
        connection.send(self, b"POST", head, self.body, head_s=patience_s, total_s=total_s)

    def _try_another(self, tried: Instance) -> None:
        """No byte of the request has reached the instance: it may go to another one."""
        if self.series is not None:
            self.series.take_back()
        self.sent = 0.0
        self._leave()
        self._tried = [*(self._tried or ()), tried]
        self._look_again()

    def _look_again(self) -> None:
        """In the routes now in force: those of before may name instances that have gone since."""
        assert self.admitted is not None
        try:
            self._ask(self._endpoint_now(self.admitted))
        except ServiceError as error:
            self._refuse(error)
        except Exception:
            self._break()

    def _endpoint_now(self, admitted: Admitted) -> Endpoint:
        key = admitted.endpoint.key
        endpoint = self._invoker.routes().endpoint(key.region, key.name)
        if endpoint is None:
            raise errors.no_such_endpoint(key.name, admitted.account_id)
        return endpoint

    def _leave(self) -> None:
        """Give back the slot, or the place in the queue."""
        instance, self._instance = self._instance, None
        if instance is not None:
            instance.leave()
        if self._waiter is not None and self.variant is not None:
            self.variant.queue.leave(self._waiter)


def _at_home(variant: Variant, model: bytes, now: float) -> Instance | None:
    assert variant.homes is not None
    return variant.homes.pick(model, now)
