"""SageMaker's metrics of an endpoint's traffic, in terms of what was counted. Pure.

They are those of a variant, with or without its endpoint config, and, in addition to AWS's, those of an endpoint: only
there is what was refused before a variant was chosen.

    Invocations, InvocationsPerInstance   a value for each invocation: 1, or 1 over the instances just then
    Invocation4XXErrors, …5XX…, …Model…   a value for each invocation: 1 for an error, else 0, so the average is a rate
    ModelLatency, OverheadLatency         a value for each invocation that has one, within 0.8 %; their sum is exact

Source: developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from moorage.core.late_mapping import LateMapping
from moorage.core.latency import ROW, ROWS, Histogram
from moorage.core.latency import bounds_of as latency_bounds_of
from moorage.core.metrics.distribution import Distribution, bucket_of
from moorage.core.metrics.metric import NO_UNIT, MetricKey, dimensions_of
from moorage.core.model import EndpointKey
from moorage.core.traffic import Outcome, SeriesKey, Tally

NAMESPACE: Final = "AWS/SageMaker"
MICROSECONDS: Final = "Microseconds"
ENDPOINT_NAME: Final = "EndpointName"
VARIANT_NAME: Final = "VariantName"
CONFIG_NAME: Final = "EndpointConfigName"

_ZERO: Final = bucket_of(0.0)
_ONE: Final = bucket_of(1.0)


class Scope(NamedTuple):
    """Whose traffic is meant: an endpoint's, a variant's, or a variant's under one endpoint config."""

    endpoint: EndpointKey
    variant: str | None = None
    config: str | None = None

    def includes(self, key: SeriesKey) -> bool:
        """Whether a series of the endpoint is meant."""
        return self.variant in (None, key.variant) and self.config in (None, key.config)

    def metric(self, name: str) -> MetricKey:
        """The metric of that name."""
        values = {ENDPOINT_NAME: self.endpoint.name, VARIANT_NAME: self.variant, CONFIG_NAME: self.config}
        given = {dimension: value for dimension, value in values.items() if value is not None}
        return MetricKey(self.endpoint.region, NAMESPACE, name, dimensions_of(given))


@dataclass(frozen=True, slots=True)
class TrafficMetric:
    """What a metric says of what was counted; None if there was nothing to measure."""

    of: Callable[[Tally], Distribution | None]
    unit: str = NO_UNIT
    needs_latencies: bool = False
    has_zeros: bool = False
    """Whether it is 0, and not missing, where a variant was there and not invoked."""


def scope_of(key: MetricKey) -> Scope | None:
    """Whose traffic a metric is about; None if it is none of these metrics."""
    dimensions = dict(key.dimensions)
    endpoint = dimensions.pop(ENDPOINT_NAME, None)
    variant, config = dimensions.pop(VARIANT_NAME, None), dimensions.pop(CONFIG_NAME, None)
    is_ours = key.namespace == NAMESPACE and key.name in TRAFFIC_METRICS
    if not is_ours or endpoint is None or dimensions or (config is not None and variant is None):
        return None
    return Scope(EndpointKey(key.region, endpoint), variant, config)


def scopes_of(key: SeriesKey) -> Iterator[Scope]:
    """Those that a series belongs to."""
    endpoint = EndpointKey(key.region, key.endpoint)
    yield Scope(endpoint)
    if key.variant:
        yield Scope(endpoint, key.variant)
        if key.config:
            yield Scope(endpoint, key.variant, key.config)


def _invocations(tally: Tally) -> Distribution | None:
    count = float(tally.invocations)
    return Distribution(count, count, 1.0, 1.0) if count else None


def _per_instance(tally: Tally) -> Distribution | None:
    """How the shares were spread is not counted: the mean stands for all of them."""
    count = float(tally.invocations)
    if not count:
        return None
    mean = tally.per_instance / count
    return Distribution(count, tally.per_instance, mean, mean)


def _errors(count_in: Callable[[Tally], int]) -> Callable[[Tally], Distribution | None]:
    def of(tally: Tally) -> Distribution | None:
        count, errors = float(tally.invocations), float(count_in(tally))
        if not count:
            return None
        buckets = {bucket: times for bucket, times in ((_ZERO, count - errors), (_ONE, errors)) if times}
        return Distribution(count, errors, float(errors == count), float(errors > 0), buckets)

    return of


def _latency(histogram_of: Callable[[Tally], Histogram]) -> Callable[[Tally], Distribution | None]:
    def of(tally: Tally) -> Distribution | None:
        histogram = histogram_of(tally)
        count, total = float(histogram.count), float(histogram.sum_us)
        if count <= 1.0:
            return Distribution(count, total, total, total) if count else None
        buckets = LateMapping(partial(_counterparts, histogram))
        mean, least, most = total / count, _middle(min(histogram.counts)), _middle(max(histogram.counts))
        return Distribution(count, total, min(mean, least), max(mean, most), buckets)

    return of


def _counterparts(histogram: Histogram) -> Mapping[int, float]:
    buckets: dict[int, float] = {}
    for bucket, times in histogram.counts.items():
        counterpart = _BUCKETS[bucket]
        buckets[counterpart] = buckets.get(counterpart, 0.0) + times
    return buckets


def _middle(latency_bucket: int) -> float:
    low, high = latency_bounds_of(latency_bucket)
    return (low + high) / 2


def _counterpart(latency_bucket: int) -> int:
    low, high = latency_bounds_of(latency_bucket)
    return bucket_of(float((low + high + 1) // 2))


_BUCKETS: Final = tuple(_counterpart(bucket) for bucket in range(ROW * (ROWS + 1)))
"""Of a distribution, for each of a histogram's."""

TRAFFIC_METRICS: Final[Mapping[str, TrafficMetric]] = {
    "Invocations": TrafficMetric(_invocations, has_zeros=True),
    "InvocationsPerInstance": TrafficMetric(_per_instance, has_zeros=True),
    "Invocation4XXErrors": TrafficMetric(_errors(lambda tally: tally.outcomes[Outcome.CLIENT_ERROR])),
    "Invocation5XXErrors": TrafficMetric(_errors(lambda tally: tally.outcomes[Outcome.SERVER_ERROR])),
    "InvocationModelErrors": TrafficMetric(_errors(lambda tally: tally.model_errors)),
    "ModelLatency": TrafficMetric(_latency(lambda tally: tally.model), MICROSECONDS, needs_latencies=True),
    "OverheadLatency": TrafficMetric(_latency(lambda tally: tally.overhead), MICROSECONDS, needs_latencies=True),
}
