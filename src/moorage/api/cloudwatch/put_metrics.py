"""PutMetricData: acknowledged once it is on disk, all of it or none.

Source: CloudWatch API reference, "PutMetricData", "MetricDatum", "StatisticSet".
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final

from moorage.api.cloudwatch.errors import (
    exclusive,
    invalid_combination,
    invalid_value,
    limit_exceeded,
    missing,
    required,
    unsupported,
)
from moorage.api.cloudwatch.metric_names import RESERVED_PREFIX, check_printable, key_of
from moorage.api.cloudwatch.part import Part
from moorage.api.service import Caller, operation
from moorage.aws.types.cloudwatch import MetricDatum, PutMetricDataInput, StatisticSet
from moorage.core.metrics.distribution import Distribution, distribution_of
from moorage.core.metrics.metric import MAGNITUDE_MAX, NO_UNIT
from moorage.telemetry.metrics.base import (
    HIGH_RESOLUTION_S,
    STANDARD_RESOLUTION_S,
    Measured,
    TooManyMetrics,
)

METRICS_MAX: Final = 1000
VALUES_MAX: Final = 150
PAST_MAX: Final = timedelta(weeks=2)
FUTURE_MAX: Final = timedelta(hours=2)


class PutMetrics(Part):
    """The operation that brings metrics in."""

    @operation("PutMetricData")
    async def put_metric_data(self, caller: Caller, request: PutMetricDataInput) -> None:
        """Keep up to a thousand values, or sets of them."""
        for member in ("EntityMetricData", "StrictEntityValidation"):
            if request.get(member):
                raise unsupported(member)
        now = self._clock.now()
        data = _checked_data(request)
        measured = [
            _measured(caller.region, request["Namespace"], datum, now=now, path=f"MetricData.member.{number}.")
            for number, datum in enumerate(data, 1)
        ]
        try:
            await self._needs.sink.put(measured)
        except TooManyMetrics as error:
            raise limit_exceeded(str(error)) from None


def _checked_data(request: PutMetricDataInput) -> list[MetricDatum]:
    namespace, data = request["Namespace"], request.get("MetricData")
    if namespace.startswith(RESERVED_PREFIX):
        raise invalid_value("The value AWS/ for parameter Namespace is invalid.")
    check_printable(namespace, "Namespace")
    if not data:
        raise required("MetricData")
    if len(data) > METRICS_MAX:
        raise invalid_value(f"The parameter MetricData must have at most {METRICS_MAX} members, not {len(data)}.")
    return data


def _measured(region: str, namespace: str, datum: MetricDatum, *, now: datetime, path: str) -> Measured:
    check_printable(datum["MetricName"], f"{path}MetricName")
    resolution_s = datum.get("StorageResolution", STANDARD_RESOLUTION_S)
    if resolution_s not in (HIGH_RESOLUTION_S, STANDARD_RESOLUTION_S):
        raise invalid_value(f"The parameter {path}StorageResolution must be 1 or 60, not {resolution_s}.")
    return Measured(
        key_of(region, {**datum, "Namespace": namespace}, path=path),
        _timestamp(datum, now=now, path=path).timestamp(),
        _values(datum, path=path),
        unit=datum.get("Unit", NO_UNIT),
        resolution_s=resolution_s,
    )


def _timestamp(datum: MetricDatum, *, now: datetime, path: str) -> datetime:
    at = datum.get("Timestamp", now)
    if at < now - PAST_MAX:
        raise invalid_value(f"The parameter {path}Timestamp must specify a time within the past two weeks.")
    if at > now + FUTURE_MAX:
        raise invalid_value(f"The parameter {path}Timestamp must specify a time no more than two hours in the future.")
    return at


def _values(datum: MetricDatum, *, path: str) -> Distribution:
    given = [member for member in ("Value", "StatisticValues", "Values") if member in datum]
    if not given:
        raise missing(f"One of the parameters {path}Value, {path}Values and {path}StatisticValues must be specified.")
    if len(given) > 1:
        raise exclusive(path + given[0], path + given[1])
    if "Counts" in datum and given != ["Values"]:
        raise invalid_combination(f"The parameter {path}Counts requires {path}Values.")
    match given:
        case ["Value"]:
            return distribution_of([(_number(datum["Value"], f"{path}Value"), 1.0)])
        case ["Values"]:
            return distribution_of(_pairs(datum, path=path))
        case _:
            return _set(datum["StatisticValues"], path=f"{path}StatisticValues.")


def _pairs(datum: MetricDatum, *, path: str) -> list[tuple[float, float]]:
    values, counts = datum["Values"], datum.get("Counts")
    if not 1 <= len(values) <= VALUES_MAX:
        raise invalid_value(f"The parameter {path}Values must have between 1 and {VALUES_MAX} members.")
    if counts is None:
        counts = [1.0] * len(values)
    if len(counts) != len(values):
        raise invalid_value(f"The parameters {path}Values and {path}Counts must be of the same length.")
    for number, count in enumerate(counts, 1):
        if not _number(count, f"{path}Counts.member.{number}") > 0:
            raise invalid_value(f"The value {count} for parameter {path}Counts.member.{number} must be above 0.")
    checked = [_number(value, f"{path}Values.member.{number}") for number, value in enumerate(values, 1)]
    return list(zip(checked, counts, strict=True))


def _set(given: StatisticSet, *, path: str) -> Distribution:
    count, total = _number(given["SampleCount"], f"{path}SampleCount"), _number(given["Sum"], f"{path}Sum")
    minimum, maximum = _number(given["Minimum"], f"{path}Minimum"), _number(given["Maximum"], f"{path}Maximum")
    if not count > 0:
        raise invalid_value(f"The value {count} for parameter {path}SampleCount must be above 0.")
    if minimum > maximum:
        raise invalid_value(f"The parameter {path}Maximum must be greater than or equal to {path}Minimum.")
    return Distribution(count, total, minimum, maximum)


def _number(value: float, path: str) -> float:
    if not math.isfinite(value):
        raise invalid_value(f"The value {value} for parameter {path} is invalid.")
    if abs(value) > MAGNITUDE_MAX:
        raise invalid_value(f"The value {value} for parameter {path} must be in the range of -2^360 to 2^360.")
    return value
