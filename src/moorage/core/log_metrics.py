"""Metrics that log lines are turned into: what a metric filter measures in a line. Pure.

A filter's value is a number, or names one in the line, as its dimensions name theirs: `$size`, `$.latency`. A line that
matches and in which one of them is missing, or is nothing that a metric can have, measures nothing; one that does not
match measures the default, if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from moorage.core.log_patterns import Pattern, parse_pattern
from moorage.core.log_patterns.conditions import parse_number
from moorage.core.metrics.metric import (
    MAGNITUDE_MAX,
    NO_UNIT,
    MetricKey,
    dimensions_of,
    is_dimension_name,
    is_dimension_value,
)

DIMENSIONS_MAX: Final = 3
RESERVED_NAMESPACE: Final = "AWS/"


class InvalidLogMetric(ValueError):
    """The message is the sentence that says what is wrong with a metric transformation."""


@dataclass(frozen=True, slots=True)
class LogMetric:
    """A pattern, and what it is to be measured as."""

    pattern: Pattern
    key: MetricKey
    """Without dimensions."""
    value: str
    default: float | None
    dimensions: Mapping[str, str]
    """Names, each with what names its value."""
    unit: str

    def measure(self, message: str) -> tuple[MetricKey, float] | None:
        """What a line adds to which metric."""
        if not self.pattern.matches(message):
            return None if self.default is None else (self.key, self.default)
        value = _number(self._named(message, self.value))
        dimensions = {name: self._named(message, selector) for name, selector in self.dimensions.items()}
        present = {name: found for name, found in dimensions.items() if found and is_dimension_value(found)}
        if value is None or len(present) < len(dimensions):
            return None
        return self.key._replace(dimensions=dimensions_of(present)), value

    def _named(self, message: str, text: str) -> str | None:
        return self.pattern.value(message, text) if text.startswith("$") else text


def read_log_metric(region: str, pattern: str, transformation: Mapping[str, Any]) -> LogMetric:
    """The metric of a MetricTransformation. Raises InvalidLogMetric, InvalidPattern."""
    metric = LogMetric(
        pattern=parse_pattern(pattern),
        key=MetricKey(region, transformation["metricNamespace"], transformation["metricName"]),
        value=transformation["metricValue"],
        default=transformation.get("defaultValue"),
        dimensions=transformation.get("dimensions", {}),
        unit=transformation.get("unit", NO_UNIT),
    )
    _check(metric)
    return metric


def _check(metric: LogMetric) -> None:
    if metric.key.namespace.startswith(RESERVED_NAMESPACE):
        raise InvalidLogMetric(f"metricNamespace must not start with '{RESERVED_NAMESPACE}'.")
    if not metric.value.startswith("$") and _number(metric.value) is None:
        raise InvalidLogMetric("metricValue must be a number, or name one in the line: $field or $.property.")
    if metric.default is not None and not abs(metric.default) <= MAGNITUDE_MAX:  # which NaN is not, either
        raise InvalidLogMetric("defaultValue must be in the range of -2^360 to 2^360.")
    for selector in (metric.value, *metric.dimensions.values()):
        if selector.startswith("$") and not metric.pattern.names(selector):
            raise InvalidLogMetric(f"{selector} is nothing that the filter pattern names in a line.")
    if any(not selector.startswith("$") for selector in metric.dimensions.values()):
        raise InvalidLogMetric("The value of a dimension must name something in the line: $field or $.property.")
    if not all(map(is_dimension_name, metric.dimensions)):
        raise InvalidLogMetric("The name of a dimension must be printable ASCII and not begin with a colon.")
    if len(metric.dimensions) > DIMENSIONS_MAX:
        raise InvalidLogMetric(f"A metric filter can have {DIMENSIONS_MAX} dimensions at most.")
    if metric.dimensions and metric.default is not None:
        raise InvalidLogMetric("defaultValue cannot be given together with dimensions.")


def _number(text: str | None) -> float | None:
    number = parse_number(text or "")
    return number if number is not None and abs(number) <= MAGNITUDE_MAX else None
