"""What a policy says, read from its configuration: numbers and names a decision can be made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from moorage.core.scaling.model import COOLDOWN_S, PolicyKind, ScalingPolicy


class PredefinedMetric(StrEnum):
    """The predefined metrics that a variant's instances can be tracked by (AWS's names)."""

    INVOCATIONS_PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"
    CONCURRENT_REQUESTS = "SageMakerVariantConcurrentRequestsPerModelHighResolution"


@dataclass(frozen=True, slots=True)
class TargetTracking:
    """Keep a metric, which falls as capacity grows, at a value."""

    target_value: float
    predefined: PredefinedMetric | None
    customized: Mapping[str, Any] | None
    """CustomizedMetricSpecification, if the metric is not a predefined one."""
    scale_out_cooldown: timedelta = timedelta(seconds=COOLDOWN_S)
    scale_in_cooldown: timedelta = timedelta(seconds=COOLDOWN_S)
    scales_in: bool = True


class AdjustmentType(StrEnum):
    """What a step's number means (AWS's names)."""

    CHANGE = "ChangeInCapacity"
    PERCENT = "PercentChangeInCapacity"
    EXACT = "ExactCapacity"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do while a metric is so far from the alarm's threshold. None leaves an end open."""

    adjustment: int
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class StepScaling:
    """Change capacity by as much as a metric is beyond an alarm's threshold."""

    adjustment_type: AdjustmentType
    steps: tuple[Step, ...]
    magnitude_min: int = 0
    """Of PERCENT: by how much capacity changes at least."""
    cooldown: timedelta = timedelta(seconds=COOLDOWN_S)
    aggregation: str = "Average"


def tracking_of(configuration: Mapping[str, Any]) -> TargetTracking:
    """What a TargetTrackingScalingPolicyConfiguration says. Raises ValueError for a metric there is not."""
    predefined = configuration.get("PredefinedMetricSpecification")
    return TargetTracking(
        target_value=float(configuration["TargetValue"]),
        predefined=None if predefined is None else PredefinedMetric(predefined["PredefinedMetricType"]),
        customized=configuration.get("CustomizedMetricSpecification"),
        scale_out_cooldown=timedelta(seconds=configuration.get("ScaleOutCooldown", COOLDOWN_S)),
        scale_in_cooldown=timedelta(seconds=configuration.get("ScaleInCooldown", COOLDOWN_S)),
        scales_in=not configuration.get("DisableScaleIn", False),
    )


def steps_of(configuration: Mapping[str, Any]) -> StepScaling:
    """What a StepScalingPolicyConfiguration says."""
    return StepScaling(
        adjustment_type=AdjustmentType(configuration["AdjustmentType"]),
        steps=tuple(
            Step(each["ScalingAdjustment"], each.get("MetricIntervalLowerBound"), each.get("MetricIntervalUpperBound"))
            for each in configuration["StepAdjustments"]
        ),
        magnitude_min=configuration.get("MinAdjustmentMagnitude", 0),
        cooldown=timedelta(seconds=configuration.get("Cooldown", COOLDOWN_S)),
        aggregation=configuration.get("MetricAggregationType", "Average"),
    )


def read_tracking(policy: ScalingPolicy) -> TargetTracking | None:
    """What a policy of target tracking says; None of any other."""
    return tracking_of(policy.configuration) if policy.kind is PolicyKind.TARGET_TRACKING else None
