"""Answering metric data queries from a source of metrics: read what they go by, then compute."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from moorage.core.metrics.labels import default_labels
from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.evaluation import evaluate as carry_out
from moorage.core.metrics.maths.program import SearchCall, references
from moorage.core.metrics.maths.scope import Allowance, Scope
from moorage.core.metrics.maths.values import Array, Origin, Points, TimeSeries, Value, Window
from moorage.core.metrics.metric import MetricKey
from moorage.core.metrics.queries import ExpressionQuery, InvalidQueries, Queries
from moorage.core.metrics.statistics import Statistic, parse_statistic
from moorage.telemetry.metrics.base import MetricFilter, MetricSource, Series

READ_POINTS_MAX: Final = 2_000_000
"""How many periods of metrics are read at once."""
FOUND_MAX: Final = 500
"""How many metrics a search finds, as in CloudWatch; others are left out."""
_POINTS_A_TURN: Final = 500
"""After so many percentiles, which take about 10 ms, others have a turn."""
_POINTS_A_TERM: Final = 25
"""How many datapoints could be computed in the time that it takes to hold a term of a search against a metric."""
_SEARCHED_S: Final = 14 * 86_400
"""A search finds what had a value that long before the end, at the earliest, as in CloudWatch."""


@dataclass(frozen=True, slots=True)
class Result:
    """A time series that a query came to: one of several if it came to an array."""

    id: str
    series: TimeSeries
    label: str | None
    """What the query says of its label, see `core.metrics.labels`."""
    is_element: bool
    """Whether it is of an array."""
    is_partial: bool
    """Whether a search that it goes by has left metrics out."""

    @property
    def points(self) -> Points:
        """Its values by the second in which their periods begin, in order of time."""
        return self.series.points

    @property
    def period_s(self) -> int:
        """The length of its periods."""
        return self.series.period_s


async def evaluate(queries: Queries, source: MetricSource, *, since_s: int, until_s: int) -> Sequence[Result]:
    """The results that are wanted, of the periods that begin from `since_s` on and before `until_s`.

    A period before `since_s` counts if `since_s` is in it. In order of the queries. Raises InvalidQueries if it would
    take too much to compute them, MetricsUnavailable.
    """
    return await _Evaluation(queries, source, since_s, until_s).results()


class _Evaluation:
    def __init__(self, queries: Queries, source: MetricSource, since_s: int, until_s: int) -> None:
        self._queries = queries
        self._source = source
        self._since_s = since_s
        self._until_s = until_s
        self._points_left = READ_POINTS_MAX
        self._allowance = Allowance()
        self._partial: set[str] = set()

    async def results(self) -> Sequence[Result]:
        metrics = await self._metrics()
        values: dict[str, Value] = dict(metrics)
        for query in self._queries.expressions:
            values[query.id] = await self._expression(query, values, metrics)
        labels = {query.id: query.label for query in self._queries.all}
        return [
            Result(id_, series, labels[id_], id_ in self._queries.arrays, id_ in self._partial)
            for id_ in self._queries.returned
            for series in _elements(values[id_])
        ]

    async def _metrics(self) -> Mapping[str, TimeSeries]:
        """In the order in which they were given."""
        wanted = self._queries.metrics
        labels = default_labels([Origin(query.key, query.statistic.name) for query in wanted])
        series: dict[str, TimeSeries] = {}
        for period_s, unit in sorted({(query.period_s, query.unit or "") for query in wanted}):
            asked = [query for query in wanted if (query.period_s, query.unit or "") == (period_s, unit)]
            read = await self._read([query.key for query in asked], period_s, unit=unit or None)
            for query in asked:
                series[query.id] = await _series(read[query.key], query.key, query.statistic, period_s=period_s)
        return {query.id: replace(series[query.id], label=label) for query, label in zip(wanted, labels, strict=True)}

    async def _expression(
        self, query: ExpressionQuery, values: Mapping[str, Value], metrics: Mapping[str, TimeSeries]
    ) -> Value:
        await _let_others_run()
        if references(query.program) & self._partial:
            self._partial.add(query.id)
        period_s = query.period_s or self._queries.period_s
        window = Window(self._since_s // period_s * period_s, self._until_s, period_s)
        try:
            found = {search: await self._search(query, search) for search in query.searches}
            value = carry_out(query.program, Scope(window, values, metrics, found, self._allowance))
        except ExpressionError as error:
            raise InvalidQueries(f"Error in expression '{query.id}' [{error}]") from None
        return replace(value, label=query.id, origin=None) if isinstance(value, TimeSeries) else value

    async def _search(self, query: ExpressionQuery, call: SearchCall) -> Array:
        period_s = call.period_s or query.period_s or self._queries.period_s
        active_since_s = self._until_s - _SEARCHED_S
        wanted = MetricFilter(self._queries.region, call.search.namespace, active_since_s=active_since_s)
        listed = await self._source.find(wanted)
        self._allowance.spend(len(listed) * (1 + call.search.terms) * _POINTS_A_TERM)
        keys = [key for key in listed if call.search.matches(key)]
        if len(keys) > FOUND_MAX:
            self._partial.add(query.id)
            del keys[FOUND_MAX:]
        read = await self._read(keys, period_s, unit=None)
        statistic = parse_statistic(call.statistic)
        series = [await _series(read[key], key, statistic, period_s=period_s) for key in keys]
        labels = default_labels([Origin(key, statistic.name) for key in keys])
        return tuple(replace(each, label=label) for each, label in zip(series, labels, strict=True))

    async def _read(self, keys: Iterable[MetricKey], period_s: int, *, unit: str | None) -> Mapping[MetricKey, Series]:
        distinct = list(dict.fromkeys(keys))
        since_s, until_s = self._since_s // period_s * period_s, -(-self._until_s // period_s) * period_s
        self._points_left -= len(distinct) * (until_s - since_s) // period_s
        if self._points_left < 0:
            raise InvalidQueries(
                f"The queries are of more than {READ_POINTS_MAX:,} datapoints. Ask for fewer metrics at once, for a "
                "shorter time or by longer periods."
            )
        if not distinct:
            return {}
        return await self._source.read(distinct, since_s=since_s, until_s=until_s, period_s=period_s, unit=unit)


async def _series(read: Series, key: MetricKey, statistic: Statistic, *, period_s: int) -> TimeSeries:
    """What a statistic says of each period of which it says anything."""
    points: dict[int, float] = {}
    for number, at_s in enumerate(sorted(read), 1):
        value = statistic.of(read[at_s])
        if value is not None and math.isfinite(value):
            points[at_s] = value
        if number % _POINTS_A_TURN == 0:
            await _let_others_run()
    return TimeSeries(points, period_s, origin=Origin(key, statistic.name))


async def _let_others_run() -> None:
    await asyncio.sleep(0)  # noqa: TID251 - no waiting: whoever else is ready has a turn


def _elements(value: Value) -> Array:
    """The time series that a result is, or has."""
    if isinstance(value, TimeSeries):
        return (value,)
    assert isinstance(value, tuple)
    return value
