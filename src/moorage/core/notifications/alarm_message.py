"""What an alarm tells a topic: CloudWatch's own JSON, which receivers of its notifications already read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from moorage.core.alarms.condition import period_of
from moorage.core.alarms.model import Alarm, AlarmState

_SUBJECT_MAX: Final = 100

REGION_NAMES: Final[Mapping[str, str]] = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
    "ca-central-1": "Canada (Central)",
    "eu-central-1": "EU (Frankfurt)",
    "eu-north-1": "EU (Stockholm)",
    "eu-west-1": "EU (Ireland)",
    "eu-west-2": "EU (London)",
    "eu-west-3": "EU (Paris)",
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-northeast-2": "Asia Pacific (Seoul)",
    "ap-south-1": "Asia Pacific (Mumbai)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "sa-east-1": "South America (Sao Paulo)",
}
"""What CloudWatch calls regions in its notifications; others go by their codes here."""


def alarm_subject(alarm: Alarm, new: AlarmState) -> str:
    """`ALARM: "errors" in US East (N. Virginia)`."""
    return f'{new.value}: "{alarm.key.name}" in {_region(alarm)}'[:_SUBJECT_MAX]


def alarm_text(alarm: Alarm, old: AlarmState, new: AlarmState, *, account_id: str) -> str:
    """The message, as JSON."""
    message: dict[str, Any] = {
        "AlarmName": alarm.key.name,
        "AlarmDescription": alarm.definition.get("AlarmDescription"),
        "AWSAccountId": account_id,
        "AlarmConfigurationUpdatedTimestamp": _timestamp(alarm.configured_at),
        "NewStateValue": new.value,
        "NewStateReason": new.reason,
        "StateChangeTime": _timestamp(new.transitioned_at),
        "Region": _region(alarm),
        "AlarmArn": alarm.arn,
        "OldStateValue": old.value,
        "OKActions": list(alarm.definition.get("OKActions", ())),
        "AlarmActions": list(alarm.definition.get("AlarmActions", ())),
        "InsufficientDataActions": list(alarm.definition.get("InsufficientDataActions", ())),
    }
    if alarm.is_composite:
        message |= {"AlarmRule": alarm.definition["AlarmRule"], "TriggeringChildren": _children(new)}
    else:
        message["Trigger"] = _trigger(alarm.definition)
    return json.dumps(message, separators=(",", ":"))


def _trigger(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    watched = _expression(definition) if "Metrics" in definition else _metric(definition)
    return {
        **watched,
        "Period": period_of(definition),
        "EvaluationPeriods": definition["EvaluationPeriods"],
        "DatapointsToAlarm": definition.get("DatapointsToAlarm", definition["EvaluationPeriods"]),
        "ComparisonOperator": definition["ComparisonOperator"],
        "Threshold": float(definition["Threshold"]),
        "TreatMissingData": definition.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": definition.get("EvaluateLowSampleCountPercentile", ""),
    }


def _metric(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    known = {
        "MetricName": definition["MetricName"],
        "Namespace": definition["Namespace"],
        "Unit": definition.get("Unit"),
        "Dimensions": _dimensions(definition.get("Dimensions", ())),
    }
    if "Statistic" in definition:
        return {**known, "StatisticType": "Statistic", "Statistic": definition["Statistic"].upper()}
    return {**known, "StatisticType": "ExtendedStatistic", "ExtendedStatistic": definition["ExtendedStatistic"]}


def _expression(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    queries = []
    for query in definition["Metrics"]:
        known = {"ReturnData": True, **query}
        if "MetricStat" in query:
            metric = query["MetricStat"]["Metric"]
            renamed = {**metric, "Dimensions": _dimensions(metric.get("Dimensions", ()))}
            known["MetricStat"] = {**query["MetricStat"], "Metric": renamed}
        queries.append(known)
    return {"Metrics": queries}


def _dimensions(dimensions: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
    return [{"value": each["Value"], "name": each["Name"]} for each in dimensions]


def _children(state: AlarmState) -> Sequence[Mapping[str, Any]]:
    data = json.loads(state.reason_data) if state.reason_data else {}
    return [
        {"Arn": child["arn"], "State": {"Value": child["state"]["value"], "Timestamp": child["state"]["timestamp"]}}
        for child in data.get("triggeringAlarms", ())
    ]


def _region(alarm: Alarm) -> str:
    return REGION_NAMES.get(alarm.key.region, alarm.key.region)


def _timestamp(when: datetime) -> str:
    utc = when.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"
