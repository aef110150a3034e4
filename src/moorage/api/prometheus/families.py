"""Figures as metric families of prometheus_client, which writes them down. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from moorage.core.figures import EDGES_US, Figure, Kind, Sample, cumulative
from moorage.core.latency import Histogram

_EDGES: Final = tuple(str(edge / 1e6) for edge in EDGES_US)


class Families:
    """A collector, as prometheus_client calls what it asks for metrics, of figures that are known already."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """A family for each figure that has values."""
        return (_family(figure) for figure in self._figures if figure.samples)


def _family(figure: Figure) -> Metric:
    family: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
    names = tuple(dict.fromkeys(name for sample in figure.samples for name in sample.labels))
    match figure.kind:
        case Kind.COUNTER:
            family = CounterMetricFamily(figure.name, figure.help, labels=names)
        case Kind.GAUGE:
            family = GaugeMetricFamily(figure.name, figure.help, labels=names)
        case Kind.HISTOGRAM:
            family = HistogramMetricFamily(figure.name, figure.help, labels=names)
    for sample in figure.samples:
        _add(family, sample, [sample.labels.get(name, "") for name in names])
    return family


def _add(
    family: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily, sample: Sample, labels: Sequence[str]
) -> None:
    if isinstance(family, HistogramMetricFamily):
        assert isinstance(sample.value, Histogram)
        counts = cumulative(sample.value)
        buckets = [*zip(_EDGES, counts, strict=True), ("+Inf", sample.value.count)]
        family.add_metric(labels, buckets=buckets, sum_value=sample.value.sum_us / 1e6)
    else:
        assert not isinstance(sample.value, Histogram)
        family.add_metric(labels, sample.value)
