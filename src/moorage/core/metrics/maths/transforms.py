"""Functions from a time series to another one: by value, by the values before it, by time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from moorage.core.metrics.maths.values import Points, TimeSeries, Window, finite

Transform = Callable[[TimeSeries], TimeSeries]


def _by_value(function: Callable[[float], float]) -> Transform:
    return lambda series: series.mapped(function)


def _logarithm(function: Callable[[float], float]) -> Transform:
    return _by_value(lambda value: function(value) if value > 0 else math.nan)


def _by_step(function: Callable[[float, float], float]) -> Transform:
    """Of each value but the first: how much it is above the one before, and how many seconds later."""

    def steps(points: Points) -> Iterator[tuple[int, float]]:
        for (before, last), (at, value) in itertools.pairwise(points.items()):
            yield at, function(value - last, at - before)

    return lambda series: series.with_points(finite(steps(series.points)))


def _running_sum(series: TimeSeries) -> TimeSeries:
    sums = itertools.accumulate(series.points.values())
    return series.with_points(finite(zip(series.points, sums, strict=True)))


TRANSFORMS: Final[Mapping[str, Transform]] = {
    "ABS": _by_value(abs),
    "CEIL": _by_value(lambda value: float(math.ceil(value))),
    "DIFF": _by_step(lambda difference, _: difference),
    "DIFF_TIME": _by_step(lambda _, seconds: seconds),
    "FLOOR": _by_value(lambda value: float(math.floor(value))),
    "LOG": _logarithm(math.log),
    "LOG10": _logarithm(math.log10),
    "RATE": _by_step(lambda difference, seconds: difference / seconds),
    "RUNNING_SUM": _running_sum,
}

CALENDAR: Final[Mapping[str, Callable[[datetime], float]]] = {
    "DATE": lambda time: time.day,
    "DAY": lambda time: time.isoweekday(),
    "EPOCH": lambda time: time.timestamp(),
    "HOUR": lambda time: time.hour,
    "MINUTE": lambda time: time.minute,
    "MONTH": lambda time: time.month,
    "YEAR": lambda time: time.year,
}
"""What a time in UTC says. Days of the week go from 1 for Monday to 7 for Sunday."""


def at_times(series: TimeSeries, says: Callable[[datetime], float], window: Window) -> TimeSeries:
    """What each period of the window says, whether there is a value or not."""
    times = window.times(series.period_s)
    return series.with_points({at: float(says(datetime.fromtimestamp(at, UTC))) for at in times})
