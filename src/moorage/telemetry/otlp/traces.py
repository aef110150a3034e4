"""Spans as OpenTelemetry's SDK has them, sent by its exporter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from moorage.telemetry import spans
from moorage.telemetry.otlp.resource import SCOPE, make_resource
from moorage.telemetry.spans import Span

_KINDS: Final = {
    spans.SpanKind.SERVER: SpanKind.SERVER,
    spans.SpanKind.CLIENT: SpanKind.CLIENT,
    spans.SpanKind.INTERNAL: SpanKind.INTERNAL,
}


def span_sender(endpoint: str, *, instance: str, timeout_s: float) -> Callable[[Sequence[Span]], bool]:
    """What sends spans to the collector at `endpoint`, blocks meanwhile, and answers whether they arrived."""
    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=timeout_s)
    resource = make_resource("gateway", instance=instance)

    def send(some: Sequence[Span]) -> bool:
        return exporter.export([_readable(span, resource) for span in some]) is SpanExportResult.SUCCESS

    return send


def _readable(span: Span, resource: Resource) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.id),
        parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
        resource=resource,
        attributes=span.attributes,
        kind=_KINDS[span.kind],
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
        start_time=span.began_ns,
        end_time=span.ended_ns,
        instrumentation_scope=InstrumentationScope(SCOPE),
    )


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
