"""Figures as OpenTelemetry's SDK has metrics, sent by its exporter.

They are sums that are kept elsewhere, histograms among them, which no instrument of the SDK can be told: so what its
readers would have made of instruments is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from moorage.core.figures import EDGES_US, Figure, Kind, Sample, cumulative
from moorage.core.latency import Histogram
from moorage.telemetry.otlp.resource import SCOPE, make_resource

_CUMULATIVE = AggregationTemporality.CUMULATIVE
_EDGES_S = tuple(edge / 1e6 for edge in EDGES_US)


def figure_sender(
    endpoint: str, *, instance: str, since_ns: int, timeout_s: float
) -> Callable[[Sequence[Figure], int], bool]:
    """What sends figures, as of a time in nanoseconds, blocks meanwhile, and answers whether they arrived.

    `since_ns` is when counting began.
    """
    exporter = OTLPMetricExporter(f"{endpoint}/v1/metrics", timeout=timeout_s)
    resource = make_resource("control", instance=instance)

    def send(figures: Sequence[Figure], at_ns: int) -> bool:
        metrics = [_metric(figure, since_ns, at_ns) for figure in figures if figure.samples]
        scope = ScopeMetrics(InstrumentationScope(SCOPE), metrics, "")
        result = exporter.export(MetricsData([ResourceMetrics(resource, [scope], "")]))
        return result is MetricExportResult.SUCCESS

    return send


def _metric(figure: Figure, since_ns: int, at_ns: int) -> Metric:
    name = figure.name.replace("_", ".", 1)  # moorage.invocations
    if figure.kind is Kind.HISTOGRAM:
        points = [_histogram_point(sample, since_ns, at_ns) for sample in figure.samples]
        return Metric(name, figure.help, "s", HistogramData(points, _CUMULATIVE))
    numbers = [
        NumberDataPoint(dict(sample.labels), since_ns, at_ns, sample.value)
        for sample in figure.samples
        if not isinstance(sample.value, Histogram)
    ]
    unit = "By" if name.endswith("_bytes") else "s" if name.endswith("_seconds") else "1"
    is_counter = figure.kind is Kind.COUNTER
    return Metric(
        name, figure.help, unit, Sum(numbers, _CUMULATIVE, is_monotonic=True) if is_counter else Gauge(numbers)
    )


def _histogram_point(sample: Sample, since_ns: int, at_ns: int) -> HistogramDataPoint:
    assert isinstance(sample.value, Histogram)
    histogram = sample.value
    below = [0, *cumulative(histogram), histogram.count]
    return HistogramDataPoint(
        attributes=dict(sample.labels),
        start_time_unix_nano=since_ns,
        time_unix_nano=at_ns,
        count=histogram.count,
        sum=histogram.sum_us / 1e6,
        bucket_counts=[later - earlier for earlier, later in pairwise(below)],
        explicit_bounds=_EDGES_S,
        min=histogram.min_us / 1e6,
        max=histogram.max_us / 1e6,
    )
