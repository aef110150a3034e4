"""The alarms that a policy of target tracking owns: when the service would scale out, and when in.

    AlarmHigh   above the target        3 of 3 minutes, or of 3 times 10 s where the metric has them
    AlarmLow    below 0.9 of it         15 of 15 minutes, or 90 of 90 times 10 s: scaling in is no quicker

Observed of the live service for SageMaker's variants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moorage.core.alarms.condition import period_of
from moorage.core.scaling.model import ScalingPolicy, TargetKey
from moorage.core.scaling.policies import PredefinedMetric, TargetTracking
from moorage.core.scaling.target_tracking import SCALE_IN_SHARE

HIGH: Final = "AlarmHigh"
LOW: Final = "AlarmLow"
_MINUTE_S: Final = 60
_HIGH_RESOLUTION_S: Final = 10
_HIGH_PERIODS: Final = 3
_LOW_S: Final = 900

_PREDEFINED: Final[Mapping[PredefinedMetric, Mapping[str, Any]]] = {
    PredefinedMetric.INVOCATIONS_PER_INSTANCE: {
        "MetricName": "InvocationsPerInstance",
        "Statistic": "Sum",
        "Period": _MINUTE_S,
    },
    PredefinedMetric.CONCURRENT_REQUESTS: {
        "MetricName": "ConcurrentRequestsPerModel",
        "Statistic": "Maximum",
        "Period": _HIGH_RESOLUTION_S,
    },
}


def definitions(policy: ScalingPolicy, tracking: TargetTracking) -> dict[str, dict[str, Any]]:
    """The members of PutMetricAlarm by which alarm it is, but for their names: AlarmLow only if scale-in is wanted."""
    metric = _metric(policy.target, tracking)
    common = {
        "AlarmDescription": _description(policy),
        "ActionsEnabled": True,
        "AlarmActions": [policy.arn],
        "TreatMissingData": "missing",
        **metric,
    }
    high = common | _condition("GreaterThanThreshold", tracking.target_value, _HIGH_PERIODS)
    if not tracking.scales_in:
        return {HIGH: high}
    low = common | _condition("LessThanThreshold", SCALE_IN_SHARE * tracking.target_value, _LOW_S // period_of(metric))
    return {HIGH: high, LOW: low}


def _condition(comparison: str, threshold: float, periods: int) -> dict[str, Any]:
    return {"ComparisonOperator": comparison, "Threshold": threshold, "EvaluationPeriods": periods}


def _description(policy: ScalingPolicy) -> str:
    return f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}."


def _metric(key: TargetKey, tracking: TargetTracking) -> dict[str, Any]:
    if tracking.predefined is not None:
        return {
            "Namespace": "AWS/SageMaker",
            "Dimensions": [
                {"Name": "EndpointName", "Value": key.endpoint.name},
                {"Name": "VariantName", "Value": key.variant},
            ],
            **_PREDEFINED[tracking.predefined],
        }
    assert tracking.customized is not None, "a policy tracks a predefined metric or a customised one"
    if "Metrics" in tracking.customized:
        return {"Metrics": [_query(each) for each in tracking.customized["Metrics"]]}
    return _single(tracking.customized)


def _single(specification: Mapping[str, Any]) -> dict[str, Any]:
    metric = {
        "Namespace": specification["Namespace"],
        "MetricName": specification["MetricName"],
        "Statistic": specification["Statistic"],
        "Dimensions": [dict(each) for each in specification.get("Dimensions", ())],
        "Period": specification.get("Period", _MINUTE_S),
    }
    return metric | ({"Unit": specification["Unit"]} if "Unit" in specification else {})


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    """A TargetTrackingMetricDataQuery as one of PutMetricAlarm's, which has a period of its own."""
    found = dict(query)
    if "MetricStat" in query:
        found["MetricStat"] = {"Period": _MINUTE_S, **query["MetricStat"]}
    return found
