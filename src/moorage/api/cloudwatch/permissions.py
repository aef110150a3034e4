"""What a caller must be allowed to do for an operation of CloudWatch's: the action on every resource that it names.

Metrics are no resources; of them a policy can only tell the namespace that values are put into. Source: service
authorization reference, "Actions, resources, and condition keys for Amazon CloudWatch".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moorage.api.cloudwatch.dashboards import dashboard_arn
from moorage.core.alarms.model import AlarmKey, alarm_arn
from moorage.core.iam.principal import Requirement

_ONE_ALARM: Final = frozenset({"PutMetricAlarm", "PutCompositeAlarm", "SetAlarmState", "DescribeAlarmHistory"})


def requirements(operation: str, request: Mapping[str, Any], *, region: str, account_id: str) -> list[Requirement]:
    """The action itself; to tag what is created with tags."""
    action = f"cloudwatch:{operation}"
    if operation == "PutMetricData":
        return [Requirement(action, context={"cloudwatch:namespace": (request.get("Namespace", ""),)})]
    arns = _resources(operation, request, region, account_id)
    required = [Requirement(action, arn) for arn in arns or ["*"]]
    if request.get("Tags") and arns and operation != "TagResource":
        required.append(Requirement("cloudwatch:TagResource", arns[0]))
    return required


def _resources(operation: str, request: Mapping[str, Any], region: str, account_id: str) -> list[str]:
    alarms = list(request.get("AlarmNames", ()))
    if operation in _ONE_ALARM and "AlarmName" in request:
        alarms.append(request["AlarmName"])
    dashboards = [*request.get("DashboardNames", ()), *filter(None, [request.get("DashboardName")])]
    return [
        *(alarm_arn(AlarmKey(region, name), account_id=account_id) for name in alarms),
        *(dashboard_arn(account_id, name) for name in dashboards),
        *filter(None, [request.get("ResourceARN")]),
    ]
