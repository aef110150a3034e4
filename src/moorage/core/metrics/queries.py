"""Metric data queries: what GetMetricData, alarms and scaling policies ask of metrics, checked and put in order. Pure.

A query is of a metric or an expression over the others, which it names by their ids. That the operands of expressions
go together, and whether one comes to a time series or to an array of them, is known before anything is read: a program
is carried out on metrics without values. Source: CloudWatch API reference, "MetricDataQuery".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.evaluation import evaluate
from moorage.core.metrics.maths.parser import parse
from moorage.core.metrics.maths.program import Program, SearchCall, references
from moorage.core.metrics.maths.scope import Scope
from moorage.core.metrics.maths.values import TimeSeries, Value, Window
from moorage.core.metrics.metric import MetricKey, dimensions_of
from moorage.core.metrics.resolutions import is_period
from moorage.core.metrics.statistics import Statistic, UnknownStatistic, parse_statistic

_ID: Final = re.compile(r"[a-z][a-zA-Z0-9_]*", re.ASCII)
_PERIOD_OF_NOTHING_S: Final = 300
"""Of expressions that go by no metric and do not say; CloudWatch's default."""


class InvalidQueries(Exception):
    """Queries that cannot be answered. The message says which, and why."""


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A statistic of a metric by period."""

    id: str
    key: MetricKey
    statistic: Statistic
    period_s: int
    unit: str | None
    label: str | None
    is_returned: bool


@dataclass(frozen=True, slots=True)
class ExpressionQuery:
    """An expression over other queries. Without a period of its own it has that of the queries around it."""

    id: str
    program: Program
    period_s: int | None
    label: str | None
    is_returned: bool

    @property
    def searches(self) -> Sequence[SearchCall]:
        """The searches in it."""
        return [instruction for instruction in self.program if isinstance(instruction, SearchCall)]


@dataclass(frozen=True, slots=True)
class Queries:
    """Queries that can be answered together."""

    region: str
    metrics: Sequence[MetricQuery]
    expressions: Sequence[ExpressionQuery]
    """Each behind those that it goes by."""
    ids: Sequence[str]
    """Of all, in the order in which they were given."""
    arrays: frozenset[str]
    """The expressions that come to arrays of time series."""

    @property
    def all(self) -> Sequence[MetricQuery | ExpressionQuery]:
        """The metrics, then the expressions."""
        return [*self.metrics, *self.expressions]

    @property
    def returned(self) -> Sequence[str]:
        """The ids of the queries whose results are wanted, in the order in which they were given."""
        wanted = {query.id for query in self.all if query.is_returned}
        return [id_ for id_ in self.ids if id_ in wanted]

    @property
    def period_s(self) -> int:
        """The longest period of a metric."""
        return max((metric.period_s for metric in self.metrics), default=_PERIOD_OF_NOTHING_S)

    def check_single_series(self) -> None:
        """Raises InvalidQueries unless one result is wanted, it is one time series, and nothing is searched for."""
        if len(self.returned) != 1:
            raise InvalidQueries("Exactly one element of the metrics list should return data.")
        if self.returned[0] in self.arrays:
            raise _wrong_expression(self.returned[0], "It must come to one time series, and it comes to TS[]")
        searching = next((each.id for each in self.expressions if each.searches), None)
        if searching is not None:
            raise _wrong_expression(searching, "SEARCH is not allowed here")

    def coarsened(self, finest_s: int) -> Queries:
        """The same with periods rounded up to multiples of `finest_s`."""
        return replace(
            self,
            metrics=[replace(each, period_s=_up(each.period_s, finest_s)) for each in self.metrics],
            expressions=[_coarsened(each, finest_s) for each in self.expressions],
        )


def read_queries(members: Sequence[Mapping[str, Any]], *, region: str, period_s: int | None = None) -> Queries:
    """The queries as a request has them. `period_s` is that of metrics that do not say. Raises InvalidQueries."""
    metrics: list[MetricQuery] = []
    expressions: list[ExpressionQuery] = []
    for number, member in enumerate(members, 1):
        path = f"MetricDataQueries.member.{number}"
        _check_members(member, path)
        if "Expression" in member:
            expressions.append(_expression(member, path))
        else:
            metrics.append(_metric(member, path, region=region, default_s=period_s))
    ids = [member["Id"] for member in members]
    if len(set(ids)) < len(ids):
        raise InvalidQueries("The values for parameter id in MetricDataQueries are not unique.")
    queries = Queries(region, metrics, _in_order(expressions), ids, frozenset())
    return replace(queries, arrays=_arrays(queries))


def _check_members(member: Mapping[str, Any], path: str) -> None:
    if not _ID.fullmatch(member["Id"]):
        raise InvalidQueries(
            f"The value {member['Id']!r} for parameter {path}.Id is invalid: it must start with a lowercase letter and "
            "contain letters, numbers and underscores only."
        )
    if "AccountId" in member:
        raise InvalidQueries(f"Moorage does not support {path}.AccountId.")
    if ("Expression" in member) == ("MetricStat" in member):
        raise InvalidQueries(f"Exactly one of {path}.MetricStat and {path}.Expression must be specified.")
    if "Period" in member and "MetricStat" in member:
        raise InvalidQueries(f"{path}.Period must not be specified beside MetricStat: that has a Period of its own.")


def _metric(member: Mapping[str, Any], path: str, *, region: str, default_s: int | None) -> MetricQuery:
    stat = member["MetricStat"]
    path = f"{path}.MetricStat"
    period_s = stat.get("Period", default_s)
    if period_s is None:
        raise InvalidQueries(f"The parameter {path}.Period is required.")
    try:
        statistic = parse_statistic(stat["Stat"])
    except UnknownStatistic:
        raise InvalidQueries(f"The value {stat['Stat']} for parameter {path}.Stat is not supported.") from None
    return MetricQuery(
        member["Id"],
        _key(stat["Metric"], f"{path}.Metric", region=region),
        statistic,
        _checked_period(period_s, f"{path}.Period"),
        stat.get("Unit"),
        member.get("Label"),
        member.get("ReturnData", True),
    )


def _key(metric: Mapping[str, Any], path: str, *, region: str) -> MetricKey:
    for name in ("Namespace", "MetricName"):
        if name not in metric:
            raise InvalidQueries(f"The parameter {path}.{name} is required.")
    given = metric.get("Dimensions", [])
    dimensions = {each["Name"]: each["Value"] for each in given}
    if len(dimensions) < len(given):
        raise InvalidQueries(f"The parameter {path}.Dimensions has a dimension twice.")
    return MetricKey(region, metric["Namespace"], metric["MetricName"], dimensions_of(dimensions))


def _expression(member: Mapping[str, Any], path: str) -> ExpressionQuery:
    try:
        program = parse(member["Expression"])
    except ExpressionError as error:
        raise _wrong_expression(member["Id"], str(error)) from None
    period_s = _checked_period(member["Period"], f"{path}.Period") if "Period" in member else None
    label, is_returned = member.get("Label"), member.get("ReturnData", True)
    return ExpressionQuery(member["Id"], program, period_s, label, is_returned)


def _checked_period(period_s: int, path: str) -> int:
    if is_period(period_s):
        return period_s
    raise InvalidQueries(f"The parameter {path} must be 1, 5, 10, 20, 30 or a multiple of 60.")


def _in_order(expressions: Iterable[ExpressionQuery]) -> Sequence[ExpressionQuery]:
    """Each behind the expressions that it goes by."""
    left = {query.id: query for query in expressions}
    ordered: list[ExpressionQuery] = []
    while left:
        ready = [query for query in left.values() if not references(query.program) & left.keys()]
        if not ready:
            raise _wrong_expression(next(iter(left)), "Circular references")
        ordered.extend(left.pop(query.id) for query in ready)
    return ordered


def _arrays(queries: Queries) -> frozenset[str]:
    """The expressions that come to arrays. Raises InvalidQueries if one comes to nothing."""
    metrics = {query.id: TimeSeries({}, query.period_s) for query in queries.metrics}
    values: dict[str, Value] = dict(metrics)
    scope = Scope(Window(0, 0, queries.period_s), values, metrics)
    for query in queries.expressions:
        try:
            values[query.id] = evaluate(query.program, scope)
        except ExpressionError as error:
            raise _wrong_expression(query.id, str(error)) from None
    return frozenset(id_ for id_, value in values.items() if isinstance(value, tuple))


def _wrong_expression(id_: str, why: str) -> InvalidQueries:
    return InvalidQueries(f"Error in expression '{id_}' [{why}]")


def _coarsened(query: ExpressionQuery, finest_s: int) -> ExpressionQuery:
    program = tuple(
        replace(each, period_s=_up(each.period_s, finest_s))
        if isinstance(each, SearchCall) and each.period_s is not None
        else each
        for each in query.program
    )
    period_s = None if query.period_s is None else _up(query.period_s, finest_s)
    return replace(query, program=program, period_s=period_s)


def _up(period_s: int, finest_s: int) -> int:
    return -(-period_s // finest_s) * finest_s
