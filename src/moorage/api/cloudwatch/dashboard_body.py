"""What a dashboard's body has to be. Pure.

What breaks the structure is an error, and the dashboard is not kept; what is merely unknown is a warning. Source:
CloudWatch API reference, "Dashboard body structure and syntax".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

WIDGETS_MAX: Final = 500


class NotAnObject(ValueError):
    """The text is not that of a JSON object."""


class Problem(NamedTuple):
    """Something about one place of a body, which is written as a JSON pointer."""

    path: str
    message: str
    is_error: bool = True


def problems_of(text: str) -> list[Problem]:
    """What is wrong with a body, in order of place. Raises NotAnObject."""
    try:
        body = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise NotAnObject from None
    if not isinstance(body, dict):
        raise NotAnObject
    return [*_members(body, _BODY, path=""), *_widgets(body.get("widgets", []))]


class _Rule(NamedTuple):
    """What a member has to be."""

    holds: Callable[[Any], bool]
    what: str
    is_required: bool = False


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _integer(low: int, high: int) -> _Rule:
    return _Rule(lambda value: _is(int)(value) and low <= value <= high, f"an integer from {low} to {high}")


def _one_of(*values: str) -> _Rule:
    return _Rule(lambda value: value in values, f"equal to one of {', '.join(values)}")


_STRING: Final = _Rule(_is(str), "string")
_NUMBER: Final = _Rule(_is(int, float), "number")
_BOOLEAN: Final = _Rule(_is(bool), "boolean")
_OBJECT: Final = _Rule(_is(dict), "object")
_ARRAY: Final = _Rule(_is(list), "array")

_BODY: Final[Mapping[str, _Rule]] = {
    "start": _STRING,
    "end": _STRING,
    "periodOverride": _one_of("auto", "inherit"),
    "widgets": _Rule(lambda value: isinstance(value, list) and len(value) <= WIDGETS_MAX, f"up to {WIDGETS_MAX} items"),
    "variables": _ARRAY,
}

_WIDGET: Final[Mapping[str, _Rule]] = {
    "type": _STRING._replace(is_required=True),
    "x": _integer(0, 23),
    "y": _integer(0, 1_000_000),
    "width": _integer(1, 24),
    "height": _integer(1, 1000),
    "properties": _OBJECT._replace(is_required=True),
}

_SHARED: Final[Mapping[str, _Rule]] = {"title": _STRING, "accountId": _STRING, "region": _STRING}

_PROPERTIES: Final[Mapping[str, Mapping[str, _Rule]]] = {
    "metric": {
        **_SHARED,
        "region": _STRING._replace(is_required=True),
        "metrics": _ARRAY,
        "annotations": _OBJECT,
        "view": _one_of("timeSeries", "singleValue", "gauge", "bar", "pie", "table"),
        "stacked": _BOOLEAN,
        "period": _Rule(lambda value: _is(int)(value) and value > 0, "a positive integer"),
        "stat": _STRING,
        "yAxis": _OBJECT,
        "legend": _OBJECT,
        "liveData": _BOOLEAN,
        "setPeriodToTimeRange": _BOOLEAN,
        "singleValueFullPrecision": _BOOLEAN,
        "sparkline": _BOOLEAN,
        "table": _OBJECT,
        "timezone": _STRING,
        "trend": _BOOLEAN,
        "start": _STRING,
        "end": _STRING,
    },
    "text": {"markdown": _STRING._replace(is_required=True), "background": _one_of("transparent", "solid")},
    "log": {
        **_SHARED,
        "region": _STRING._replace(is_required=True),
        "query": _STRING._replace(is_required=True),
        "view": _one_of("table", "timeSeries", "bar", "pie"),
        "stacked": _BOOLEAN,
        "queryLanguage": _STRING,
    },
    "alarm": {
        **_SHARED,
        "alarms": _ARRAY._replace(is_required=True),
        "sortBy": _one_of("default", "stateUpdatedTimestamp", "timestamp"),
        "states": _ARRAY,
    },
    "explorer": {
        **_SHARED,
        "metrics": _ARRAY._replace(is_required=True),
        "labels": _ARRAY,
        "aggregateBy": _OBJECT,
        "period": _NUMBER,
        "splitBy": _STRING,
        "widgetOptions": _OBJECT,
    },
    "custom": {
        **_SHARED,
        "endpoint": _STRING._replace(is_required=True),
        "params": _OBJECT,
        "updateOn": _OBJECT,
    },
}


def _widgets(widgets: Any) -> Iterator[Problem]:
    if not isinstance(widgets, list):
        return
    for number, widget in enumerate(widgets):
        path = f"/widgets/{number}"
        if isinstance(widget, dict):
            yield from _widget(widget, path)
        else:
            yield Problem(path, "Should be object")


def _widget(widget: Mapping[str, Any], path: str) -> Iterator[Problem]:
    yield from _members(widget, _WIDGET, path=path)
    if ("x" in widget) != ("y" in widget):
        yield Problem(path, "Should have both properties 'x' and 'y', or neither")
    kind, properties = widget.get("type"), widget.get("properties")
    if not isinstance(kind, str) or not isinstance(properties, dict):
        return
    if kind not in _PROPERTIES:
        yield Problem(f"{path}/type", f"Unknown widget type '{kind}'", is_error=False)
        return
    yield from _members(properties, _PROPERTIES[kind], path=f"{path}/properties")
    if kind == "metric":
        yield from _metrics(properties, f"{path}/properties")


def _metrics(properties: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if "metrics" not in properties and "annotations" not in properties:
        yield Problem(path, "Should have property 'metrics' or 'annotations'")
    metrics = properties.get("metrics", [])
    for number, metric in enumerate(metrics if isinstance(metrics, list) else []):
        if not isinstance(metric, list) or not metric:
            yield Problem(f"{path}/metrics/{number}", "Should be an array of at least one item")


def _members(value: Mapping[str, Any], rules: Mapping[str, _Rule], *, path: str) -> Iterator[Problem]:
    for name, rule in rules.items():
        if name in value and not rule.holds(value[name]):
            yield Problem(f"{path}/{name}", f"Should be {rule.what}")
        elif name not in value and rule.is_required:
            yield Problem(path, f"Should have required property '{name}'")
    for name in value.keys() - rules.keys():
        yield Problem(f"{path}/{name}", "Unknown property", is_error=False)
