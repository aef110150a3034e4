"""Several sources of metrics as one: what is found in any of them is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moorage.core.metrics.distribution import Distribution
from moorage.core.metrics.metric import MetricKey
from moorage.telemetry.metrics.base import MetricFilter, MetricSource, Series


class CombinedMetrics:
    """A `MetricSource` of others, which are asked one after another."""

    def __init__(self, sources: Sequence[MetricSource]) -> None:
        self._sources = sources

    async def find(self, wanted: MetricFilter) -> Sequence[MetricKey]:
        """As `MetricSource.find`."""
        return sorted({key for source in self._sources for key in await source.find(wanted)})

    async def read(
        self, keys: Sequence[MetricKey], *, since_s: int, until_s: int, period_s: int, unit: str | None = None
    ) -> Mapping[MetricKey, Series]:
        """As `MetricSource.read`: what several have of one metric is put together."""
        found: dict[MetricKey, dict[int, Distribution]] = {key: {} for key in keys}
        for source in self._sources:
            answered = await source.read(keys, since_s=since_s, until_s=until_s, period_s=period_s, unit=unit)
            for key, series in answered.items():
                own = found[key]
                for at_s, values in series.items():
                    own[at_s] = own[at_s] + values if at_s in own else values
        return found

    async def units(self, key: MetricKey) -> Sequence[str]:
        """As `MetricSource.units`."""
        return sorted({unit for source in self._sources for unit in await source.units(key)})
