"""Metric filters: so far TestMetricFilter, which tries a pattern on messages."""

from __future__ import annotations

from moorage.api.logs.part import Part
from moorage.api.logs.patterns import parse_pattern
from moorage.api.service import Caller, operation
from moorage.aws.types.logs import TestMetricFilterRequest, TestMetricFilterResponse


class MetricFilters(Part):
    """The operations on metric filters."""

    @operation("TestMetricFilter")
    async def test_metric_filter(self, caller: Caller, request: TestMetricFilterRequest) -> TestMetricFilterResponse:
        """Which messages a pattern means, counted from 1, and what it names in them."""
        pattern = parse_pattern(request["filterPattern"])
        return {
            "matches": [
                {"eventNumber": number, "eventMessage": message, "extractedValues": dict(pattern.values(message))}
                for number, message in enumerate(request["logEventMessages"], 1)
                if pattern.matches(message)
            ]
        }
