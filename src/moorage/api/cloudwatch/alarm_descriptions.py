"""Alarms as answers have them."""

from __future__ import annotations

from typing import Any, cast

from moorage.aws.types.cloudwatch import CompositeAlarm, MetricAlarm
from moorage.core.alarms.model import ACTION_MEMBERS, Alarm


def metric_alarm(alarm: Alarm) -> MetricAlarm:
    """A metric alarm in full."""
    described = {"Dimensions": [], **_described(alarm)}
    if "Metrics" in alarm.definition:
        del described["Dimensions"]
    return cast(MetricAlarm, described)


def composite_alarm(alarm: Alarm) -> CompositeAlarm:
    """A composite alarm in full."""
    described = _described(alarm)
    if alarm.suppression is not None:
        described["ActionsSuppressedBy"] = alarm.suppression.by
        described["ActionsSuppressedReason"] = alarm.suppression.reason
    return cast(CompositeAlarm, described)


def _described(alarm: Alarm) -> dict[str, Any]:
    state = alarm.state
    described: dict[str, Any] = {
        **dict.fromkeys(ACTION_MEMBERS.values(), ()),
        **alarm.definition,
        "AlarmArn": alarm.arn,
        "ActionsEnabled": alarm.actions_enabled,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "StateValue": state.value.value,
        "StateReason": state.reason,
        "StateUpdatedTimestamp": state.updated_at,
        "StateTransitionedTimestamp": state.transitioned_at,
    }
    if state.reason_data is not None:
        described["StateReasonData"] = state.reason_data
    return described
