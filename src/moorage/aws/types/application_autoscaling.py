"""Requests and answers of application-autoscaling. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

AdjustmentType = Literal["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"]
MetricAggregationType = Literal["Average", "Minimum", "Maximum"]
MetricStatistic = Literal["Average", "Minimum", "Maximum", "SampleCount", "Sum"]
PolicyType = Literal["StepScaling", "TargetTrackingScaling", "PredictiveScaling"]
PredictiveScalingMaxCapacityBreachBehavior = Literal["HonorMaxCapacity", "IncreaseMaxCapacity"]
PredictiveScalingMode = Literal["ForecastOnly", "ForecastAndScale"]
ScalingActivityStatusCode = Literal["Pending", "InProgress", "Successful", "Overridden", "Unfulfilled", "Failed"]
ServiceNamespace = Literal[
    "ecs",
    "elasticmapreduce",
    "ec2",
    "appstream",
    "dynamodb",
    "rds",
    "sagemaker",
    "custom-resource",
    "comprehend",
    "lambda",
    "cassandra",
    "kafka",
    "elasticache",
    "neptune",
    "workspaces",
]


class Alarm(TypedDict):
    AlarmName: str
    AlarmARN: str


class CustomizedMetricSpecification(TypedDict):
    MetricName: NotRequired[str]
    Namespace: NotRequired[str]
    Dimensions: NotRequired[list[MetricDimension]]
    Statistic: NotRequired[MetricStatistic]
    Unit: NotRequired[str]
    Metrics: NotRequired[list[TargetTrackingMetricDataQuery]]


class DeleteScalingPolicyRequest(TypedDict):
    PolicyName: str
    ServiceNamespace: ServiceNamespace
    ResourceId: str
    ScalableDimension: str


class DeleteScalingPolicyResponse(TypedDict):
    pass


class DeleteScheduledActionRequest(TypedDict):
    ServiceNamespace: ServiceNamespace
    ScheduledActionName: str
    ResourceId: str
    ScalableDimension: str


class DeleteScheduledActionResponse(TypedDict):
    pass


class DeregisterScalableTargetRequest(TypedDict):
    ServiceNamespace: ServiceNamespace
    ResourceId: str
    ScalableDimension: str


class DeregisterScalableTargetResponse(TypedDict):
    pass


class DescribeScalableTargetsRequest(TypedDict):
    ServiceNamespace: ServiceNamespace
    ResourceIds: NotRequired[list[str]]
    ScalableDimension: NotRequired[str]
    MaxResults: NotRequired[int]
    NextToken: NotRequired[str]


class DescribeScalableTargetsResponse(TypedDict):
    ScalableTargets: NotRequired[list[ScalableTarget]]
    NextToken: NotRequired[str]


class DescribeScalingActivitiesRequest(TypedDict):
    ServiceNamespace: ServiceNamespace
    ResourceId: NotRequired[str]
    ScalableDimension: NotRequired[str]
    MaxResults: NotRequired[int]
    NextToken: NotRequired[str]
    IncludeNotScaledActivities: NotRequired[bool]


class DescribeScalingActivitiesResponse(TypedDict):
    ScalingActivities: NotRequired[list[ScalingActivity]]
    NextToken: NotRequired[str]


class DescribeScalingPoliciesRequest(TypedDict):
    PolicyNames: NotRequired[list[str]]
    ServiceNamespace: ServiceNamespace
    ResourceId: NotRequired[str]
    ScalableDimension: NotRequired[str]
    MaxResults: NotRequired[int]
    NextToken: NotRequired[str]


class DescribeScalingPoliciesResponse(TypedDict):
    ScalingPolicies: NotRequired[list[ScalingPolicy]]
    NextToken: NotRequired[str]


class DescribeScheduledActionsRequest(TypedDict):
    ScheduledActionNames: NotRequired[list[str]]
    ServiceNamespace: ServiceNamespace
    ResourceId: NotRequired[str]
    ScalableDimension: NotRequired[str]
    MaxResults: NotRequired[int]
    NextToken: NotRequired[str]


class DescribeScheduledActionsResponse(TypedDict):
    ScheduledActions: NotRequired[list[ScheduledAction]]
    NextToken: NotRequired[str]


class ListTagsForResourceRequest(TypedDict):
    ResourceARN: str


class ListTagsForResourceResponse(TypedDict):
    Tags: NotRequired[dict[str, str]]


class MetricDimension(TypedDict):
    Name: str
    Value: str


class NotScaledReason(TypedDict):
    Code: str
    MaxCapacity: NotRequired[int]
    MinCapacity: NotRequired[int]
    CurrentCapacity: NotRequired[int]


class PredefinedMetricSpecification(TypedDict):
    PredefinedMetricType: str
    ResourceLabel: NotRequired[str]


class PredictiveScalingCustomizedMetricSpecification(TypedDict):
    MetricDataQueries: list[PredictiveScalingMetricDataQuery]


class PredictiveScalingMetric(TypedDict):
    Dimensions: NotRequired[list[PredictiveScalingMetricDimension]]
    MetricName: NotRequired[str]
    Namespace: NotRequired[str]


class PredictiveScalingMetricDataQuery(TypedDict):
    Id: str
    Expression: NotRequired[str]
    MetricStat: NotRequired[PredictiveScalingMetricStat]
    Label: NotRequired[str]
    ReturnData: NotRequired[bool]


class PredictiveScalingMetricDimension(TypedDict):
    Name: str
    Value: str


class PredictiveScalingMetricSpecification(TypedDict):
    TargetValue: float
    PredefinedMetricPairSpecification: NotRequired[PredictiveScalingPredefinedMetricPairSpecification]
    PredefinedScalingMetricSpecification: NotRequired[PredictiveScalingPredefinedScalingMetricSpecification]
    PredefinedLoadMetricSpecification: NotRequired[PredictiveScalingPredefinedLoadMetricSpecification]
    CustomizedScalingMetricSpecification: NotRequired[PredictiveScalingCustomizedMetricSpecification]
    CustomizedLoadMetricSpecification: NotRequired[PredictiveScalingCustomizedMetricSpecification]
    CustomizedCapacityMetricSpecification: NotRequired[PredictiveScalingCustomizedMetricSpecification]


class PredictiveScalingMetricStat(TypedDict):
    Metric: PredictiveScalingMetric
    Stat: str
    Unit: NotRequired[str]


class PredictiveScalingPolicyConfiguration(TypedDict):
    MetricSpecifications: list[PredictiveScalingMetricSpecification]
    Mode: NotRequired[PredictiveScalingMode]
    SchedulingBufferTime: NotRequired[int]
    MaxCapacityBreachBehavior: NotRequired[PredictiveScalingMaxCapacityBreachBehavior]
    MaxCapacityBuffer: NotRequired[int]


class PredictiveScalingPredefinedLoadMetricSpecification(TypedDict):
    PredefinedMetricType: str
    ResourceLabel: NotRequired[str]


class PredictiveScalingPredefinedMetricPairSpecification(TypedDict):
    PredefinedMetricType: str
    ResourceLabel: NotRequired[str]


class PredictiveScalingPredefinedScalingMetricSpecification(TypedDict):
    PredefinedMetricType: str
    ResourceLabel: NotRequired[str]


class PutScalingPolicyRequest(TypedDict):
    PolicyName: str
    ServiceNamespace: ServiceNamespace
    ResourceId: str
    ScalableDimension: str
    PolicyType: NotRequired[PolicyType]
    StepScalingPolicyConfiguration: NotRequired[StepScalingPolicyConfiguration]
    TargetTrackingScalingPolicyConfiguration: NotRequired[TargetTrackingScalingPolicyConfiguration]
    PredictiveScalingPolicyConfiguration: NotRequired[PredictiveScalingPolicyConfiguration]


class PutScalingPolicyResponse(TypedDict):
    PolicyARN: str
    Alarms: NotRequired[list[Alarm]]


class PutScheduledActionRequest(TypedDict):
    ServiceNamespace: ServiceNamespace
    Schedule: NotRequired[str]
    Timezone: NotRequired[str]
    ScheduledActionName: str
    ResourceId: str
    ScalableDimension: str
    StartTime: NotRequired[datetime]
    EndTime: NotRequired[datetime]
    ScalableTargetAction: NotRequired[ScalableTargetAction]


class PutScheduledActionResponse(TypedDict):
    pass


class RegisterScalableTargetRequest(TypedDict):
    ServiceNamespace: ServiceNamespace
    ResourceId: str
    ScalableDimension: str
    MinCapacity: NotRequired[int]
    MaxCapacity: NotRequired[int]
    RoleARN: NotRequired[str]
    SuspendedState: NotRequired[SuspendedState]
    Tags: NotRequired[dict[str, str]]


class RegisterScalableTargetResponse(TypedDict):
    ScalableTargetARN: NotRequired[str]


class ScalableTarget(TypedDict):
    ServiceNamespace: ServiceNamespace
    ResourceId: str
    ScalableDimension: str
    MinCapacity: int
    MaxCapacity: int
    PredictedCapacity: NotRequired[int]
    RoleARN: str
    CreationTime: datetime
    SuspendedState: NotRequired[SuspendedState]
    ScalableTargetARN: NotRequired[str]


class ScalableTargetAction(TypedDict):
    MinCapacity: NotRequired[int]
    MaxCapacity: NotRequired[int]


class ScalingActivity(TypedDict):
    ActivityId: str
    ServiceNamespace: ServiceNamespace
    ResourceId: str
    ScalableDimension: str
    Description: str
    Cause: str
    StartTime: datetime
    EndTime: NotRequired[datetime]
    StatusCode: ScalingActivityStatusCode
    StatusMessage: NotRequired[str]
    Details: NotRequired[str]
    NotScaledReasons: NotRequired[list[NotScaledReason]]


class ScalingPolicy(TypedDict):
    PolicyARN: str
    PolicyName: str
    ServiceNamespace: ServiceNamespace
    ResourceId: str
    ScalableDimension: str
    PolicyType: PolicyType
    StepScalingPolicyConfiguration: NotRequired[StepScalingPolicyConfiguration]
    TargetTrackingScalingPolicyConfiguration: NotRequired[TargetTrackingScalingPolicyConfiguration]
    PredictiveScalingPolicyConfiguration: NotRequired[PredictiveScalingPolicyConfiguration]
    Alarms: NotRequired[list[Alarm]]
    CreationTime: datetime


class ScheduledAction(TypedDict):
    ScheduledActionName: str
    ScheduledActionARN: str
    ServiceNamespace: ServiceNamespace
    Schedule: str
    Timezone: NotRequired[str]
    ResourceId: str
    ScalableDimension: NotRequired[str]
    StartTime: NotRequired[datetime]
    EndTime: NotRequired[datetime]
    ScalableTargetAction: NotRequired[ScalableTargetAction]
    CreationTime: datetime


class StepAdjustment(TypedDict):
    MetricIntervalLowerBound: NotRequired[float]
    MetricIntervalUpperBound: NotRequired[float]
    ScalingAdjustment: int


class StepScalingPolicyConfiguration(TypedDict):
    AdjustmentType: NotRequired[AdjustmentType]
    StepAdjustments: NotRequired[list[StepAdjustment]]
    MinAdjustmentMagnitude: NotRequired[int]
    Cooldown: NotRequired[int]
    MetricAggregationType: NotRequired[MetricAggregationType]


class SuspendedState(TypedDict):
    DynamicScalingInSuspended: NotRequired[bool]
    DynamicScalingOutSuspended: NotRequired[bool]
    ScheduledScalingSuspended: NotRequired[bool]


class TagResourceRequest(TypedDict):
    ResourceARN: str
    Tags: dict[str, str]


class TagResourceResponse(TypedDict):
    pass


class TargetTrackingMetric(TypedDict):
    Dimensions: NotRequired[list[TargetTrackingMetricDimension]]
    MetricName: NotRequired[str]
    Namespace: NotRequired[str]


class TargetTrackingMetricDataQuery(TypedDict):
    Expression: NotRequired[str]
    Id: str
    Label: NotRequired[str]
    MetricStat: NotRequired[TargetTrackingMetricStat]
    ReturnData: NotRequired[bool]


class TargetTrackingMetricDimension(TypedDict):
    Name: str
    Value: str


class TargetTrackingMetricStat(TypedDict):
    Metric: TargetTrackingMetric
    Stat: str
    Unit: NotRequired[str]


class TargetTrackingScalingPolicyConfiguration(TypedDict):
    TargetValue: float
    PredefinedMetricSpecification: NotRequired[PredefinedMetricSpecification]
    CustomizedMetricSpecification: NotRequired[CustomizedMetricSpecification]
    ScaleOutCooldown: NotRequired[int]
    ScaleInCooldown: NotRequired[int]
    DisableScaleIn: NotRequired[bool]


class UntagResourceRequest(TypedDict):
    ResourceARN: str
    TagKeys: list[str]


class UntagResourceResponse(TypedDict):
    pass
