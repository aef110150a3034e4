"""ListMetrics: the metrics that had a value within two weeks, or three hours.

Source: CloudWatch API reference, "ListMetrics".
"""

from __future__ import annotations

from typing import Any, Final

from moorage.api.cloudwatch.errors import invalid_value, unsupported
from moorage.api.cloudwatch.metric_names import described
from moorage.api.cloudwatch.part import Part
from moorage.api.service import Caller, operation
from moorage.api.tokens import WrongToken
from moorage.aws.types.cloudwatch import ListMetricsInput, ListMetricsOutput
from moorage.core.metrics.metric import MetricKey
from moorage.telemetry.metrics.base import MetricFilter

PAGE_MAX: Final = 500
LISTED_S: Final = 14 * 86_400
RECENTLY_ACTIVE_S: Final = 3 * 3600


class MetricLists(Part):
    """The operation that says which metrics there are."""

    @operation("ListMetrics")
    async def list_metrics(self, caller: Caller, request: ListMetricsInput) -> ListMetricsOutput:
        """Up to 500 metrics, in order of their namespaces, names and dimensions."""
        for member in ("IncludeLinkedAccounts", "OwningAccount"):
            if request.get(member):
                raise unsupported(member)
        bound = ["ListMetrics", caller.region, *(request.get(member) for member in _BINDING)]
        after = self._after(bound, request.get("NextToken"))
        age_s = RECENTLY_ACTIVE_S if "RecentlyActive" in request else LISTED_S
        found = await self._metrics.find(_filter(caller, request, since_s=self._clock.now().timestamp() - age_s))
        rest = [key for key in found if after is None or key > after]
        page = rest[:PAGE_MAX]
        output: ListMetricsOutput = {
            "Metrics": [
                {"Namespace": key.namespace, "MetricName": key.name, "Dimensions": described(key.dimensions)}
                for key in page
            ]
        }
        if len(rest) > len(page):
            output["NextToken"] = self._tokens.seal(bound, page[-1])
        return output

    def _after(self, bound: list[Any], token: str | None) -> MetricKey | None:
        if token is None:
            return None
        try:
            region, namespace, name, dimensions = self._tokens.open(bound, token)
        except WrongToken:
            raise invalid_value("The value for parameter NextToken is not one that this list gave.") from None
        return MetricKey(region, namespace, name, tuple((each, value) for each, value in dimensions))


_BINDING: Final = ("Namespace", "MetricName", "Dimensions", "RecentlyActive")


def _filter(caller: Caller, request: ListMetricsInput, *, since_s: float) -> MetricFilter:
    return MetricFilter(
        caller.region,
        namespace=request.get("Namespace"),
        name=request.get("MetricName"),
        dimensions=tuple((each["Name"], each.get("Value")) for each in request.get("Dimensions", [])),
        active_since_s=since_s,
    )
