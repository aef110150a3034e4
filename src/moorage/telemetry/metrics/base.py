"""What whoever reads metrics, and whoever has some to put, may rely on. Times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from moorage.core.metrics.distribution import Distribution
from moorage.core.metrics.metric import NO_UNIT, MetricKey

Series = Mapping[int, Distribution]
"""By the beginning of each period, what was measured in it. Periods without anything are absent."""

HIGH_RESOLUTION_S: Final = 1
STANDARD_RESOLUTION_S: Final = 60


class MetricsUnavailable(Exception):
    """Metrics cannot be read or kept now; later they may be."""


class TooManyMetrics(Exception):
    """There is no room for another metric."""


class Measured(NamedTuple):
    """Something to be kept."""

    key: MetricKey
    at_s: float
    values: Distribution
    unit: str = NO_UNIT
    resolution_s: int = STANDARD_RESOLUTION_S
    """The period below which nobody will ask: `HIGH_RESOLUTION_S` or `STANDARD_RESOLUTION_S`."""


@dataclass(frozen=True, slots=True)
class MetricFilter:
    """Which metrics are meant. None leaves a member open."""

    region: str
    namespace: str | None = None
    name: str | None = None
    dimensions: tuple[tuple[str, str | None], ...] = ()
    """Which a metric has to have, among others; a value of None is any."""
    active_since_s: float | None = None
    """When the last value is from, at the earliest. Values of up to a few minutes before may count, too."""

    def accepts(self, key: MetricKey) -> bool:
        """Whether a metric is meant, by its name alone."""
        own = dict(key.dimensions)
        return (
            key.region == self.region
            and self.namespace in (None, key.namespace)
            and self.name in (None, key.name)
            and all(name in own and value in (None, own[name]) for name, value in self.dimensions)
        )


class MetricSource(Protocol):
    """Metrics that can be read."""

    async def find(self, wanted: MetricFilter) -> Sequence[MetricKey]:
        """The metrics that are meant, in the order of their keys. Raises MetricsUnavailable."""
        ...

    async def read(
        self, keys: Sequence[MetricKey], *, since_s: int, until_s: int, period_s: int, unit: str | None = None
    ) -> Mapping[MetricKey, Series]:
        """What was measured from `since_s` up to, but not including, `until_s`, both multiples of `period_s`.

        Each metric asked for is in the answer; of one that nobody knows, or has only in other units, with nothing.
        Periods begin at multiples of `period_s`. One that is still going on has what there is. Where values are only
        kept for longer periods by now, they are in the period in which theirs begins. Raises MetricsUnavailable.
        """
        ...

    async def units(self, key: MetricKey) -> Sequence[str]:
        """The units in which the metric was measured, in order; none of one that nobody knows."""
        ...


class MetricSink(Protocol):
    """Where metrics are put."""

    async def put(self, measured: Sequence[Measured]) -> None:
        """Keep all of it: what this has returned from is on disk. Raises MetricsUnavailable, TooManyMetrics."""
        ...
