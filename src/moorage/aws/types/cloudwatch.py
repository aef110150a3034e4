"""Requests and answers of cloudwatch. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

ActionsSuppressedBy = Literal["WaitPeriod", "ExtensionPeriod", "Alarm"]
AlarmType = Literal["CompositeAlarm", "MetricAlarm", "LogAlarm"]
ComparisonOperator = Literal[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
]
EvaluationState = Literal["PARTIAL_DATA", "EVALUATION_FAILURE", "EVALUATION_ERROR"]
HistoryItemType = Literal[
    "ConfigurationUpdate",
    "StateUpdate",
    "Action",
    "AlarmContributorStateUpdate",
    "AlarmContributorAction",
]
RecentlyActive = Literal["PT3H"]
ScanBy = Literal["TimestampDescending", "TimestampAscending"]
StateValue = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Statistic = Literal["SampleCount", "Average", "Sum", "Minimum", "Maximum"]
StatusCode = Literal["Complete", "InternalError", "PartialData", "Forbidden"]


class ActionConfiguration(TypedDict):
    AlarmTagsPropagation: NotRequired[AlarmTagsPropagation]


class AlarmHistoryItem(TypedDict):
    AlarmName: NotRequired[str]
    AlarmContributorId: NotRequired[str]
    AlarmType: NotRequired[AlarmType]
    Timestamp: NotRequired[datetime]
    HistoryItemType: NotRequired[HistoryItemType]
    HistorySummary: NotRequired[str]
    HistoryData: NotRequired[str]
    AlarmContributorAttributes: NotRequired[dict[str, str]]


class AlarmPromQLCriteria(TypedDict):
    Query: str
    PendingPeriod: NotRequired[int]
    RecoveryPeriod: NotRequired[int]


class AlarmTagsPropagation(TypedDict):
    Enabled: bool
    IncludedTagKeys: NotRequired[list[str]]
    ExcludedTagKeys: NotRequired[list[str]]


class CompositeAlarm(TypedDict):
    ActionsEnabled: NotRequired[bool]
    AlarmActions: NotRequired[list[str]]
    AlarmArn: NotRequired[str]
    AlarmConfigurationUpdatedTimestamp: NotRequired[datetime]
    AlarmDescription: NotRequired[str]
    AlarmName: NotRequired[str]
    AlarmRule: NotRequired[str]
    InsufficientDataActions: NotRequired[list[str]]
    OKActions: NotRequired[list[str]]
    StateReason: NotRequired[str]
    StateReasonData: NotRequired[str]
    StateUpdatedTimestamp: NotRequired[datetime]
    StateValue: NotRequired[StateValue]
    StateTransitionedTimestamp: NotRequired[datetime]
    ActionsSuppressedBy: NotRequired[ActionsSuppressedBy]
    ActionsSuppressedReason: NotRequired[str]
    ActionsSuppressor: NotRequired[str]
    ActionsSuppressorWaitPeriod: NotRequired[int]
    ActionsSuppressorExtensionPeriod: NotRequired[int]
    ActionConfiguration: NotRequired[ActionConfiguration]


class DashboardEntry(TypedDict):
    DashboardName: NotRequired[str]
    DashboardArn: NotRequired[str]
    LastModified: NotRequired[datetime]
    Size: NotRequired[int]


class DashboardValidationMessage(TypedDict):
    DataPath: NotRequired[str]
    Message: NotRequired[str]


class Datapoint(TypedDict):
    Timestamp: NotRequired[datetime]
    SampleCount: NotRequired[float]
    Average: NotRequired[float]
    Sum: NotRequired[float]
    Minimum: NotRequired[float]
    Maximum: NotRequired[float]
    Unit: NotRequired[str]
    ExtendedStatistics: NotRequired[dict[str, float]]


class DeleteAlarmsInput(TypedDict):
    AlarmNames: list[str]


class DeleteDashboardsInput(TypedDict):
    DashboardNames: list[str]


class DeleteDashboardsOutput(TypedDict):
    pass


class DescribeAlarmHistoryInput(TypedDict):
    AlarmName: NotRequired[str]
    AlarmContributorId: NotRequired[str]
    AlarmTypes: NotRequired[list[AlarmType]]
    HistoryItemType: NotRequired[HistoryItemType]
    StartDate: NotRequired[datetime]
    EndDate: NotRequired[datetime]
    MaxRecords: NotRequired[int]
    NextToken: NotRequired[str]
    ScanBy: NotRequired[ScanBy]


class DescribeAlarmHistoryOutput(TypedDict):
    AlarmHistoryItems: NotRequired[list[AlarmHistoryItem]]
    NextToken: NotRequired[str]


class DescribeAlarmsForMetricInput(TypedDict):
    MetricName: str
    Namespace: str
    Statistic: NotRequired[Statistic]
    ExtendedStatistic: NotRequired[str]
    Dimensions: NotRequired[list[Dimension]]
    Period: NotRequired[int]
    Unit: NotRequired[str]


class DescribeAlarmsForMetricOutput(TypedDict):
    MetricAlarms: NotRequired[list[MetricAlarm]]


class DescribeAlarmsInput(TypedDict):
    AlarmNames: NotRequired[list[str]]
    AlarmNamePrefix: NotRequired[str]
    AlarmTypes: NotRequired[list[AlarmType]]
    ChildrenOfAlarmName: NotRequired[str]
    ParentsOfAlarmName: NotRequired[str]
    StateValue: NotRequired[StateValue]
    ActionPrefix: NotRequired[str]
    MaxRecords: NotRequired[int]
    NextToken: NotRequired[str]


class DescribeAlarmsOutput(TypedDict):
    CompositeAlarms: NotRequired[list[CompositeAlarm]]
    MetricAlarms: NotRequired[list[MetricAlarm]]
    LogAlarms: NotRequired[list[LogAlarm]]
    NextToken: NotRequired[str]


class Dimension(TypedDict):
    Name: str
    Value: str


class DimensionFilter(TypedDict):
    Name: str
    Value: NotRequired[str]


class DisableAlarmActionsInput(TypedDict):
    AlarmNames: list[str]


class EnableAlarmActionsInput(TypedDict):
    AlarmNames: list[str]


class Entity(TypedDict):
    KeyAttributes: NotRequired[dict[str, str]]
    Attributes: NotRequired[dict[str, str]]


class EntityMetricData(TypedDict):
    Entity: NotRequired[Entity]
    MetricData: NotRequired[list[MetricDatum]]


class EvaluationCriteria(TypedDict):
    PromQLCriteria: NotRequired[AlarmPromQLCriteria]


class EvaluationWindow(TypedDict):
    WallClockWindow: NotRequired[WallClockWindow]
    SlidingWindow: NotRequired[SlidingWindow]


class GetDashboardInput(TypedDict):
    DashboardName: str


class GetDashboardOutput(TypedDict):
    DashboardArn: NotRequired[str]
    DashboardBody: NotRequired[str]
    DashboardName: NotRequired[str]


class GetMetricDataInput(TypedDict):
    MetricDataQueries: list[MetricDataQuery]
    StartTime: datetime
    EndTime: datetime
    NextToken: NotRequired[str]
    ScanBy: NotRequired[ScanBy]
    MaxDatapoints: NotRequired[int]
    LabelOptions: NotRequired[LabelOptions]


class GetMetricDataOutput(TypedDict):
    MetricDataResults: NotRequired[list[MetricDataResult]]
    NextToken: NotRequired[str]
    Messages: NotRequired[list[MessageData]]


class GetMetricStatisticsInput(TypedDict):
    Namespace: str
    MetricName: str
    Dimensions: NotRequired[list[Dimension]]
    StartTime: datetime
    EndTime: datetime
    Period: int
    Statistics: NotRequired[list[Statistic]]
    ExtendedStatistics: NotRequired[list[str]]
    Unit: NotRequired[str]


class GetMetricStatisticsOutput(TypedDict):
    Label: NotRequired[str]
    Datapoints: NotRequired[list[Datapoint]]


class LabelOptions(TypedDict):
    Timezone: NotRequired[str]


class ListDashboardsInput(TypedDict):
    DashboardNamePrefix: NotRequired[str]
    NextToken: NotRequired[str]


class ListDashboardsOutput(TypedDict):
    DashboardEntries: NotRequired[list[DashboardEntry]]
    NextToken: NotRequired[str]


class ListMetricsInput(TypedDict):
    Namespace: NotRequired[str]
    MetricName: NotRequired[str]
    Dimensions: NotRequired[list[DimensionFilter]]
    NextToken: NotRequired[str]
    RecentlyActive: NotRequired[RecentlyActive]
    IncludeLinkedAccounts: NotRequired[bool]
    OwningAccount: NotRequired[str]


class ListMetricsOutput(TypedDict):
    Metrics: NotRequired[list[Metric]]
    NextToken: NotRequired[str]
    OwningAccounts: NotRequired[list[str]]


class ListTagsForResourceInput(TypedDict):
    ResourceARN: str


class ListTagsForResourceOutput(TypedDict):
    Tags: NotRequired[list[Tag]]


class LogAlarm(TypedDict):
    AlarmName: NotRequired[str]
    AlarmArn: NotRequired[str]
    AlarmDescription: NotRequired[str]
    AlarmConfigurationUpdatedTimestamp: NotRequired[datetime]
    ActionsEnabled: NotRequired[bool]
    OKActions: NotRequired[list[str]]
    AlarmActions: NotRequired[list[str]]
    InsufficientDataActions: NotRequired[list[str]]
    StateValue: NotRequired[StateValue]
    StateReason: NotRequired[str]
    StateReasonData: NotRequired[str]
    StateUpdatedTimestamp: NotRequired[datetime]
    ScheduledQueryConfiguration: NotRequired[ScheduledQueryConfiguration]
    QueryResultsToEvaluate: NotRequired[int]
    QueryResultsToAlarm: NotRequired[int]
    Threshold: NotRequired[float]
    ComparisonOperator: NotRequired[ComparisonOperator]
    TreatMissingData: NotRequired[str]
    StateTransitionedTimestamp: NotRequired[datetime]
    EvaluationState: NotRequired[EvaluationState]
    ActionLogLineCount: NotRequired[int]
    ActionLogLineRoleArn: NotRequired[str]
    WarmUpConfiguration: NotRequired[WarmUpConfiguration]
    ActionConfiguration: NotRequired[ActionConfiguration]


class MessageData(TypedDict):
    Code: NotRequired[str]
    Value: NotRequired[str]


class Metric(TypedDict):
    Namespace: NotRequired[str]
    MetricName: NotRequired[str]
    Dimensions: NotRequired[list[Dimension]]


class MetricAlarm(TypedDict):
    AlarmName: NotRequired[str]
    AlarmArn: NotRequired[str]
    AlarmDescription: NotRequired[str]
    AlarmConfigurationUpdatedTimestamp: NotRequired[datetime]
    ActionsEnabled: NotRequired[bool]
    OKActions: NotRequired[list[str]]
    AlarmActions: NotRequired[list[str]]
    InsufficientDataActions: NotRequired[list[str]]
    StateValue: NotRequired[StateValue]
    StateReason: NotRequired[str]
    StateReasonData: NotRequired[str]
    StateUpdatedTimestamp: NotRequired[datetime]
    MetricName: NotRequired[str]
    Namespace: NotRequired[str]
    Statistic: NotRequired[Statistic]
    ExtendedStatistic: NotRequired[str]
    Dimensions: NotRequired[list[Dimension]]
    Period: NotRequired[int]
    Unit: NotRequired[str]
    EvaluationPeriods: NotRequired[int]
    DatapointsToAlarm: NotRequired[int]
    Threshold: NotRequired[float]
    ComparisonOperator: NotRequired[ComparisonOperator]
    TreatMissingData: NotRequired[str]
    EvaluateLowSampleCountPercentile: NotRequired[str]
    Metrics: NotRequired[list[MetricDataQuery]]
    ThresholdMetricId: NotRequired[str]
    EvaluationState: NotRequired[EvaluationState]
    StateTransitionedTimestamp: NotRequired[datetime]
    EvaluationWindow: NotRequired[EvaluationWindow]
    WarmUpConfiguration: NotRequired[WarmUpConfiguration]
    EvaluationCriteria: NotRequired[EvaluationCriteria]
    EvaluationInterval: NotRequired[int]
    ActionConfiguration: NotRequired[ActionConfiguration]


class MetricDataQuery(TypedDict):
    Id: str
    MetricStat: NotRequired[MetricStat]
    Expression: NotRequired[str]
    Label: NotRequired[str]
    ReturnData: NotRequired[bool]
    Period: NotRequired[int]
    AccountId: NotRequired[str]


class MetricDataResult(TypedDict):
    Id: NotRequired[str]
    Label: NotRequired[str]
    Timestamps: NotRequired[list[datetime]]
    Values: NotRequired[list[float]]
    StatusCode: NotRequired[StatusCode]
    Messages: NotRequired[list[MessageData]]


class MetricDatum(TypedDict):
    MetricName: str
    Dimensions: NotRequired[list[Dimension]]
    Timestamp: NotRequired[datetime]
    Value: NotRequired[float]
    StatisticValues: NotRequired[StatisticSet]
    Values: NotRequired[list[float]]
    Counts: NotRequired[list[float]]
    Unit: NotRequired[str]
    StorageResolution: NotRequired[int]


class MetricStat(TypedDict):
    Metric: Metric
    Period: int
    Stat: str
    Unit: NotRequired[str]


class PutCompositeAlarmInput(TypedDict):
    ActionsEnabled: NotRequired[bool]
    AlarmActions: NotRequired[list[str]]
    AlarmDescription: NotRequired[str]
    AlarmName: str
    AlarmRule: str
    InsufficientDataActions: NotRequired[list[str]]
    OKActions: NotRequired[list[str]]
    Tags: NotRequired[list[Tag]]
    ActionsSuppressor: NotRequired[str]
    ActionsSuppressorWaitPeriod: NotRequired[int]
    ActionsSuppressorExtensionPeriod: NotRequired[int]
    ActionConfiguration: NotRequired[ActionConfiguration]


class PutDashboardInput(TypedDict):
    DashboardName: str
    DashboardBody: str
    Tags: NotRequired[list[Tag]]


class PutDashboardOutput(TypedDict):
    DashboardValidationMessages: NotRequired[list[DashboardValidationMessage]]


class PutMetricAlarmInput(TypedDict):
    AlarmName: str
    AlarmDescription: NotRequired[str]
    ActionsEnabled: NotRequired[bool]
    OKActions: NotRequired[list[str]]
    AlarmActions: NotRequired[list[str]]
    InsufficientDataActions: NotRequired[list[str]]
    MetricName: NotRequired[str]
    Namespace: NotRequired[str]
    Statistic: NotRequired[Statistic]
    ExtendedStatistic: NotRequired[str]
    Dimensions: NotRequired[list[Dimension]]
    Period: NotRequired[int]
    Unit: NotRequired[str]
    EvaluationPeriods: NotRequired[int]
    DatapointsToAlarm: NotRequired[int]
    Threshold: NotRequired[float]
    ComparisonOperator: NotRequired[ComparisonOperator]
    TreatMissingData: NotRequired[str]
    EvaluateLowSampleCountPercentile: NotRequired[str]
    Metrics: NotRequired[list[MetricDataQuery]]
    Tags: NotRequired[list[Tag]]
    ThresholdMetricId: NotRequired[str]
    EvaluationWindow: NotRequired[EvaluationWindow]
    WarmUpConfiguration: NotRequired[WarmUpConfiguration]
    EvaluationCriteria: NotRequired[EvaluationCriteria]
    EvaluationInterval: NotRequired[int]
    ActionConfiguration: NotRequired[ActionConfiguration]


class PutMetricDataInput(TypedDict):
    Namespace: str
    MetricData: NotRequired[list[MetricDatum]]
    EntityMetricData: NotRequired[list[EntityMetricData]]
    StrictEntityValidation: NotRequired[bool]


class ScheduleConfiguration(TypedDict):
    ScheduleExpression: str
    StartTimeOffset: int
    EndTimeOffset: NotRequired[int]


class ScheduledQueryConfiguration(TypedDict):
    QueryString: str
    LogGroupIdentifiers: NotRequired[list[str]]
    QueryARN: NotRequired[str]
    ScheduledQueryRoleARN: str
    ScheduleConfiguration: ScheduleConfiguration
    AggregationExpression: str
    Tags: NotRequired[list[Tag]]


class SetAlarmStateInput(TypedDict):
    AlarmName: str
    StateValue: StateValue
    StateReason: str
    StateReasonData: NotRequired[str]


class SlidingWindow(TypedDict):
    pass


class StatisticSet(TypedDict):
    SampleCount: float
    Sum: float
    Minimum: float
    Maximum: float


class Tag(TypedDict):
    Key: str
    Value: str


class TagResourceInput(TypedDict):
    ResourceARN: str
    Tags: list[Tag]


class TagResourceOutput(TypedDict):
    pass


class UntagResourceInput(TypedDict):
    ResourceARN: str
    TagKeys: list[str]


class UntagResourceOutput(TypedDict):
    pass


class WallClockWindow(TypedDict):
    Timezone: NotRequired[str]


class WarmUpConfiguration(TypedDict):
    WarmUpPeriodDurationInMinutes: int
    OnlyStartEvaluatingAfterWarmUpPeriodEnds: NotRequired[bool]
