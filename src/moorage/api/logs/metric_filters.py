"""Metric filters: PutMetricFilter, DescribeMetricFilters, DeleteMetricFilter, TestMetricFilter.

A group's filters are in its document, by name. `control.log_metrics` has them measure.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from moorage.api.logs.errors import (
    invalid,
    limit_exceeded,
    no_such_filter,
    refuse_unsupported,
)
from moorage.api.logs.filter_pattern import read_pattern
from moorage.api.logs.listing import LIMIT_DEFAULT, page_behind
from moorage.api.logs.part import Part
from moorage.api.service import Caller, operation
from moorage.aws.types.logs import (
    DeleteMetricFilterRequest,
    DescribeMetricFiltersRequest,
    DescribeMetricFiltersResponse,
    MetricFilter,
    PutMetricFilterRequest,
    TestMetricFilterRequest,
    TestMetricFilterResponse,
)
from moorage.core.log_metrics import InvalidLogMetric, read_log_metric
from moorage.core.log_patterns import InvalidPattern
from moorage.store.base import Document, Transaction
from moorage.store.log_groups import groups_of

FILTERS_MAX: Final = 100
"""Of a group, as with AWS."""


class MetricFilters(Part):
    """The operations on metric filters."""

    @operation("PutMetricFilter")
    async def put_metric_filter(self, caller: Caller, request: PutMetricFilterRequest) -> None:
        """Measure what comes from now on, in the place of a filter of the same name if there is one."""
        refuse_unsupported(request, "applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFieldDimensions")
        for transformation in request["metricTransformations"]:
            try:
                read_log_metric(caller.region, request["filterPattern"], transformation)
            except (InvalidLogMetric, InvalidPattern) as error:
                raise invalid(str(error)) from None
        kept = {
            "filterPattern": request["filterPattern"],
            "metricTransformations": request["metricTransformations"],
            "creationTime": int(self._clock.now().timestamp() * 1000),
        }

        def change(body: dict[str, Any]) -> None:
            filters = {**body.get("metricFilters", {}), request["filterName"]: kept}
            if len(filters) > FILTERS_MAX:
                raise limit_exceeded(f"A log group can have {FILTERS_MAX} metric filters at most.")
            body["metricFilters"] = filters

        await self._change_group(caller.region, request["logGroupName"], change)
        await self._needs.filters_changed()

    @operation("DeleteMetricFilter")
    async def delete_metric_filter(self, caller: Caller, request: DeleteMetricFilterRequest) -> None:
        """Measure no longer. What has been measured stays."""

        def change(body: dict[str, Any]) -> None:
            filters = dict(body.get("metricFilters", {}))
            if filters.pop(request["filterName"], None) is None:
                raise no_such_filter()
            body["metricFilters"] = filters

        await self._change_group(caller.region, request["logGroupName"], change)
        await self._needs.filters_changed()

    @operation("DescribeMetricFilters")
    async def describe_metric_filters(
        self, caller: Caller, request: DescribeMetricFiltersRequest
    ) -> DescribeMetricFiltersResponse:
        """The filters of a group, or of all, by name. A prefix counts only together with a group, as with AWS."""
        if ("metricName" in request) != ("metricNamespace" in request):
            raise invalid("metricName and metricNamespace must be given together.")
        group = request.get("logGroupName")
        if group is not None:
            await self._require_group(caller.region, group)
        filters = await self._store.run(lambda tx: list(_shown(_groups(tx, caller.region, group))))
        prefix = request.get("filterNamePrefix", "") if group is not None else ""
        places = [
            (f"{each['filterName']}:{each['logGroupName']}", each)
            for each in filters
            if each["filterName"].startswith(prefix) and _is_of(each, request)
        ]
        page, token = page_behind(
            sorted(places, key=lambda place: place[0]),
            request.get("nextToken"),
            is_behind=operator.gt,
            limit=request.get("limit", LIMIT_DEFAULT),
        )
        return {"metricFilters": page, **token}

    @operation("TestMetricFilter")
    async def test_metric_filter(self, caller: Caller, request: TestMetricFilterRequest) -> TestMetricFilterResponse:
        """Which messages a pattern means, counted from 1, and what it names in them."""
        pattern = read_pattern(request["filterPattern"])
        return {
            "matches": [
                {"eventNumber": number, "eventMessage": message, "extractedValues": dict(pattern.values(message))}
                for number, message in enumerate(request["logEventMessages"], 1)
                if pattern.matches(message)
            ]
        }


def _groups(tx: Transaction, region: str, name: str | None) -> Iterable[Document]:
    if name is None:
        return groups_of(tx, region)
    document = tx.log_groups.get(region, name)
    return [] if document is None else [document]


def _shown(groups: Iterable[Document]) -> Iterator[MetricFilter]:
    for group in groups:
        for name, kept in group.body.get("metricFilters", {}).items():
            yield cast("MetricFilter", {"filterName": name, "logGroupName": group.name, **kept})


def _is_of(each: MetricFilter, request: DescribeMetricFiltersRequest) -> bool:
    """Whether a filter is of the metric that is asked for, if one is."""
    return "metricName" not in request or any(
        (transformation["metricName"], transformation["metricNamespace"])
        == (request["metricName"], request.get("metricNamespace"))
        for transformation in each["metricTransformations"]
    )
