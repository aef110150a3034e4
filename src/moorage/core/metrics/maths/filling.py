"""FILL: values for the periods of the window that have none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.program import Word
from moorage.core.metrics.maths.values import Points, TimeSeries, Window, finite, kind_of


def fill(series: TimeSeries, filler: object, window: Window) -> TimeSeries:
    """By a number, by another time series, by the value before (REPEAT), on a line between two values (LINEAR).

    Where the filler has nothing either, nothing is filled: before the first value, and LINEAR after the last one.
    Raises ExpressionError for any other filler.
    """
    match filler:
        case float():
            others: Points = dict.fromkeys(window.times(series.period_s), filler)
        case TimeSeries():
            others = filler.points
        case Word("REPEAT"):
            others = dict(_repeated(series, window))
        case Word("LINEAR"):
            others = dict(_between(series))
        case _:
            raise ExpressionError(f"FILL fills with S, TS, REPEAT or LINEAR, not with {kind_of(filler)}")
    return series.with_points(finite(sorted({**others, **series.points}.items())))


def _repeated(series: TimeSeries, window: Window) -> Iterator[tuple[int, float]]:
    last = None
    for at in window.times(series.period_s):
        last = series.points.get(at, last)
        if last is not None:
            yield at, last


def _between(series: TimeSeries) -> Iterator[tuple[int, float]]:
    for (start, first), (end, last) in itertools.pairwise(series.points.items()):
        for at in range(start + series.period_s, end, series.period_s):
            yield at, first + (last - first) * (at - start) / (end - start)
