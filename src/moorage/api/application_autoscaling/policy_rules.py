"""What a scaling policy may say. Pure: everything here raises ValidationException or returns.

Source: Application Auto Scaling API reference, "PutScalingPolicy", "TargetTrackingScalingPolicyConfiguration",
"StepScalingPolicyConfiguration", "StepAdjustment".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Final

from moorage.api.application_autoscaling.errors import invalid, limit_exceeded, unsupported
from moorage.aws.types import application_autoscaling as aws
from moorage.core.metrics.queries import InvalidQueries, read_queries
from moorage.core.scaling.model import PolicyKind
from moorage.core.scaling.policies import PredefinedMetric

STEPS_MAX: Final = 20
_ANY_REGION: Final = "us-east-1"
"""Whether queries can be answered does not depend on it."""
_MINUTE_S: Final = 60
_PERIODS_S: Final = (10, 20, 30, 60)
COOLDOWN_MAX_S: Final = 86_400
VALUE_MAX: Final = 2.0**360
"""Of what CloudWatch takes for a value. One over it is the least: of less, no number of instances could be told."""
_CONFIGURATIONS: Final = {
    PolicyKind.STEP: "StepScalingPolicyConfiguration",
    PolicyKind.TARGET_TRACKING: "TargetTrackingScalingPolicyConfiguration",
}


def read_kind(request: aws.PutScalingPolicyRequest, known: PolicyKind | None) -> PolicyKind:
    """The policy's type; one that is there already keeps its own."""
    wanted = request.get("PolicyType")
    if wanted == "PredictiveScaling" or "PredictiveScalingPolicyConfiguration" in request:
        raise unsupported("PolicyType PredictiveScaling")
    if wanted is None and known is None:
        raise invalid("PolicyType is required to create a scaling policy.")
    kind = PolicyKind(wanted) if wanted is not None else known
    assert kind is not None
    if known is not None and kind is not known:
        raise invalid(f"The policy is of type {known.value}, which cannot be changed. Delete it and create it again.")
    return kind


def read_configuration(request: aws.PutScalingPolicyRequest, kind: PolicyKind) -> dict[str, Any]:
    """The configuration that goes with the type, checked."""
    for other, member in _CONFIGURATIONS.items():
        if other is not kind and member in request:
            raise invalid(f"{member} cannot be given for a policy of type {kind.value}.")
    member = _CONFIGURATIONS[kind]
    if member not in request:
        raise invalid(f"{member} is required for a policy of type {kind.value}.")
    if kind is PolicyKind.STEP:
        _check_steps(request["StepScalingPolicyConfiguration"])
    else:
        _check_tracking(request["TargetTrackingScalingPolicyConfiguration"])
    found: dict[str, Any] = dict(request)
    return dict(found[member])


def _check_tracking(tracking: aws.TargetTrackingScalingPolicyConfiguration) -> None:
    target = tracking["TargetValue"]
    if not 1 / VALUE_MAX <= target <= VALUE_MAX:
        raise invalid(f"TargetValue must be a number above 0, between 2^-360 and 2^360; it is {target:g}.")
    for member in ("ScaleOutCooldown", "ScaleInCooldown"):
        _check_cooldown(member, tracking.get(member))
    predefined, customized = (
        tracking.get("PredefinedMetricSpecification"),
        tracking.get("CustomizedMetricSpecification"),
    )
    if predefined is not None and customized is None:
        _check_predefined(predefined)
    elif customized is not None and predefined is None:
        _check_customized(customized)
    else:
        raise invalid("Specify either a PredefinedMetricSpecification or a CustomizedMetricSpecification.")


def _check_cooldown(member: str, seconds: Any) -> None:
    if seconds is not None and not 0 <= seconds <= COOLDOWN_MAX_S:
        raise invalid(f"{member} must be between 0 and {COOLDOWN_MAX_S} seconds; it is {seconds}.")


