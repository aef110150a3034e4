"""GetMetricStatistics: a metric's statistics by period.

Periods begin at the start time, which is rounded down to what is kept of that age, and not at multiples of themselves
as in GetMetricData. Source: CloudWatch API reference, "GetMetricStatistics".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from moorage.api.cloudwatch.errors import (
    exclusive,
    invalid_combination,
    invalid_value,
)
from moorage.api.cloudwatch.metric_names import key_of
from moorage.api.cloudwatch.part import Part
from moorage.api.service import Caller, operation
from moorage.aws.types.cloudwatch import Datapoint, GetMetricStatisticsInput, GetMetricStatisticsOutput
from moorage.core.metrics.distribution import Distribution, merge
from moorage.core.metrics.metric import MetricKey
from moorage.core.metrics.resolutions import SHORT_PERIODS_S, finest_kept_s
from moorage.core.metrics.statistics import SIMPLE_STATISTICS, Statistic, UnknownStatistic, parse_statistic

DATAPOINTS_MAX: Final = 1440
_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class _Window:
    """Periods one after another, from `start_s` up to `end_s`; the values are read by `grain_s`, which divides both."""

    start_s: int
    end_s: int
    period_s: int
    grain_s: int

    def period_of(self, at_s: int) -> int:
        """Where the period begins that `at_s` is in."""
        return at_s - (at_s - self.start_s) % self.period_s


class MetricStatistics(Part):
    """The operation that reads one metric."""

    @operation("GetMetricStatistics")
    async def get_metric_statistics(
        self, caller: Caller, request: GetMetricStatisticsInput
    ) -> GetMetricStatisticsOutput:
        """A datapoint for every period that has values, and for every unit that they were measured in."""
        statistics = _statistics(request)
        window = _window(request, now_s=self._clock.now().timestamp())
        key = key_of(caller.region, request)
        datapoints: list[Datapoint] = []
        for unit in [request["Unit"]] if "Unit" in request else await self._metrics.units(key):
            series = await self._read(key, window, unit)
            datapoints += _datapoints(series, statistics, unit=unit)
        return {"Label": request["MetricName"], "Datapoints": datapoints}

    async def _read(self, key: MetricKey, window: _Window, unit: str) -> Mapping[int, Distribution]:
        found = await self._metrics.read(
            [key], since_s=window.start_s, until_s=window.end_s, period_s=window.grain_s, unit=unit
        )
        if window.grain_s == window.period_s:
            return found[key]
        periods: dict[int, list[Distribution]] = {}
        for at_s, values in found[key].items():
            periods.setdefault(window.period_of(at_s), []).append(values)
        return {at_s: merge(parts) for at_s, parts in sorted(periods.items())}


def _statistics(request: GetMetricStatisticsInput) -> Sequence[Statistic]:
    simple, extended = request.get("Statistics", []), request.get("ExtendedStatistics", [])
    if simple and extended:
        raise exclusive("Statistics", "ExtendedStatistics")
    if not simple and not extended:
        raise invalid_combination("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
    for name in extended:
        if name in SIMPLE_STATISTICS:
            raise _wrong_statistic(name)
    try:
        return [parse_statistic(name) for name in dict.fromkeys([*simple, *extended])]
    except UnknownStatistic:
        raise _wrong_statistic(", ".join(extended)) from None


def _wrong_statistic(name: str) -> Exception:
    return invalid_value(f"The value {name} for parameter ExtendedStatistics is not supported.")


def _window(request: GetMetricStatisticsInput, *, now_s: float) -> _Window:
    """Raises InvalidParameterValue, InvalidParameterCombination."""
    start_s, end_s, period_s = request["StartTime"].timestamp(), request["EndTime"].timestamp(), request["Period"]
    if start_s >= end_s:
        raise invalid_combination("The parameter StartTime must be less than the parameter EndTime.")
    finest_s = finest_kept_s(now_s - start_s)
    if period_s % finest_s or (period_s < _MINUTE_S and period_s not in SHORT_PERIODS_S) or period_s < 1:
        allowed = "1, 5, 10, 20, 30 or a multiple of 60" if finest_s < _MINUTE_S else f"a multiple of {finest_s}"
        raise invalid_value(f"The parameter Period must be {allowed} for the StartTime given.")
    if period_s > _MINUTE_S and period_s % _MINUTE_S:
        raise invalid_value("The parameter Period must be a multiple of 60.")
    requested = int((end_s - start_s) // period_s)
    if requested > DATAPOINTS_MAX:
        raise invalid_combination(
            f"You have requested up to {requested:,} datapoints, which exceeds the limit of {DATAPOINTS_MAX:,}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
    grain_s = max(finest_s, _MINUTE_S) if period_s >= _MINUTE_S else period_s
    start = int(start_s // grain_s) * grain_s
    end = int(-(-end_s // grain_s)) * grain_s
    return _Window(start, end, period_s, period_s if start % period_s == 0 == end % period_s else grain_s)


def _datapoints(series: Mapping[int, Distribution], statistics: Sequence[Statistic], *, unit: str) -> list[Datapoint]:
    """Those that have anything to say."""
    datapoints = []
    for at_s, values in series.items():
        found = {each.name: value for each in statistics if (value := each.of(values)) is not None}
        if found:
            datapoints.append(_datapoint(at_s, found, unit=unit))
    return datapoints


def _datapoint(at_s: int, found: Mapping[str, float], *, unit: str) -> Datapoint:
    datapoint: Datapoint = {"Timestamp": datetime.fromtimestamp(at_s, UTC), "Unit": unit}
    extended = {name: value for name, value in found.items() if name not in SIMPLE_STATISTICS}
    if extended:
        return {**datapoint, "ExtendedStatistics": extended}
    return {**datapoint, **found}  # type: ignore[typeddict-item]  # the names of statistics are its members
