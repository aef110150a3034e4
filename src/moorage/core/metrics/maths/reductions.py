"""Functions that make one value of many: of a time series a scalar, of an array of them a time series.

In an array the values of one time are taken together, those that are there.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from moorage.core.metrics.maths.values import Array, Points, TimeSeries, Value, Window, finite

OfAll = Callable[[Sequence[float], int], float]
"""Of at least one value: the function is given them, and how many there would be if none were missing."""


class Reduction(NamedTuple):
    """A function, and what it is of a time series without a value."""

    of_all: OfAll
    of_none: float = math.nan

    def of(self, argument: TimeSeries | Array, window: Window) -> Value:
        """A scalar of a time series, a time series of an array."""
        if isinstance(argument, TimeSeries):
            return self.of_series(argument, window)
        period_s = max((series.period_s for series in argument), default=window.period_s)
        return TimeSeries(self._by_time(argument), period_s)

    def of_series(self, series: TimeSeries, window: Window) -> float:
        """A scalar."""
        values = list(series.points.values())
        return self.of_all(values, len(window.times(series.period_s))) if values else self.of_none

    def _by_time(self, array: Array) -> Points:
        values: dict[int, list[float]] = {}
        for series in array:
            for at, value in series.points.items():
                values.setdefault(at, []).append(value)
        return finite((at, self.of_all(values[at], len(array))) for at in sorted(values))


def _sum(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:  # more than a float holds: no number, as what is divided by 0 is none
        return math.nan


def _average(values: Sequence[float], expected: int) -> float:
    """Missing values count as 0, as the guide says: a sparse metric's own is SUM(m) / DATAPOINT_COUNT(m)."""
    return _sum(values) / max(expected, len(values))


REDUCTIONS: Final[Mapping[str, Reduction]] = {
    "AVG": Reduction(_average),
    "DATAPOINT_COUNT": Reduction(lambda values, _: float(len(values)), of_none=0.0),
    "MAX": Reduction(lambda values, _: max(values)),
    "MIN": Reduction(lambda values, _: min(values)),
    "STDDEV": Reduction(lambda values, _: statistics.pstdev(values)),
    "SUM": Reduction(lambda values, _: _sum(values), of_none=0.0),
}
