"""The CloudWatch service, put together from its parts."""

from __future__ import annotations

from moorage.api.cloudwatch.metric_lists import MetricLists
from moorage.api.cloudwatch.metric_statistics import MetricStatistics
from moorage.api.cloudwatch.put_metrics import PutMetrics


class CloudWatch(PutMetrics, MetricStatistics, MetricLists):
    """Metrics: those that are put, and Moorage's own."""
