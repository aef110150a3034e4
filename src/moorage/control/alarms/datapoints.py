"""What alarms look at: the datapoints of their last periods, read for many alarms at once.

Only periods that are over are looked at, a little later, so that what was measured in them has arrived.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from moorage.core.alarms.condition import Condition, ExpressionWatch, MetricWatch, condition_of, watch_of
from moorage.core.alarms.evaluate import Datapoint
from moorage.core.alarms.model import Alarm, AlarmKey
from moorage.core.metrics.metric import MetricKey
from moorage.core.metrics.queries import InvalidQueries, read_queries
from moorage.core.metrics.statistics import parse_statistic
from moorage.telemetry.metrics.base import MetricSource, MetricsUnavailable, Series
from moorage.telemetry.metrics.queries import evaluate

SETTLE_S: Final = 3
"""How long after a period what was measured in it may take to be readable: counts are taken every second."""

Datapoints = Sequence[Datapoint | None]
"""By period, the oldest first; None where nothing was measured."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """The last `count` periods that are over."""

    until_s: int
    period_s: int
    count: int

    @property
    def since_s(self) -> int:
        return self.until_s - self.count * self.period_s

    @property
    def starts(self) -> range:
        """Where the periods begin."""
        return range(self.since_s, self.until_s, self.period_s)


def last_periods(period_s: int, count: int, *, now: datetime) -> Window:
    """The window that is to be looked at now."""
    until_s = int(now.timestamp() - SETTLE_S) // period_s * period_s
    return Window(until_s, period_s, count)


async def read_datapoints(
    alarms: Sequence[Alarm], source: MetricSource, *, now: datetime
) -> Mapping[AlarmKey, Datapoints]:
    """The evaluation ranges of metric alarms. Alarms whose metrics cannot be read at the moment are left out."""
    found: dict[AlarmKey, Datapoints] = {}
    together: dict[tuple[int, str | None], list[_Read]] = {}
    for alarm in alarms:
        read = _read_of(alarm, now=now)
        if isinstance(read.watch, MetricWatch):
            together.setdefault((read.window.period_s, read.condition.unit), []).append(read)
            continue
        datapoints = await _read_expression(read, read.watch, source)
        if datapoints is not None:
            found[alarm.key] = datapoints
    for reads in together.values():
        found |= await _read_metrics(reads, source)
    return found


async def datapoints(alarm: Alarm, source: MetricSource, *, now: datetime, count: int) -> Datapoints | None:
    """The last `count` datapoints of one metric alarm; None if they cannot be read at the moment."""
    read = _read_of(alarm, now=now, count=count)
    if isinstance(read.watch, ExpressionWatch):
        return await _read_expression(read, read.watch, source)
    return (await _read_metrics([read], source)).get(alarm.key)


@dataclass(frozen=True, slots=True)
class _Read:
    key: AlarmKey
    condition: Condition
    watch: MetricWatch | ExpressionWatch
    window: Window


def _read_of(alarm: Alarm, *, now: datetime, count: int | None = None) -> _Read:
    condition = condition_of(alarm.definition)
    window = last_periods(condition.period_s, count or condition.range_periods, now=now)
    return _Read(alarm.key, condition, watch_of(alarm.definition, alarm.key.region), window)


async def _read_metrics(reads: Sequence[_Read], source: MetricSource) -> Mapping[AlarmKey, Datapoints]:
    """Of alarms with one period and unit."""
    keys: dict[MetricKey, None] = {read.watch.key: None for read in reads if isinstance(read.watch, MetricWatch)}
    first = reads[0]
    since_s = min(read.window.since_s for read in reads)
    try:
        series = await source.read(
            tuple(keys),
            since_s=since_s,
            until_s=first.window.until_s,
            period_s=first.window.period_s,
            unit=first.condition.unit,
        )
    except MetricsUnavailable as error:
        _log.warning("%d alarms stay as they are: their metrics cannot be read: %s", len(reads), error)
        return {}
    return {read.key: _in(read, series[read.watch.key]) for read in reads if isinstance(read.watch, MetricWatch)}


def _in(read: _Read, series: Series) -> Datapoints:
    statistic = parse_statistic(read.condition.statistic or "")
    points: list[Datapoint | None] = []
    for at_s in read.window.starts:
        values = series.get(at_s)
        value = None if values is None else statistic.of(values)
        points.append(None if values is None or value is None else Datapoint(at_s, value, values.count))
    return points


async def _read_expression(read: _Read, watch: ExpressionWatch, source: MetricSource) -> Datapoints | None:
    window = read.window
    try:
        queries = read_queries(watch.queries, region=read.key.region)
        results = await evaluate(queries, source, since_s=window.since_s, until_s=window.until_s)
    except (InvalidQueries, MetricsUnavailable) as error:
        _log.warning("the alarm %s stays as it is: its metrics cannot be read: %s", read.key.name, error)
        return None
    points = results[0].points if results else {}
    return [Datapoint(at_s, points[at_s]) if at_s in points else None for at_s in window.starts]
