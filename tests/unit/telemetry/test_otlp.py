"""What a collector gets, by OpenTelemetry's own messages."""

from __future__ import annotations

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra moorage[otel] is not installed")

from moorage.core.figures import EDGES_US, Figure, Kind, Sample
from moorage.core.latency import Histogram, bucket_of
from moorage.telemetry.otlp.metrics import figure_sender
from moorage.telemetry.otlp.traces import span_sender
from moorage.telemetry.spans import Span, SpanKind
from moorage.testing.otlp_receiver import OtlpReceiver, attributes_of

FIRST = Span("InvokeEndpoint", SpanKind.SERVER, 7, 1, 0, 10, 90, {"host.id": "i-1", "status": 200}, error="ModelError")
SECOND = Span("ask instance", SpanKind.CLIENT, 7, 2, 1, 20, 80)


def test_spans_arrive_as_they_were_made() -> None:
    with OtlpReceiver() as collector:
        assert span_sender(collector.url, instance="gateway-0", timeout_s=10)([FIRST, SECOND])
        first, second = collector.spans
        (resource,) = collector.trace_requests[0].resource_spans
    assert ("InvokeEndpoint", "ask instance") == (first.name, second.name)
    assert (first.SPAN_KIND_SERVER, first.SPAN_KIND_CLIENT) == (first.kind, second.kind)
    assert ((7).to_bytes(16, "big"),) * 2 == (first.trace_id, second.trace_id)
    assert (b"", first.span_id) == (first.parent_span_id, second.parent_span_id)
    assert (10, 90) == (first.start_time_unix_nano, first.end_time_unix_nano)
    assert {"host.id": "i-1", "status": 200} == attributes_of(first)
    assert (2, "ModelError", 0) == (first.status.code, first.status.message, second.status.code)
    assert {"service.name": "moorage-gateway", "service.instance.id": "gateway-0"}.items() <= attributes_of(
        resource.resource
    ).items()


def test_figures_arrive_with_their_sums_and_buckets() -> None:
    values_us = (100, 300, 5_000, 200_000_000)
    histogram = Histogram({bucket_of(us): 1 for us in values_us}, sum(values_us))
    labels = {"endpoint": "iris"}
    figures = [
        Figure("moorage_invocations", "Invocations.", Kind.COUNTER, (Sample(labels, 4),)),
        Figure("moorage_model_latency_seconds", "Latency.", Kind.HISTOGRAM, (Sample(labels, histogram),)),
        Figure("moorage_instances", "Instances.", Kind.GAUGE, (Sample({**labels, "state": "ready"}, 2),)),
        Figure("moorage_sent_bytes", "Bytes.", Kind.COUNTER, ()),
    ]
    with OtlpReceiver() as collector:
        assert figure_sender(collector.url, instance="control", since_ns=5, timeout_s=10)(figures, 9)
        found = collector.metrics
    assert {"moorage.invocations", "moorage.model_latency_seconds", "moorage.instances"} == found.keys()
    counter = found["moorage.invocations"].sum
    assert (True, counter.aggregation_temporality) == (counter.is_monotonic, 2)
    (point,) = counter.data_points
    assert (4, 5, 9) == (point.as_int or point.as_double, point.start_time_unix_nano, point.time_unix_nano)
    (point,) = found["moorage.model_latency_seconds"].histogram.data_points
    assert (4, sum(values_us) / 1e6) == (point.count, point.sum)
    assert [edge / 1e6 for edge in EDGES_US] == list(point.explicit_bounds)
    assert (1, 1, 4) == (point.bucket_counts[0], point.bucket_counts[1], sum(point.bucket_counts))
    assert 1 == point.bucket_counts[-1]
    (point,) = found["moorage.instances"].gauge.data_points
    assert {"endpoint": "iris", "state": "ready"} == attributes_of(point)


def test_what_a_collector_refuses_did_not_arrive_and_that_is_for_the_sender_to_say(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with OtlpReceiver(status=400) as collector:
        assert not span_sender(collector.url, instance="gateway-0", timeout_s=10)([FIRST])
    assert not span_sender(collector.url, instance="gateway-0", timeout_s=0.5)([FIRST])
    assert [] == caplog.records
