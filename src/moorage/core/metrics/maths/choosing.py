"""IF: by a condition one value or the other.

A condition that is a time series is looked at period by period, and where it has no value there is none. What is false
where nothing is given for it, or where that has no value, is dropped; what is true where the value is missing is 0. All
of that is the guide's.
"""

from __future__ import annotations

from collections.abc import Iterator

from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.values import TimeSeries, Value, Window, finite, kind_of


def choose(condition: object, if_true: object, if_false: object | None, window: Window) -> Value:
    """Raises ExpressionError if one of them is neither a scalar nor a time series."""
    branches = [branch for branch in (if_true, if_false) if branch is not None]
    for argument in (condition, *branches):
        if not isinstance(argument, float | TimeSeries):
            raise ExpressionError(f"IF takes S or TS, not {kind_of(argument)}")
    if isinstance(condition, TimeSeries):
        return condition.with_points(finite(_by_time(condition, if_true, if_false)))
    chosen = if_true if condition else if_false
    if isinstance(chosen, float | TimeSeries):
        return chosen
    return TimeSeries({}, window.period_s)


def _by_time(condition: TimeSeries, if_true: object, if_false: object | None) -> Iterator[tuple[int, float]]:
    for at, value in condition.points.items():
        chosen = _at(if_true, at, missing=0.0) if value else _at(if_false, at, missing=None)
        if chosen is not None:
            yield at, chosen


def _at(branch: object | None, at: int, *, missing: float | None) -> float | None:
    match branch:
        case float():
            return branch
        case TimeSeries():
            return branch.points.get(at, missing)
        case _:
            return None