def _check_predefined(metric: aws.PredefinedMetricSpecification) -> None:
    kind = metric["PredefinedMetricType"]
    if "ResourceLabel" in metric:
        raise invalid(f"ResourceLabel cannot be given for the predefined metric {kind}.")
    if kind in frozenset(PredefinedMetric):
        return
    if kind.startswith("SageMaker"):
        raise unsupported(f"the predefined metric {kind}")
    raise invalid(f"The predefined metric {kind} is not one of the service namespace sagemaker.")


def _check_customized(metric: aws.CustomizedMetricSpecification) -> None:
    single = [member for member in ("MetricName", "Namespace", "Statistic") if member in metric]
    if "Metrics" in metric:
        if single or "Dimensions" in metric or "Unit" in metric:
            raise invalid("CustomizedMetricSpecification has either Metrics or a single metric, not both.")
        _check_queries(metric["Metrics"])
    elif len(single) < 3:
        raise invalid("CustomizedMetricSpecification needs MetricName, Namespace and Statistic, or else Metrics.")
    elif metric.get("Period", _MINUTE_S) not in _PERIODS_S:
        raise invalid("The Period of CustomizedMetricSpecification must be 10, 20, 30 or 60 seconds.")


def _check_queries(queries: Sequence[aws.TargetTrackingMetricDataQuery]) -> None:
    """Metric maths that comes to one time series: what an alarm can watch."""
    try:
        read_queries(queries, region=_ANY_REGION, period_s=_MINUTE_S).check_single_series()
    except InvalidQueries as error:
        raise invalid(f"CustomizedMetricSpecification.Metrics: {error}") from None


def _check_steps(steps: aws.StepScalingPolicyConfiguration) -> None:
    if "AdjustmentType" not in steps:
        raise invalid("AdjustmentType is required for a policy of type StepScaling.")
    adjustments = steps.get("StepAdjustments", [])
    if not adjustments:
        raise invalid("StepAdjustments is required for a policy of type StepScaling.")
    if len(adjustments) > STEPS_MAX:
        raise limit_exceeded("step adjustments in a policy", STEPS_MAX)
    if "MinAdjustmentMagnitude" in steps and steps["AdjustmentType"] != "PercentChangeInCapacity":
        raise invalid("MinAdjustmentMagnitude can only be given for the AdjustmentType PercentChangeInCapacity.")
    if steps.get("MinAdjustmentMagnitude", 1) < 1:
        raise invalid("MinAdjustmentMagnitude must be positive.")
    if steps["AdjustmentType"] == "ExactCapacity" and any(each["ScalingAdjustment"] < 0 for each in adjustments):
        raise invalid("ScalingAdjustment must not be negative for the AdjustmentType ExactCapacity.")
    _check_cooldown("Cooldown", steps.get("Cooldown"))
    _check_intervals(adjustments)


def _check_intervals(adjustments: Sequence[aws.StepAdjustment]) -> None:
    """The user guide's rules for step adjustments."""
    intervals = sorted(
        (each.get("MetricIntervalLowerBound", -math.inf), each.get("MetricIntervalUpperBound", math.inf))
        for each in adjustments
    )
    for lower, upper in intervals:
        if (lower, upper) == (-math.inf, math.inf):
            raise invalid("A step adjustment needs a MetricIntervalLowerBound, a MetricIntervalUpperBound or both.")
        if not lower < upper:
            raise invalid("MetricIntervalLowerBound must be less than MetricIntervalUpperBound.")
    for (_, upper), (lower, _) in itertools.pairwise(intervals):
        if lower < upper:
            raise invalid("The intervals of StepAdjustments must not overlap.")
        if lower > upper:
            raise invalid("The intervals of StepAdjustments must not leave a gap.")
    if -math.inf < intervals[0][0] < 0:
        raise invalid("With a negative MetricIntervalLowerBound, one step adjustment must have none.")
    if 0 < intervals[-1][1] < math.inf:
        raise invalid("With a positive MetricIntervalUpperBound, one step adjustment must have none.")
