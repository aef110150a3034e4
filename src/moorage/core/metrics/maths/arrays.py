"""Functions of arrays of time series."""

from __future__ import annotations

from typing import Final

from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.program import Word
from moorage.core.metrics.maths.reductions import REDUCTIONS
from moorage.core.metrics.maths.values import Array, TimeSeries, Window, kind_of

_SORTED_BY: Final = ("AVG", "MIN", "MAX", "SUM")


def make_array(parts: list[object]) -> Array:
    """Time series, and those of arrays, as one array. Raises ExpressionError for anything else."""
    elements: list[TimeSeries] = []
    for part in parts:
        match part:
            case TimeSeries():
                elements.append(part)
            case tuple():
                elements.extend(part)
            case _:
                raise ExpressionError(f"An array is made of TS and TS[], not of {kind_of(part)}")
    return tuple(elements)


def sort(array: Array, by: object, order: object, limit: object | None, window: Window) -> Array:
    """By a reduction of each, lowest (ASC) or highest (DESC) first, the first `limit`; those without a value last.

    Raises ExpressionError for another reduction or order.
    """
    match by, order:
        case Word(function), Word("ASC" | "DESC" as direction) if function in _SORTED_BY:
            pass
        case _:
            raise ExpressionError(f"SORT sorts by {', '.join(_SORTED_BY)}, in the order ASC or DESC")
    sign = 1 if direction == "ASC" else -1

    def place(series: TimeSeries) -> tuple[bool, float]:
        return (False, sign * REDUCTIONS[function].of_series(series, window)) if series.points else (True, 0.0)

    return tuple(sorted(array, key=place))[: None if limit is None else _index(limit)]


def slice_of(array: Array, start: object, end: object | None) -> Array:
    """From the element `start`, counted from 0, up to but not including `end`. Raises ExpressionError."""
    return array[_index(start) : None if end is None else _index(end)]


def _index(value: object) -> int:
    if isinstance(value, float) and value >= 0 and value.is_integer():
        return int(value)
    raise ExpressionError("SORT and SLICE count time series in whole numbers from 0")
