"""What time series are called: the labels that CloudWatch gives them, and those that a query makes of values. Pure.

    [max: ${MAX} at ${MAX_TIME}] ${PROP('Dim.VariantName')}   →   [max: 31 at 2026-11-21 14:03:00 UTC] AllTraffic

Source: "Using dynamic labels" in the CloudWatch user guide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from moorage.core.metrics.maths.values import Origin, TimeSeries

DYNAMIC_VALUES_MAX: Final = 5
LENGTH_MAX: Final = 2048
"""Of what a label is made from: as of an expression."""

_VARIABLE: Final = re.compile(r"\$\{\s*(?:PROP\(\s*'(?P<property>[^']*)'\s*\)|(?P<value>[A-Z_]+))\s*\}")
_OFFSET: Final = re.compile(r"([+-])(0\d|1[0-4])([0-5]\d)", re.ASCII)


class InvalidLabel(ValueError):
    """A label that cannot be made. The message says why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when a label is made."""

    now_s: float
    account_id: str
    timezone: timezone = UTC


def default_labels(origins: Sequence[Origin]) -> Sequence[str]:
    """What tells each of some metrics from the others: whatever of its name they do not share, or just its name.

    Sums of Invocations of the variants `a` and `b` are called by just that; beside another statistic of `b` they are
    `a Sum`, `b Sum` and `b p99`.
    """
    parts = [_parts(origin) for origin in origins]
    names = list(dict.fromkeys(name for each in parts for name in each))
    varying = [name for name in names if len({each.get(name) for each in parts}) > 1]
    return [
        " ".join(each[name] for name in varying if name in each) or origin.key.name
        for origin, each in zip(origins, parts, strict=True)
    ]


def check_label(template: str) -> None:
    """Raises InvalidLabel."""
    if len(template) > LENGTH_MAX:
        raise InvalidLabel(f"A label can have {LENGTH_MAX} characters at most")
    dynamic = 0
    for variable in _VARIABLE.finditer(template):
        if variable["value"] is not None and variable["value"] not in _VALUES and variable["value"] != "LABEL":
            raise InvalidLabel(f"{variable[0]} is not a value that a label can have")
        if variable["property"] is not None and _property_reader(variable["property"]) is None:
            raise InvalidLabel(f"{variable[0]} is not a property that a label can have")
        dynamic += variable["value"] in _VALUES
    if dynamic > DYNAMIC_VALUES_MAX:
        raise InvalidLabel(f"A label can have {DYNAMIC_VALUES_MAX} dynamic values at most")


def make_label(template: str | None, series: TimeSeries, setting: Setting, *, is_element: bool) -> str:
    """The label of a time series, whose own is the default one. `template` is one that `check_label` has passed.

    A label without variables stands before the default one where a query has several time series.
    """
    if template is None:
        return series.label
    if is_element and not _VARIABLE.search(template):
        return f"{template} {series.label}".strip()

    def written(variable: re.Match[str]) -> str:
        if variable["value"] == "LABEL":
            return series.label
        if variable["value"] is not None:
            return _VALUES[variable["value"]](series, setting) if series.points else "--"
        reader = _property_reader(variable["property"])
        return "" if reader is None or series.origin is None else reader(series, series.origin, setting)

    return _VARIABLE.sub(written, template)


def read_offset(text: str) -> timezone:
    """The time zone that is so much ahead of UTC: `+0130`. Raises ValueError."""
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not an offset from UTC such as +0130")
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(ahead if found[1] == "+" else -ahead)


def _parts(origin: Origin) -> Mapping[str, str]:
    """By what metrics can differ. Names of dimensions cannot be like those of the other parts."""
    dimensions = {f"Dim.{name}": value for name, value in origin.key.dimensions}
    return {"Namespace": origin.key.namespace, **dimensions, "MetricName": origin.key.name, "Stat": origin.statistic}


_Reader = Callable[[TimeSeries, Origin, Setting], str]

_PROPERTIES: Final[Mapping[str, _Reader]] = {
    "AccountId": lambda _, __, setting: setting.account_id,
    "MetricName": lambda _, origin, __: origin.key.name,
    "Namespace": lambda _, origin, __: origin.key.namespace,
    "Period": lambda series, _, __: str(series.period_s),
    "Region": lambda _, origin, __: origin.key.region,
    "Stat": lambda _, origin, __: origin.statistic,
}


def _property_reader(name: str) -> _Reader | None:
    if name.startswith("Dim."):
        return lambda _, origin, __: dict(origin.key.dimensions).get(name.removeprefix("Dim."), "")
    return _PROPERTIES.get(name)


_Written = Callable[[TimeSeries, Setting], str]
_At = Callable[[TimeSeries], int]


def _number(of: Callable[[Sequence[float]], float]) -> _Written:
    return lambda series, _: f"{of(list(series.points.values())):.10g}"


def _time(at: _At) -> _Written:
    def written(series: TimeSeries, setting: Setting) -> str:
        zone = "%z" if setting.timezone is not UTC else "UTC"
        return datetime.fromtimestamp(at(series), setting.timezone).strftime(f"%Y-%m-%d %H:%M:%S {zone}")

    return written


def _ago(at: _At) -> _Written:
    return lambda series, setting: _duration(abs(setting.now_s - at(series)))


def _between(first: _At, last: _At) -> _Written:
    return lambda series, _: _duration(abs(last(series) - first(series)))


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))


def _first(series: TimeSeries) -> int:
    return next(iter(series.points))


def _last(series: TimeSeries) -> int:
    return max(series.points)


def _lowest(series: TimeSeries) -> int:
    return min(series.points, key=series.points.__getitem__)


def _highest(series: TimeSeries) -> int:
    return max(series.points, key=series.points.__getitem__)


_VALUES: Final[Mapping[str, _Written]] = {
    "AVG": _number(lambda values: sum(values) / len(values)),
    "DATAPOINT_COUNT": _number(len),
    "FIRST": _number(lambda values: values[0]),
    "FIRST_LAST_RANGE": _number(lambda values: abs(values[-1] - values[0])),
    "FIRST_LAST_TIME_RANGE": _between(_first, _last),
    "FIRST_TIME": _time(_first),
    "FIRST_TIME_RELATIVE": _ago(_first),
    "LAST": _number(lambda values: values[-1]),
    "LAST_TIME": _time(_last),
    "LAST_TIME_RELATIVE": _ago(_last),
    "MAX": _number(max),
    "MAX_TIME": _time(_highest),
    "MAX_TIME_RELATIVE": _ago(_highest),
    "MIN": _number(min),
    "MIN_MAX_RANGE": _number(lambda values: max(values) - min(values)),
    "MIN_MAX_TIME_RANGE": _between(_lowest, _highest),
    "MIN_TIME": _time(_lowest),
    "MIN_TIME_RELATIVE": _ago(_lowest),
    "SUM": _number(sum),
}
"""What can be said of the values of a time series that has any."""
