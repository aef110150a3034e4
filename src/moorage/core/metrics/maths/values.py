"""What expressions are made of: scalars, time series, arrays of time series."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from moorage.core.metrics.maths.errors import TooMuchWork
from moorage.core.metrics.metric import MetricKey

Points = Mapping[int, float]
"""Finite values by the second, since 1970, in which their periods begin, in order of time."""

POINTS_MAX: Final = 2_000_000
"""How many datapoints are computed at once: for a second, at worst."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which metric a time series is of, and what of it."""

    key: MetricKey
    statistic: str


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Values by time. What was computed of others has the label and origin of the one that it goes by, if any."""

    points: Points
    period_s: int
    label: str = ""
    origin: Origin | None = field(default=None)

    def with_points(self, points: Points) -> TimeSeries:
        """Others in place of its own."""
        return replace(self, points=points)

    def mapped(self, function: Callable[[float], float]) -> TimeSeries:
        """With what `function` makes of each value."""
        return self.with_points(finite((at, function(value)) for at, value in self.points.items()))


Array = tuple[TimeSeries, ...]
Value = float | TimeSeries | Array


@dataclass(frozen=True, slots=True)
class Window:
    """The time that an expression is about: periods that begin from `since_s` on and before `until_s`."""

    since_s: int
    until_s: int
    period_s: int
    """Of a time series that is made of no other."""

    def times(self, period_s: int) -> range:
        """When the periods of that length begin. Raises TooMuchWork."""
        times = range(-(-self.since_s // period_s) * period_s, self.until_s, period_s)
        if len(times) > POINTS_MAX:
            raise TooMuchWork(f"{len(times):,} datapoints are more than {POINTS_MAX:,}")
        return times


def finite(points: Iterable[tuple[int, float]]) -> Points:
    """Those that are numbers: others, such as what was divided by 0, are dropped."""
    return {at: value for at, value in points if math.isfinite(value)}


def kind_of(value: object) -> str:
    """The type of a value as the user guide calls it."""
    match value:
        case float():
            return "S"
        case TimeSeries():
            return "TS"
        case tuple():
            return "TS[]"
        case _:
            return type(value).__name__
