"""The CloudWatch service, put together from its parts."""

from __future__ import annotations

from moorage.api.cloudwatch.alarm_definitions import AlarmDefinitions
from moorage.api.cloudwatch.alarm_history import AlarmHistory
from moorage.api.cloudwatch.alarm_lists import AlarmLists
from moorage.api.cloudwatch.alarm_states import AlarmStates
from moorage.api.cloudwatch.metric_data import MetricData
from moorage.api.cloudwatch.metric_lists import MetricLists
from moorage.api.cloudwatch.metric_statistics import MetricStatistics
from moorage.api.cloudwatch.put_metrics import PutMetrics


class CloudWatch(
    PutMetrics,
    MetricStatistics,
    MetricData,
    MetricLists,
    AlarmDefinitions,
    AlarmStates,
    AlarmLists,
    AlarmHistory,
):
    """Metrics: those that are put, and Moorage's own."""
