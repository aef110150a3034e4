"""The CloudWatch service, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moorage.api.cloudwatch.alarm_definitions import AlarmDefinitions
from moorage.api.cloudwatch.alarm_history import AlarmHistory
from moorage.api.cloudwatch.alarm_lists import AlarmLists
from moorage.api.cloudwatch.alarm_states import AlarmStates
from moorage.api.cloudwatch.dashboards import Dashboards
from moorage.api.cloudwatch.metric_data import MetricData
from moorage.api.cloudwatch.metric_lists import MetricLists
from moorage.api.cloudwatch.metric_statistics import MetricStatistics
from moorage.api.cloudwatch.permissions import requirements
from moorage.api.cloudwatch.put_metrics import PutMetrics
from moorage.api.cloudwatch.tags import Tags
from moorage.api.service import Caller
from moorage.core.iam.principal import Requirement


class CloudWatch(
    PutMetrics,
    MetricStatistics,
    MetricData,
    MetricLists,
    AlarmDefinitions,
    AlarmStates,
    AlarmLists,
    AlarmHistory,
    Dashboards,
    Tags,
):
    """Metrics: those that are put, and Moorage's own. Alarms on them, and dashboards."""

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """See `permissions`."""
        return requirements(operation, request, region=caller.region, account_id=self._needs.account_id)
