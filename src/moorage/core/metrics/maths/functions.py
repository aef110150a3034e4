"""The functions by name: how many arguments each takes, and of which types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from moorage.core.metrics.maths.arrays import slice_of, sort
from moorage.core.metrics.maths.choosing import choose
from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.filling import fill
from moorage.core.metrics.maths.reductions import REDUCTIONS
from moorage.core.metrics.maths.scope import Scope
from moorage.core.metrics.maths.transforms import CALENDAR, TRANSFORMS, at_times
from moorage.core.metrics.maths.values import Array, TimeSeries, Value, finite, kind_of

Arguments = Sequence[Any]
"""Values, texts and words."""


class Function(NamedTuple):
    """A function that may be called with so many arguments. It raises ExpressionError for those of another type."""

    arguments_min: int
    arguments_max: int
    call: Callable[[Arguments, Scope], Value]


def _reduction(name: str) -> Function:
    def call(arguments: Arguments, scope: Scope) -> Value:
        argument = arguments[0]
        if not isinstance(argument, TimeSeries | tuple):
            raise _wrong_type(name, "TS or TS[]", argument)
        return REDUCTIONS[name].of(argument, scope.window)

    return Function(1, 1, call)


def _transform(name: str) -> Function:
    def call(arguments: Arguments, _: Scope) -> Value:
        return _each(name, arguments[0], TRANSFORMS[name])

    return Function(1, 1, call)


def _calendar(name: str) -> Function:
    def call(arguments: Arguments, scope: Scope) -> Value:
        return at_times(_series(name, arguments[0]), CALENDAR[name], scope.window)

    return Function(1, 1, call)


def _fill(arguments: Arguments, scope: Scope) -> Value:
    argument, filler = arguments
    return _each("FILL", argument, lambda series: fill(series, filler, scope.window))


def _first(arguments: Arguments, scope: Scope) -> Value:
    return next(iter(_array("FIRST", arguments[0])), TimeSeries({}, scope.window.period_s))


def _if(arguments: Arguments, scope: Scope) -> Value:
    condition, if_true, *if_false = arguments
    return choose(condition, if_true, if_false[0] if if_false else None, scope.window)


def _last(arguments: Arguments, scope: Scope) -> Value:
    return next(reversed(_array("LAST", arguments[0])), TimeSeries({}, scope.window.period_s))


def _metrics(arguments: Arguments, scope: Scope) -> Value:
    part = arguments[0] if arguments else ""
    if not isinstance(part, str):
        raise _wrong_type("METRICS", "a string", part)
    return tuple(series for id_, series in scope.metrics.items() if part in id_)


def _metric_count(arguments: Arguments, _: Scope) -> Value:
    return float(len(_array("METRIC_COUNT", arguments[0])))


def _period(arguments: Arguments, _: Scope) -> Value:
    return float(_series("PERIOD", arguments[0]).period_s)


def _remove_empty(arguments: Arguments, _: Scope) -> Value:
    return tuple(series for series in _array("REMOVE_EMPTY", arguments[0]) if series.points)


def _slice(arguments: Arguments, _: Scope) -> Value:
    array, start, *end = arguments
    return slice_of(_array("SLICE", array), start, end[0] if end else None)


def _sort(arguments: Arguments, scope: Scope) -> Value:
    array, by, order, *limit = arguments
    return sort(_array("SORT", array), by, order, limit[0] if limit else None, scope.window)


def _time_series(arguments: Arguments, scope: Scope) -> Value:
    value, window = arguments[0], scope.window
    if not isinstance(value, float):
        raise _wrong_type("TIME_SERIES", "S", value)
    return TimeSeries(finite((at, value) for at in window.times(window.period_s)), window.period_s)


def _each(name: str, argument: object, function: Callable[[TimeSeries], TimeSeries]) -> Value:
    match argument:
        case TimeSeries():
            return function(argument)
        case tuple():
            return tuple(function(series) for series in argument)
        case _:
            raise _wrong_type(name, "TS or TS[]", argument)


def _series(name: str, argument: object) -> TimeSeries:
    if isinstance(argument, TimeSeries):
        return argument
    raise _wrong_type(name, "TS", argument)


def _array(name: str, argument: object) -> Array:
    if isinstance(argument, tuple):
        return argument
    raise _wrong_type(name, "TS[]", argument)


def _wrong_type(name: str, expected: str, argument: object) -> ExpressionError:
    return ExpressionError(f"{name} takes {expected}, not {kind_of(argument)}")


FUNCTIONS: Final[Mapping[str, Function]] = {
    **{name: _reduction(name) for name in REDUCTIONS},
    **{name: _transform(name) for name in TRANSFORMS},
    **{name: _calendar(name) for name in CALENDAR},
    "FILL": Function(2, 2, _fill),
    "FIRST": Function(1, 1, _first),
    "IF": Function(2, 3, _if),
    "LAST": Function(1, 1, _last),
    "METRICS": Function(0, 1, _metrics),
    "METRIC_COUNT": Function(1, 1, _metric_count),
    "PERIOD": Function(1, 1, _period),
    "REMOVE_EMPTY": Function(1, 1, _remove_empty),
    "SLICE": Function(2, 3, _slice),
    "SORT": Function(3, 4, _sort),
    "TIME_SERIES": Function(1, 1, _time_series),
}
