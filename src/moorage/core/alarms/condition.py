"""When a metric alarm rings: what its definition says of thresholds, periods and missing data, as values."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from moorage.core.metrics.metric import MetricKey, dimensions_of

_EXTRA_DATAPOINTS: Final = 2
"""How many more than are evaluated are looked at, since some may be missing. The user guide's examples: 5 for 3."""

_PERCENTILE: Final = re.compile(r"p(\d{1,3}(?:\.\d+)?)")


class Comparison(StrEnum):
    """How a datapoint has to be to the threshold to be breaching."""

    ABOVE = "GreaterThanThreshold"
    NOT_BELOW = "GreaterThanOrEqualToThreshold"
    BELOW = "LessThanThreshold"
    NOT_ABOVE = "LessThanOrEqualToThreshold"


COMPARISONS: Final[Mapping[Comparison, tuple[Callable[[float, float], bool], str]]] = {
    Comparison.ABOVE: (operator.gt, "greater than"),
    Comparison.NOT_BELOW: (operator.ge, "greater than or equal to"),
    Comparison.BELOW: (operator.lt, "less than"),
    Comparison.NOT_ABOVE: (operator.le, "less than or equal to"),
}
"""What each means, and how reasons put it."""


class MissingData(StrEnum):
    """What a period without a datapoint counts as."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


@dataclass(frozen=True, slots=True)
class Condition:
    """An alarm rings if `to_alarm` of the last `periods` datapoints, a `period_s` each, are breaching."""

    comparison: Comparison
    threshold: float
    period_s: int
    periods: int
    to_alarm: int
    missing: MissingData = MissingData.MISSING
    samples_min: float = 0.0
    """A datapoint of fewer samples says too little of its percentile to change a state."""
    statistic: str | None = None
    """None if the metric is the result of an expression."""
    unit: str | None = None
    says_to_alarm: bool = False
    """Whether the definition has DatapointsToAlarm: reasons are worded by it."""

    @property
    def range_periods(self) -> int:
        """How many of the last periods are looked at: the evaluation range."""
        return self.periods + _EXTRA_DATAPOINTS

    def breaches(self, value: float) -> bool:
        """Whether a datapoint is beyond the threshold."""
        compare, _ = COMPARISONS[self.comparison]
        return compare(value, self.threshold)


@dataclass(frozen=True, slots=True)
class MetricWatch:
    """An alarm that watches one metric."""

    key: MetricKey


@dataclass(frozen=True, slots=True)
class ExpressionWatch:
    """An alarm that watches one of several queries, in the words of MetricDataQuery."""

    queries: tuple[Mapping[str, Any], ...]


def condition_of(definition: Mapping[str, Any]) -> Condition:
    """The condition of a valid PutMetricAlarm."""
    periods = definition["EvaluationPeriods"]
    statistic = definition.get("Statistic") or definition.get("ExtendedStatistic")
    watched = watched_query(definition)
    if watched is not None and "MetricStat" in watched:
        statistic = watched["MetricStat"]["Stat"]
    return Condition(
        comparison=Comparison(definition["ComparisonOperator"]),
        threshold=float(definition["Threshold"]),
        period_s=period_of(definition),
        periods=periods,
        to_alarm=definition.get("DatapointsToAlarm", periods),
        missing=MissingData(definition.get("TreatMissingData", MissingData.MISSING)),
        samples_min=_samples_min(definition),
        statistic=statistic,
        unit=definition.get("Unit"),
        says_to_alarm="DatapointsToAlarm" in definition,
    )


def watch_of(definition: Mapping[str, Any], region: str) -> MetricWatch | ExpressionWatch:
    """What a valid PutMetricAlarm has watched."""
    if "Metrics" in definition:
        return ExpressionWatch(tuple(definition["Metrics"]))
    dimensions = {each["Name"]: each["Value"] for each in definition.get("Dimensions", ())}
    return MetricWatch(MetricKey(region, definition["Namespace"], definition["MetricName"], dimensions_of(dimensions)))


def watched_query(definition: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Of the queries of an alarm on an expression, the one whose result it goes by."""
    queries = definition.get("Metrics", ())
    return next((query for query in queries if query.get("ReturnData", True)), None)


def period_of(definition: Mapping[str, Any]) -> int:
    """The period of the metric, in seconds; of an expression, the one that all its metrics have."""
    if "Metrics" not in definition:
        return int(definition["Period"])
    return max(
        int(query["MetricStat"]["Period"] if "MetricStat" in query else query.get("Period", 1))
        for query in definition["Metrics"]
    )


def _samples_min(definition: Mapping[str, Any]) -> float:
    """How many samples a percentile needs to be significant. Source: "Percentile-based alarms and low data samples".

    That is 10 / (1 - percentile) above the median, and 10 / percentile below it.
    """
    found = _PERCENTILE.fullmatch(definition.get("ExtendedStatistic", ""))
    if found is None or definition.get("EvaluateLowSampleCountPercentile", "evaluate") != "ignore":
        return 0.0
    share = float(found[1]) / 100
    tail = 1 - share if share >= 0.5 else share
    return 10 / tail if tail > 0 else 0.0
