"""Tallies in the words of the operation, which are CloudWatch's where it has one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from moorage.aws.types.moorage import LatencyStatistics, TrafficStatistics, TrafficSummary
from moorage.core.latency import Histogram
from moorage.core.traffic import Outcome, SeriesKey, Tallies, Tally


def by_endpoint(key: SeriesKey) -> SeriesKey:
    """The key of all series of an endpoint."""
    return SeriesKey(key.region, key.endpoint, config="")


def by_instance(key: SeriesKey) -> SeriesKey:
    """The key of one series."""
    return key


def join(tallies: Iterable[tuple[SeriesKey, Tally]], group: Callable[[SeriesKey], SeriesKey]) -> Tallies:
    """The sum of each group."""
    sums: dict[SeriesKey, Tally] = {}
    for key, tally in tallies:
        sums[group(key)] = sums.get(group(key), Tally()) + tally
    return sums


def summarise(recent: Tallies, total: Tallies, in_flight: Tallies) -> list[TrafficSummary]:
    """A summary for each key of `total`, in order."""
    nothing = Tally()
    return [
        _summary(key, recent.get(key, nothing), total[key], in_flight=in_flight.get(key, nothing).in_flight)
        for key in sorted(total)
    ]


def _summary(key: SeriesKey, recent: Tally, total: Tally, *, in_flight: int) -> TrafficSummary:
    summary: TrafficSummary = {
        "EndpointName": key.endpoint,
        "InFlight": in_flight,
        "Recent": _statistics(recent),
        "Total": _statistics(total),
    }
    if key.config:
        summary["EndpointConfigName"] = key.config
    if key.variant:
        summary["VariantName"] = key.variant
    if key.instance:
        summary["InstanceId"] = key.instance
    return summary


def _statistics(tally: Tally) -> TrafficStatistics:
    statistics: TrafficStatistics = {
        "Invocations": tally.invocations,
        "InvocationsPerInstance": tally.per_instance,
        "Invocation4XXErrors": tally.outcomes[Outcome.CLIENT_ERROR],
        "Invocation5XXErrors": tally.outcomes[Outcome.SERVER_ERROR],
        "InvocationModelErrors": tally.model_errors,
        "Refused": tally.outcomes[Outcome.REFUSED],
        "BytesIn": tally.bytes_in,
        "BytesOut": tally.bytes_out,
    }
    if tally.model.counts:
        statistics["ModelLatency"] = _latency(tally.model)
    if tally.overhead.counts:
        statistics["OverheadLatency"] = _latency(tally.overhead)
    return statistics


def _latency(histogram: Histogram) -> LatencyStatistics:
    return {
        "SampleCount": histogram.count,
        "Sum": histogram.sum_us,
        "Average": histogram.mean_us,
        "Minimum": histogram.min_us,
        "Maximum": histogram.max_us,
        "p50": histogram.quantile(0.5),
        "p90": histogram.quantile(0.9),
        "p99": histogram.quantile(0.99),
    }
