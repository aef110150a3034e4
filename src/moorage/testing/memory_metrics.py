"""Metrics in memory: a `MetricSource` and `MetricSink` that tests fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moorage.core.metrics.distribution import Distribution
from moorage.core.metrics.metric import MetricKey
from moorage.telemetry.metrics.base import Measured, MetricFilter, MetricsUnavailable, Series


class MemoryMetrics:
    """Everything that was put, for ever. Set `unavailable` to have nothing read."""

    def __init__(self) -> None:
        self.unavailable = False
        self._measured: list[Measured] = []

    async def put(self, measured: Sequence[Measured]) -> None:
        """As `MetricSink.put`."""
        self._measured.extend(measured)

    async def find(self, wanted: MetricFilter) -> Sequence[MetricKey]:
        """As `MetricSource.find`."""
        since_s = wanted.active_since_s or 0
        return sorted({each.key for each in self._measured if wanted.accepts(each.key) and each.at_s >= since_s})

    async def read(
        self, keys: Sequence[MetricKey], *, since_s: int, until_s: int, period_s: int, unit: str | None = None
    ) -> Mapping[MetricKey, Series]:
        """As `MetricSource.read`."""
        if self.unavailable:
            raise MetricsUnavailable("the metrics were told to be unavailable")
        assert since_s % period_s == until_s % period_s == 0
        found: dict[MetricKey, dict[int, Distribution]] = {key: {} for key in keys}
        for each in sorted(self._measured, key=lambda each: each.at_s):
            if each.key in found and since_s <= each.at_s < until_s and unit in (None, each.unit):
                series, at_s = found[each.key], int(each.at_s) // period_s * period_s
                series[at_s] = series[at_s] + each.values if at_s in series else each.values
        return found

    async def units(self, key: MetricKey) -> Sequence[str]:
        """As `MetricSource.units`."""
        return sorted({each.unit for each in self._measured if each.key == key})
