"""GetMetricData: statistics of many metrics, and expressions over them, in one call.

Periods begin at multiples of themselves; the one that the start time is in counts. A page ends within a time series
where it is full. Source: CloudWatch API reference, "GetMetricData".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from moorage.api.cloudwatch.errors import invalid_query
from moorage.api.cloudwatch.metric_pages import Position, Slice, page_of
from moorage.api.cloudwatch.part import Part
from moorage.api.service import Caller, operation
from moorage.api.tokens import PageTokens, WrongToken
from moorage.aws.errors import ServiceError
from moorage.aws.types.cloudwatch import GetMetricDataInput, GetMetricDataOutput, MessageData, MetricDataResult
from moorage.core.metrics.labels import InvalidLabel, Setting, check_label, make_label, read_offset
from moorage.core.metrics.queries import InvalidQueries, Queries, read_queries
from moorage.core.metrics.resolutions import RESOLUTIONS, finest_kept_s
from moorage.telemetry.metrics.queries import Result, evaluate

QUERIES_MAX: Final = 500
DATAPOINTS_MAX: Final = 100_800
"""Of a page."""


class MetricData(Part):
    """The operation that reads many metrics."""

    @operation("GetMetricData")
    async def get_metric_data(self, caller: Caller, request: GetMetricDataInput) -> GetMetricDataOutput:
        """The results of the queries that return data, by default the latest values first."""
        queries = _queries(request, region=caller.region)
        setting = _setting(request, now_s=self._clock.now().timestamp(), account_id=self._needs.account_id)
        since_s, until_s = _window(request, now_s=setting.now_s)
        limit = _limit(request)
        bound = ["GetMetricData", caller.region, *(request.get(member) for member in _BINDING)]
        start = _start(self._tokens, bound, request.get("NextToken"))
        finest_s = finest_kept_s(setting.now_s - since_s)
        try:
            results = await evaluate(queries.coarsened(finest_s), self._metrics, since_s=since_s, until_s=until_s)
        except InvalidQueries as error:
            raise invalid_query(str(error)) from None
        rounded = _rounded(queries, finest_s)
        page = page_of(
            [result.points for result in results],
            start,
            limit=limit,
            is_ascending=request.get("ScanBy") == "TimestampAscending",
        )
        output: GetMetricDataOutput = {
            "MetricDataResults": [
                _described(results[each.number], each, setting, rounded.get(results[each.number].id))
                for each in page.slices
            ],
            "Messages": [_TOO_MANY] if any(result.is_partial for result in results) else [],
        }
        if page.next is not None:
            output["NextToken"] = self._tokens.seal(bound, page.next)
        return output


_TOO_MANY: Final[MessageData] = {
    "Code": "MaxMetricsExceeded",
    "Value": "Maximum number of allowed metrics exceeded",
}
_BINDING: Final = ("MetricDataQueries", "StartTime", "EndTime", "ScanBy", "LabelOptions")


def _start(tokens: PageTokens, bound: list[Any], token: str | None) -> Position:
    """Where the page begins. Raises InvalidNextToken."""
    try:
        return Position() if token is None else Position(*tokens.open(bound, token))
    except WrongToken:
        message = "NextToken is not one that was given for these queries and this time."
        raise ServiceError("InvalidNextToken", message) from None


def _queries(request: GetMetricDataInput, *, region: str) -> Queries:
    members = request["MetricDataQueries"]
    if not 1 <= len(members) <= QUERIES_MAX:
        raise invalid_query(f"The collection MetricDataQueries must have a size from 1 to {QUERIES_MAX}.")
    try:
        queries = read_queries(members, region=region)
        for query in queries.all:
            check_label(query.label or "")
    except (InvalidQueries, InvalidLabel) as error:
        raise invalid_query(str(error)) from None
    return queries


def _window(request: GetMetricDataInput, *, now_s: float) -> tuple[int, int]:
    """In whole seconds, from when there can be anything."""
    start, end = request["StartTime"], request["EndTime"]
    if start >= end:
        raise invalid_query("The parameter StartTime must be less than the parameter EndTime.")
    return math.floor(max(start.timestamp(), now_s - RESOLUTIONS[-1].kept_s)), math.ceil(end.timestamp())


def _limit(request: GetMetricDataInput) -> int:
    limit = request.get("MaxDatapoints", DATAPOINTS_MAX)
    if not 1 <= limit <= DATAPOINTS_MAX:
        raise invalid_query(f"The parameter MaxDatapoints must be between 1 and {DATAPOINTS_MAX}.")
    return limit


def _setting(request: GetMetricDataInput, *, now_s: float, account_id: str) -> Setting:
    zone = request.get("LabelOptions", {}).get("Timezone", "+0000")
    try:
        return Setting(now_s, account_id, read_offset(zone))
    except ValueError as error:
        raise invalid_query(f"The parameter LabelOptions.Timezone is invalid: {error}.") from None


def _rounded(queries: Queries, finest_s: int) -> Mapping[str, MessageData]:
    """By the ids of metrics whose periods are longer than asked for, what is said of that."""
    text = f"Values of that age are kept by {finest_s} seconds: the period was rounded up."
    return {
        query.id: {"Code": "PeriodRoundedUp", "Value": text} for query in queries.metrics if query.period_s % finest_s
    }


def _described(result: Result, part: Slice, setting: Setting, message: MessageData | None) -> MetricDataResult:
    described: MetricDataResult = {
        "Id": result.id,
        "Label": make_label(result.label, result.series, setting, is_element=result.is_element),
        "Timestamps": [datetime.fromtimestamp(at_s, UTC) for at_s in part.times],
        "Values": [result.points[at_s] for at_s in part.times],
        "StatusCode": "PartialData" if part.is_partial or result.is_partial else "Complete",
    }
    if message is not None:
        described["Messages"] = [message]
    return described
