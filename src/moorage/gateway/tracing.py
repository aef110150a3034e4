"""Which invocations are traced, and their spans, made when an invocation is over from what is known of it.

A caller that says its own trace is sampled has the invocation in it; one that says it is not, has not. Of the others
about so many a second begin a trace. What costs time, encoding and sending, is a thread's; what cannot be sent in time
is dropped and counted, and no invocation waits for any of it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from moorage.gateway.containers import latencies
from moorage.gateway.entry import Admitted
from moorage.gateway.sampling import Sample
from moorage.gateway.tables import Variant
from moorage.gateway.target import Address
from moorage.gateway.trace_context import TRACEPARENT, Parent, parent_of
from moorage.system.clock import Clock
from moorage.system.entropy import new_span_id, new_trace_id
from moorage.system.tasks import to_its_end
from moorage.telemetry.spans import Span, SpanKind
from moorage.wire.messages import Request

SPANS_MAX: Final = 4_096
"""That wait to be sent; about a megabyte."""
_FLUSH_S: Final = 1.0
_WARNED_EVERY_S: Final = 60.0

_log = logging.getLogger(__name__)


class Trace(NamedTuple):
    """The part of a trace that one invocation is."""

    id: int
    parent_id: int
    span_id: int
    model_id: int
    """Of the span of the call to the instance: what the container finds as its parent."""

    @property
    def traceparent(self) -> bytes:
        """The field for the container."""
        return b"00-%032x-%016x-01" % (self.id, self.model_id)


class Traced(Protocol):
    """What is known of an invocation that is over, see `recorder.Recorded`."""

    request_id: str
    address: Address
    admitted: Admitted | None
    variant: Variant | None
    instance_id: str
    began: float
    sent: float
    answered: float
    latencies: bytes


class Tracer:
    """The traces of one gateway worker. `send` takes spans away, may block, and answers whether they arrived."""

    def __init__(self, send: Callable[[Sequence[Span]], bool], *, clock: Clock, traces_per_s: int) -> None:
        self.dropped = 0
        """Spans that were not sent."""
        self._send = send
        self._clock = clock
        self._begun = Sample(traces_per_s)
        self._pending: list[Span] = []
        self._told = 0
        self._tell_at = 0.0

    def begin(self, request: Request) -> Trace | None:
        """The trace that an invocation belongs to; None if it is not traced."""
        parent = parent_of(request.headers) if TRACEPARENT in request.fields else None
        if parent is not None:
            return self._part_of(parent) if parent.is_sampled else None
        if self._begun.skip:
            self._begun.skip -= 1
            return None
        self._begun.take()
        return self._part_of(Parent(new_trace_id(), 0, is_sampled=True))

    def end(self, trace: Trace, call: Traced, *, status: int, error: str) -> None:
        """An invocation is over. `status` is what its caller got, 0 if it left before."""
        now = self._clock.monotonic()
        offset_s = self._clock.now().timestamp() - now
        spans = spans_of(trace, call, status=status, error=error, ended=now, offset_s=offset_s)
        if len(self._pending) + len(spans) > SPANS_MAX:
            self.dropped += len(spans)
        else:
            self._pending += spans

    async def keep(self) -> None:
        """Send every second until cancelled, and once more then."""
        try:
            while True:
                await self._clock.sleep(_FLUSH_S)
                self._begun.begin_second()
                await to_its_end(self._flush())
        finally:
            await self._flush()

    async def _flush(self) -> None:
        spans, self._pending = self._pending, []
        if spans and not await asyncio.to_thread(self._send, spans):
            self.dropped += len(spans)
        now = self._clock.monotonic()
        if self.dropped > self._told and now >= self._tell_at:
            _log.warning("%d spans were dropped: the collector does not take them", self.dropped - self._told)
            self._told, self._tell_at = self.dropped, now + _WARNED_EVERY_S

    def _part_of(self, parent: Parent) -> Trace:
        return Trace(parent.trace_id, parent.span_id, new_span_id(), new_span_id())


def spans_of(trace: Trace, call: Traced, *, status: int, error: str, ended: float, offset_s: float) -> list[Span]:
    """The invocation, its wait for an instance, the call to that, and in it each of several containers.

    `offset_s` is what monotonic seconds are short of those since 1970.
    """

    def span(
        name: str, kind: SpanKind, began: float, end: float, *, parent_id: int, id_: int | None = None, **said: Any
    ) -> Span:
        times = (int((began + offset_s) * 1e9), int((end + offset_s) * 1e9))
        return Span(name, kind, trace.id, id_ or new_span_id(), parent_id, *times, **said)

    whole = span(
        call.address.operation.value,
        SpanKind.SERVER,
        call.began,
        ended,
        id_=trace.span_id,
        parent_id=trace.parent_id,
        attributes=_attributes(call, status, error),
        error=error,
    )
    if not call.sent:
        return [whole]
    answered = call.answered or ended
    wait = span("wait for instance", SpanKind.INTERNAL, call.began, call.sent, parent_id=trace.span_id)
    asking = span(
        "ask instance",
        SpanKind.CLIENT,
        call.sent,
        answered,
        id_=trace.model_id,
        parent_id=trace.span_id,
        error=error,
    )
    took_s = {name: took_us / 1e6 for name, took_us in latencies(call.latencies).items()}
    ends = itertools.accumulate(took_s.values(), initial=call.sent)
    containers = [
        span(name, SpanKind.INTERNAL, *times, parent_id=trace.model_id)
        for name, times in zip(took_s, itertools.pairwise(ends), strict=True)
    ]
    return [whole, wait, asking, *containers]


def _attributes(call: Traced, status: int, error: str) -> dict[str, str | int]:
    endpoint = call.admitted.endpoint.key if call.admitted is not None else None
    found = {
        "rpc.system": "aws-api",
        "rpc.service": "SageMakerRuntime",
        "rpc.method": call.address.operation.value,
        "aws.request_id": call.request_id,
        "aws.sagemaker.endpoint.name": endpoint.name if endpoint is not None else "",
        "cloud.region": endpoint.region if endpoint is not None else "",
        "aws.sagemaker.variant.name": call.variant.name if call.variant is not None else "",
        "host.id": call.instance_id,
        "http.response.status_code": status,
        "error.type": error,
    }
    return {name: value for name, value in found.items() if value}
