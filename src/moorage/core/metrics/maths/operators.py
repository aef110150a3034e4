"""The operators: arithmetic, comparison, logic.

Where only one of two time series has a value, the other counts as 0. What divides by 0 is dropped.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.values import TimeSeries, Value, finite, kind_of

Operation = Callable[[float, float], float]


def apply(symbol: str, left: object, right: object) -> Value:
    """The result of an operator. Raises ExpressionError if the operands do not go together."""
    operation = _OPERATIONS[symbol]
    match left, right:
        case float(), float():
            return operation(left, right)
        case float() | TimeSeries(), float() | TimeSeries():
            return _series(operation, left, right)
        case tuple(), float() | TimeSeries():
            return tuple(_like(series, _series(operation, series, right)) for series in left)
        case float() | TimeSeries(), tuple():
            return tuple(_like(series, _series(operation, left, series)) for series in right)
        case _:
            kinds = f"[{kind_of(left)}, {kind_of(right)}]"
            raise ExpressionError(f"Unsupported operand type(s) for {symbol}: '{kinds}'")


def negate(value: object) -> Value:
    """The negative of a value. Raises ExpressionError for what is none."""
    if not isinstance(value, float | TimeSeries | tuple):
        raise ExpressionError(f"Unsupported operand type for -: '{kind_of(value)}'")
    return apply("*", -1.0, value)


def _series(operation: Operation, left: float | TimeSeries, right: float | TimeSeries) -> TimeSeries:
    """What comes of two, of which at least one is a time series."""
    if isinstance(left, float):
        assert isinstance(right, TimeSeries)
        return right.mapped(lambda value: operation(left, value))
    if isinstance(right, float):
        return left.mapped(lambda value: operation(value, right))
    ours, theirs = left.points, right.points
    times = ours if ours.keys() == theirs.keys() else sorted(ours.keys() | theirs.keys())
    points = finite((at, operation(ours.get(at, 0.0), theirs.get(at, 0.0))) for at in times)
    return TimeSeries(points, max(left.period_s, right.period_s), left.label, left.origin)


def _like(element: TimeSeries, series: TimeSeries) -> TimeSeries:
    """What came of an element of an array still goes by its name."""
    return replace(series, label=element.label, origin=element.origin)


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except (ValueError, OverflowError):
        return math.nan


_OPERATIONS: Final[Mapping[str, Operation]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    "<=": lambda left, right: float(left <= right),
    ">": lambda left, right: float(left > right),
    ">=": lambda left, right: float(left >= right),
    "AND": lambda left, right: float(left != 0 and right != 0),
    "OR": lambda left, right: float(left != 0 or right != 0),
}
