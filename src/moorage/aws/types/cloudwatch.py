"""Requests and answers of cloudwatch. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

RecentlyActive = Literal["PT3H"]
Statistic = Literal["SampleCount", "Average", "Sum", "Minimum", "Maximum"]


class Datapoint(TypedDict):
    Timestamp: NotRequired[datetime]
    SampleCount: NotRequired[float]
    Average: NotRequired[float]
    Sum: NotRequired[float]
    Minimum: NotRequired[float]
    Maximum: NotRequired[float]
    Unit: NotRequired[str]
    ExtendedStatistics: NotRequired[dict[str, float]]


class Dimension(TypedDict):
    Name: str
    Value: str


class DimensionFilter(TypedDict):
    Name: str
    Value: NotRequired[str]


class Entity(TypedDict):
    KeyAttributes: NotRequired[dict[str, str]]
    Attributes: NotRequired[dict[str, str]]


class EntityMetricData(TypedDict):
    Entity: NotRequired[Entity]
    MetricData: NotRequired[list[MetricDatum]]


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


class Metric(TypedDict):
    Namespace: NotRequired[str]
    MetricName: NotRequired[str]
    Dimensions: NotRequired[list[Dimension]]


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


class PutMetricDataInput(TypedDict):
    Namespace: str
    MetricData: NotRequired[list[MetricDatum]]
    EntityMetricData: NotRequired[list[EntityMetricData]]
    StrictEntityValidation: NotRequired[bool]


class StatisticSet(TypedDict):
    SampleCount: float
    Sum: float
    Minimum: float
    Maximum: float
