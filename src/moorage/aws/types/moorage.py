"""Requests and answers of moorage. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict


class BearerKeySummary(TypedDict):
    KeyId: str
    CreationTime: datetime
    Description: NotRequired[str]


class CostSummary(TypedDict):
    EndpointName: str
    VariantName: str
    InstanceType: str
    InstanceHours: float
    PricePerHour: NotRequired[float]
    Cost: NotRequired[float]
    AsleepHours: NotRequired[float]
    SavedBySleeping: NotRequired[float]


class CreateBearerKeyInput(TypedDict):
    EndpointName: str
    Description: NotRequired[str]


class CreateBearerKeyOutput(TypedDict):
    KeyId: str
    Key: str
    CreationTime: datetime


class CreateMetricsKeyInput(TypedDict):
    Description: NotRequired[str]


class CreateMetricsKeyOutput(TypedDict):
    KeyId: str
    Key: str
    CreationTime: datetime


class DeleteBearerKeyInput(TypedDict):
    EndpointName: str
    KeyId: str


class DeleteMetricsKeyInput(TypedDict):
    KeyId: str


class DescribeCapacityInput(TypedDict):
    pass


class DescribeCapacityOutput(TypedDict):
    Offered: Resources
    Reserved: Resources
    Instances: int


class LatencyStatistics(TypedDict):
    SampleCount: int
    Sum: int
    Average: float
    Minimum: float
    Maximum: float
    p50: float
    p90: float
    p99: float


class ListBearerKeysInput(TypedDict):
    EndpointName: str


class ListBearerKeysOutput(TypedDict):
    BearerKeys: list[BearerKeySummary]


class ListCostsInput(TypedDict):
    EndpointName: NotRequired[str]
    StartTime: NotRequired[datetime]
    EndTime: NotRequired[datetime]


class ListCostsOutput(TypedDict):
    Currency: str
    StartTime: datetime
    EndTime: datetime
    Costs: list[CostSummary]
    InstanceHours: float
    Cost: float


class ListLoadedModelsInput(TypedDict):
    EndpointName: str


class ListLoadedModelsOutput(TypedDict):
    Instances: list[LoadedModelsSummary]


class ListMetricsKeysInput(TypedDict):
    pass


class ListMetricsKeysOutput(TypedDict):
    BearerKeys: list[BearerKeySummary]


class ListTrafficInput(TypedDict):
    EndpointName: NotRequired[str]
    PeriodSeconds: NotRequired[int]


class ListTrafficOutput(TypedDict):
    Traffic: list[TrafficSummary]


class LoadedModel(TypedDict):
    TargetModel: str
    MemoryBytes: int
    Invocations: int


class LoadedModelsSummary(TypedDict):
    VariantName: str
    InstanceId: str
    ContainerName: str
    Models: list[LoadedModel]
    Statistics: list[ModelStatistics]


class ModelStatistics(TypedDict):
    MetricName: str
    SampleCount: int
    Sum: int
    Minimum: int
    Maximum: int


class Resources(TypedDict):
    VCpus: float
    MemoryBytes: int
    Gpus: int


class TrafficStatistics(TypedDict):
    Invocations: int
    InvocationsPerInstance: float
    Invocation4XXErrors: int
    Invocation5XXErrors: int
    InvocationModelErrors: int
    Refused: int
    BytesIn: int
    BytesOut: int
    ModelLatency: NotRequired[LatencyStatistics]
    OverheadLatency: NotRequired[LatencyStatistics]


class TrafficSummary(TypedDict):
    EndpointName: str
    EndpointConfigName: NotRequired[str]
    VariantName: NotRequired[str]
    InstanceId: NotRequired[str]
    InFlight: int
    Recent: TrafficStatistics
    Total: TrafficStatistics
