"""Requests and answers of sagemaker. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

AsyncNotificationTopicTypes = Literal["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]
CapacityReservationPreference = Literal["capacity-reservations-only"]
CapacitySizeType = Literal["INSTANCE_COUNT", "CAPACITY_PERCENT"]
CaptureMode = Literal["Input", "Output", "InputAndOutput"]
CaptureStatus = Literal["Started", "Stopped"]
ClarifyFeatureType = Literal["numerical", "categorical", "text"]
ClarifyTextGranularity = Literal["token", "sentence", "paragraph"]
ContainerMode = Literal["SingleModel", "MultiModel"]
EndpointConfigSortKey = Literal["Name", "CreationTime"]
EndpointSortKey = Literal["Name", "CreationTime", "Status"]
EndpointStatus = Literal[
    "OutOfService",
    "Creating",
    "Updating",
    "SystemUpdating",
    "RollingBack",
    "InService",
    "Deleting",
    "Failed",
    "UpdateRollbackFailed",
]
InferenceExecutionMode = Literal["Serial", "Direct"]
ManagedInstanceScalingScaleInStrategy = Literal["IDLE_RELEASE", "CONSOLIDATION"]
ManagedInstanceScalingStatus = Literal["ENABLED", "DISABLED"]
ModelCacheSetting = Literal["Enabled", "Disabled"]
ModelCompressionType = Literal["None", "Gzip"]
ModelSortKey = Literal["Name", "CreationTime"]
OrderKey = Literal["Ascending", "Descending"]
ProductionVariantAcceleratorType = Literal[
    "ml.eia1.medium",
    "ml.eia1.large",
    "ml.eia1.xlarge",
    "ml.eia2.medium",
    "ml.eia2.large",
    "ml.eia2.xlarge",
]
ProductionVariantInferenceAmiVersion = Literal[
    "al2-ami-sagemaker-inference-gpu-2",
    "al2-ami-sagemaker-inference-gpu-2-1",
    "al2-ami-sagemaker-inference-gpu-3-1",
    "al2-ami-sagemaker-inference-neuron-2",
    "al2023-ami-sagemaker-inference-gpu-4-1",
]
RecommendationStatus = Literal["IN_PROGRESS", "COMPLETED", "FAILED", "NOT_APPLICABLE"]
RepositoryAccessMode = Literal["Platform", "Vpc"]
RoutingStrategy = Literal["LEAST_OUTSTANDING_REQUESTS", "RANDOM", "PREFIX_AWARE", "KV_AWARE"]
S3ModelDataType = Literal["S3Prefix", "S3Object"]
TrafficRoutingConfigType = Literal["ALL_AT_ONCE", "CANARY", "LINEAR"]
VariantPropertyType = Literal["DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"]
VariantStatus = Literal["Creating", "Updating", "Deleting", "ActivatingTraffic", "Baking"]


class AcceleratorPartitionLayout(TypedDict):
    AcceleratorPartitionTypes: NotRequired[list[str]]


class AddTagsInput(TypedDict):
    ResourceArn: str
    Tags: list[Tag]


class AddTagsOutput(TypedDict):
    Tags: NotRequired[list[Tag]]


class AdditionalModelDataSource(TypedDict):
    ChannelName: str
    S3DataSource: S3ModelDataSource


class Alarm(TypedDict):
    AlarmName: NotRequired[str]


class AsyncInferenceClientConfig(TypedDict):
    MaxConcurrentInvocationsPerInstance: NotRequired[int]


class AsyncInferenceConfig(TypedDict):
    ClientConfig: NotRequired[AsyncInferenceClientConfig]
    OutputConfig: AsyncInferenceOutputConfig


class AsyncInferenceNotificationConfig(TypedDict):
    SuccessTopic: NotRequired[str]
    ErrorTopic: NotRequired[str]
    IncludeInferenceResponseIn: NotRequired[list[AsyncNotificationTopicTypes]]


class AsyncInferenceOutputConfig(TypedDict):
    KmsKeyId: NotRequired[str]
    S3OutputPath: NotRequired[str]
    NotificationConfig: NotRequired[AsyncInferenceNotificationConfig]
    S3FailurePath: NotRequired[str]


class AutoRollbackConfig(TypedDict):
    Alarms: NotRequired[list[Alarm]]


class BlueGreenUpdatePolicy(TypedDict):
    TrafficRoutingConfiguration: TrafficRoutingConfig
    TerminationWaitInSeconds: NotRequired[int]
    MaximumExecutionTimeoutInSeconds: NotRequired[int]


class CapacitySize(TypedDict):
    Type: CapacitySizeType
    Value: int


class CaptureContentTypeHeader(TypedDict):
    CsvContentTypes: NotRequired[list[str]]
    JsonContentTypes: NotRequired[list[str]]


class CaptureOption(TypedDict):
    CaptureMode: CaptureMode


class ClarifyExplainerConfig(TypedDict):
    EnableExplanations: NotRequired[str]
    InferenceConfig: NotRequired[ClarifyInferenceConfig]
    ShapConfig: ClarifyShapConfig


class ClarifyInferenceConfig(TypedDict):
    FeaturesAttribute: NotRequired[str]
    ContentTemplate: NotRequired[str]
    MaxRecordCount: NotRequired[int]
    MaxPayloadInMB: NotRequired[int]
    ProbabilityIndex: NotRequired[int]
    LabelIndex: NotRequired[int]
    ProbabilityAttribute: NotRequired[str]
    LabelAttribute: NotRequired[str]
    LabelHeaders: NotRequired[list[str]]
    FeatureHeaders: NotRequired[list[str]]
    FeatureTypes: NotRequired[list[ClarifyFeatureType]]


class ClarifyShapBaselineConfig(TypedDict):
    MimeType: NotRequired[str]
    ShapBaseline: NotRequired[str]
    ShapBaselineUri: NotRequired[str]


class ClarifyShapConfig(TypedDict):
    ShapBaselineConfig: ClarifyShapBaselineConfig
    NumberOfSamples: NotRequired[int]
    UseLogit: NotRequired[bool]
    Seed: NotRequired[int]
    TextConfig: NotRequired[ClarifyTextConfig]


class ClarifyTextConfig(TypedDict):
    Language: str
    Granularity: ClarifyTextGranularity


class ContainerDefinition(TypedDict):
    ContainerHostname: NotRequired[str]
    Image: NotRequired[str]
    ImageConfig: NotRequired[ImageConfig]
    Mode: NotRequired[ContainerMode]
    ModelDataUrl: NotRequired[str]
    ModelDataSource: NotRequired[ModelDataSource]
    AdditionalModelDataSources: NotRequired[list[AdditionalModelDataSource]]
    Environment: NotRequired[dict[str, str]]
    ModelPackageName: NotRequired[str]
    InferenceSpecificationName: NotRequired[str]
    MultiModelConfig: NotRequired[MultiModelConfig]
    ContainerMetricsConfig: NotRequired[ContainerMetricsConfig]


class ContainerMetricsConfig(TypedDict):
    MetricsEndpoints: NotRequired[list[MetricsEndpoint]]


class CreateEndpointConfigInput(TypedDict):
    EndpointConfigName: str
    ProductionVariants: list[ProductionVariant]
    DataCaptureConfig: NotRequired[DataCaptureConfig]
    Tags: NotRequired[list[Tag]]
    KmsKeyId: NotRequired[str]
    AsyncInferenceConfig: NotRequired[AsyncInferenceConfig]
    ExplainerConfig: NotRequired[ExplainerConfig]
    ShadowProductionVariants: NotRequired[list[ProductionVariant]]
    ExecutionRoleArn: NotRequired[str]
    VpcConfig: NotRequired[VpcConfig]
    EnableNetworkIsolation: NotRequired[bool]
    MetricsConfig: NotRequired[MetricsConfig]
    CrossRegionTrafficConfig: NotRequired[CrossRegionTrafficConfig]


class CreateEndpointConfigOutput(TypedDict):
    EndpointConfigArn: str


class CreateEndpointInput(TypedDict):
    EndpointName: str
    EndpointConfigName: str
    DeploymentConfig: NotRequired[DeploymentConfig]
    Tags: NotRequired[list[Tag]]


class CreateEndpointOutput(TypedDict):
    EndpointArn: str


class CreateModelInput(TypedDict):
    ModelName: str
    PrimaryContainer: NotRequired[ContainerDefinition]
    Containers: NotRequired[list[ContainerDefinition]]
    InferenceExecutionConfig: NotRequired[InferenceExecutionConfig]
    ExecutionRoleArn: NotRequired[str]
    Tags: NotRequired[list[Tag]]
    VpcConfig: NotRequired[VpcConfig]
    EnableNetworkIsolation: NotRequired[bool]


class CreateModelOutput(TypedDict):
    ModelArn: str


class CrossRegionTrafficConfig(TypedDict):
    MaxInvocationsPerSecondPerInstance: int
    MaxCrossRegionPercentPerEndpoint: int


class DataCaptureConfig(TypedDict):
    EnableCapture: NotRequired[bool]
    InitialSamplingPercentage: int
    DestinationS3Uri: str
    KmsKeyId: NotRequired[str]
    CaptureOptions: list[CaptureOption]
    CaptureContentTypeHeader: NotRequired[CaptureContentTypeHeader]


class DataCaptureConfigSummary(TypedDict):
    EnableCapture: bool
    CaptureStatus: CaptureStatus
    CurrentSamplingPercentage: int
    DestinationS3Uri: str
    KmsKeyId: str


class DeleteEndpointConfigInput(TypedDict):
    EndpointConfigName: str


class DeleteEndpointInput(TypedDict):
    EndpointName: str


class DeleteModelInput(TypedDict):
    ModelName: str


class DeleteTagsInput(TypedDict):
    ResourceArn: str
    TagKeys: list[str]


class DeleteTagsOutput(TypedDict):
    pass


class DeployedImage(TypedDict):
    SpecifiedImage: NotRequired[str]
    ResolvedImage: NotRequired[str]
    ResolutionTime: NotRequired[datetime]


class DeploymentConfig(TypedDict):
    BlueGreenUpdatePolicy: NotRequired[BlueGreenUpdatePolicy]
    RollingUpdatePolicy: NotRequired[RollingUpdatePolicy]
    AutoRollbackConfiguration: NotRequired[AutoRollbackConfig]


class DeploymentRecommendation(TypedDict):
    RecommendationStatus: RecommendationStatus
    RealTimeInferenceRecommendations: NotRequired[list[RealTimeInferenceRecommendation]]


class DescribeEndpointConfigInput(TypedDict):
    EndpointConfigName: str


class DescribeEndpointConfigOutput(TypedDict):
    EndpointConfigName: str
    EndpointConfigArn: str
    ProductionVariants: list[ProductionVariant]
    DataCaptureConfig: NotRequired[DataCaptureConfig]
    KmsKeyId: NotRequired[str]
    CreationTime: datetime
    AsyncInferenceConfig: NotRequired[AsyncInferenceConfig]
    ExplainerConfig: NotRequired[ExplainerConfig]
    ShadowProductionVariants: NotRequired[list[ProductionVariant]]
    ExecutionRoleArn: NotRequired[str]
    VpcConfig: NotRequired[VpcConfig]
    EnableNetworkIsolation: NotRequired[bool]
    MetricsConfig: NotRequired[MetricsConfig]
    CrossRegionTrafficConfig: NotRequired[CrossRegionTrafficConfig]


class DescribeEndpointInput(TypedDict):
    EndpointName: str


class DescribeEndpointOutput(TypedDict):
    EndpointName: str
    EndpointArn: str
    EndpointConfigName: NotRequired[str]
    ProductionVariants: NotRequired[list[ProductionVariantSummary]]
    DataCaptureConfig: NotRequired[DataCaptureConfigSummary]
    EndpointStatus: EndpointStatus
    FailureReason: NotRequired[str]
    CreationTime: datetime
    LastModifiedTime: datetime
    LastDeploymentConfig: NotRequired[DeploymentConfig]
    AsyncInferenceConfig: NotRequired[AsyncInferenceConfig]
    PendingDeploymentSummary: NotRequired[PendingDeploymentSummary]
    ExplainerConfig: NotRequired[ExplainerConfig]
    ShadowProductionVariants: NotRequired[list[ProductionVariantSummary]]
    MetricsConfig: NotRequired[MetricsConfig]
    CrossRegionTrafficConfig: NotRequired[CrossRegionTrafficConfig]


class DescribeModelInput(TypedDict):
    ModelName: str


class DescribeModelOutput(TypedDict):
    ModelName: str
    PrimaryContainer: NotRequired[ContainerDefinition]
    Containers: NotRequired[list[ContainerDefinition]]
    InferenceExecutionConfig: NotRequired[InferenceExecutionConfig]
    ExecutionRoleArn: NotRequired[str]
    VpcConfig: NotRequired[VpcConfig]
    CreationTime: datetime
    ModelArn: str
    EnableNetworkIsolation: NotRequired[bool]
    DeploymentRecommendation: NotRequired[DeploymentRecommendation]


class DesiredWeightAndCapacity(TypedDict):
    VariantName: str
    DesiredWeight: NotRequired[float]
    DesiredInstanceCount: NotRequired[int]
    ServerlessUpdateConfig: NotRequired[ProductionVariantServerlessUpdateConfig]


class Ec2CapacityReservation(TypedDict):
    Ec2CapacityReservationId: NotRequired[str]
    TotalInstanceCount: NotRequired[int]
    AvailableInstanceCount: NotRequired[int]
    UsedByCurrentEndpoint: NotRequired[int]


class EndpointConfigSummary(TypedDict):
    EndpointConfigName: str
    EndpointConfigArn: str
    CreationTime: datetime


class EndpointSummary(TypedDict):
    EndpointName: str
    EndpointArn: str
    CreationTime: datetime
    LastModifiedTime: datetime
    EndpointStatus: EndpointStatus


class ExplainerConfig(TypedDict):
    ClarifyExplainerConfig: NotRequired[ClarifyExplainerConfig]


class ImageConfig(TypedDict):
    RepositoryAccessMode: RepositoryAccessMode
    RepositoryAuthConfig: NotRequired[RepositoryAuthConfig]


class InferenceExecutionConfig(TypedDict):
    Mode: InferenceExecutionMode


class InferenceHubAccessConfig(TypedDict):
    HubContentArn: str


class InstancePool(TypedDict):
    InstanceType: str
    ModelNameOverride: NotRequired[str]
    Priority: int


class InstancePoolSummary(TypedDict):
    InstanceType: str
    CurrentInstanceCount: int


class ListEndpointConfigsInput(TypedDict):
    SortBy: NotRequired[EndpointConfigSortKey]
    SortOrder: NotRequired[OrderKey]
    NextToken: NotRequired[str]
    MaxResults: NotRequired[int]
    NameContains: NotRequired[str]
    CreationTimeBefore: NotRequired[datetime]
    CreationTimeAfter: NotRequired[datetime]


class ListEndpointConfigsOutput(TypedDict):
    EndpointConfigs: list[EndpointConfigSummary]
    NextToken: NotRequired[str]


class ListEndpointsInput(TypedDict):
    SortBy: NotRequired[EndpointSortKey]
    SortOrder: NotRequired[OrderKey]
    NextToken: NotRequired[str]
    MaxResults: NotRequired[int]
    NameContains: NotRequired[str]
    CreationTimeBefore: NotRequired[datetime]
    CreationTimeAfter: NotRequired[datetime]
    LastModifiedTimeBefore: NotRequired[datetime]
    LastModifiedTimeAfter: NotRequired[datetime]
    StatusEquals: NotRequired[EndpointStatus]


class ListEndpointsOutput(TypedDict):
    Endpoints: list[EndpointSummary]
    NextToken: NotRequired[str]


class ListModelsInput(TypedDict):
    SortBy: NotRequired[ModelSortKey]
    SortOrder: NotRequired[OrderKey]
    NextToken: NotRequired[str]
    MaxResults: NotRequired[int]
    NameContains: NotRequired[str]
    CreationTimeBefore: NotRequired[datetime]
    CreationTimeAfter: NotRequired[datetime]


class ListModelsOutput(TypedDict):
    Models: list[ModelSummary]
    NextToken: NotRequired[str]


class ListTagsInput(TypedDict):
    ResourceArn: str
    NextToken: NotRequired[str]
    MaxResults: NotRequired[int]


class ListTagsOutput(TypedDict):
    Tags: NotRequired[list[Tag]]
    NextToken: NotRequired[str]


class MetricsConfig(TypedDict):
    EnableEnhancedMetrics: NotRequired[bool]
    EnableDetailedObservability: NotRequired[bool]
    MetricPublishFrequencyInSeconds: NotRequired[int]


class MetricsEndpoint(TypedDict):
    MetricsEndpointPath: str
    MetricPublishFrequencyInSeconds: NotRequired[int]


class ModelAccessConfig(TypedDict):
    AcceptEula: bool


class ModelDataSource(TypedDict):
    S3DataSource: NotRequired[S3ModelDataSource]


class ModelSummary(TypedDict):
    ModelName: str
    ModelArn: str
    CreationTime: datetime


class MultiModelConfig(TypedDict):
    ModelCacheSetting: NotRequired[ModelCacheSetting]


class PendingDeploymentSummary(TypedDict):
    EndpointConfigName: str
    ProductionVariants: NotRequired[list[PendingProductionVariantSummary]]
    StartTime: NotRequired[datetime]
    ShadowProductionVariants: NotRequired[list[PendingProductionVariantSummary]]


class PendingProductionVariantSummary(TypedDict):
    VariantName: str
    DeployedImages: NotRequired[list[DeployedImage]]
    CurrentWeight: NotRequired[float]
    DesiredWeight: NotRequired[float]
    CurrentInstanceCount: NotRequired[int]
    DesiredInstanceCount: NotRequired[int]
    InstanceType: NotRequired[str]
    InstancePools: NotRequired[list[InstancePoolSummary]]
    AcceleratorType: NotRequired[ProductionVariantAcceleratorType]
    VariantStatus: NotRequired[list[ProductionVariantStatus]]
    CurrentServerlessConfig: NotRequired[ProductionVariantServerlessConfig]
    DesiredServerlessConfig: NotRequired[ProductionVariantServerlessConfig]
    ManagedInstanceScaling: NotRequired[ProductionVariantManagedInstanceScaling]
    RoutingConfig: NotRequired[ProductionVariantRoutingConfig]
    AcceleratorPartitionLayouts: NotRequired[list[AcceleratorPartitionLayout]]


class PrefixAwareRoutingConfig(TypedDict):
    PrefixLength: NotRequired[int]
    ConcurrencyThreshold: NotRequired[int]


class ProductionVariant(TypedDict):
    VariantName: str
    ModelName: NotRequired[str]
    InitialInstanceCount: NotRequired[int]
    InstanceType: NotRequired[str]
    InstancePools: NotRequired[list[InstancePool]]
    VariantInstanceProvisionTimeoutInSeconds: NotRequired[int]
    InitialVariantWeight: NotRequired[float]
    AcceleratorType: NotRequired[ProductionVariantAcceleratorType]
    CoreDumpConfig: NotRequired[ProductionVariantCoreDumpConfig]
    ServerlessConfig: NotRequired[ProductionVariantServerlessConfig]
    VolumeSizeInGB: NotRequired[int]
    ModelDataDownloadTimeoutInSeconds: NotRequired[int]
    ContainerStartupHealthCheckTimeoutInSeconds: NotRequired[int]
    EnableSSMAccess: NotRequired[bool]
    ManagedInstanceScaling: NotRequired[ProductionVariantManagedInstanceScaling]
    RoutingConfig: NotRequired[ProductionVariantRoutingConfig]
    InferenceAmiVersion: NotRequired[ProductionVariantInferenceAmiVersion]
    CapacityReservationConfig: NotRequired[ProductionVariantCapacityReservationConfig]
    AcceleratorPartitionLayouts: NotRequired[list[AcceleratorPartitionLayout]]


class ProductionVariantCapacityReservationConfig(TypedDict):
    CapacityReservationPreference: NotRequired[CapacityReservationPreference]
    MlReservationArn: NotRequired[str]


class ProductionVariantCapacityReservationSummary(TypedDict):
    MlReservationArn: NotRequired[str]
    CapacityReservationPreference: NotRequired[CapacityReservationPreference]
    TotalInstanceCount: NotRequired[int]
    AvailableInstanceCount: NotRequired[int]
    UsedByCurrentEndpoint: NotRequired[int]
    Ec2CapacityReservations: NotRequired[list[Ec2CapacityReservation]]


class ProductionVariantCoreDumpConfig(TypedDict):
    DestinationS3Uri: str
    KmsKeyId: NotRequired[str]


class ProductionVariantManagedInstanceScaling(TypedDict):
    Status: NotRequired[ManagedInstanceScalingStatus]
    MinInstanceCount: NotRequired[int]
    MaxInstanceCount: NotRequired[int]
    ScaleInPolicy: NotRequired[ProductionVariantManagedInstanceScalingScaleInPolicy]


class ProductionVariantManagedInstanceScalingScaleInPolicy(TypedDict):
    Strategy: ManagedInstanceScalingScaleInStrategy
    MaximumStepSize: NotRequired[int]
    CooldownInMinutes: NotRequired[int]


class ProductionVariantRoutingConfig(TypedDict):
    RoutingStrategy: RoutingStrategy
    PrefixAwareRoutingConfig: NotRequired[PrefixAwareRoutingConfig]


class ProductionVariantServerlessConfig(TypedDict):
    MemorySizeInMB: int
    MaxConcurrency: int
    ProvisionedConcurrency: NotRequired[int]


class ProductionVariantServerlessUpdateConfig(TypedDict):
    MaxConcurrency: NotRequired[int]
    ProvisionedConcurrency: NotRequired[int]


class ProductionVariantStatus(TypedDict):
    Status: VariantStatus
    StatusMessage: NotRequired[str]
    StartTime: NotRequired[datetime]


class ProductionVariantSummary(TypedDict):
    VariantName: str
    DeployedImages: NotRequired[list[DeployedImage]]
    CurrentWeight: NotRequired[float]
    DesiredWeight: NotRequired[float]
    CurrentInstanceCount: NotRequired[int]
    DesiredInstanceCount: NotRequired[int]
    InstancePools: NotRequired[list[InstancePoolSummary]]
    VariantStatus: NotRequired[list[ProductionVariantStatus]]
    CurrentServerlessConfig: NotRequired[ProductionVariantServerlessConfig]
    DesiredServerlessConfig: NotRequired[ProductionVariantServerlessConfig]
    ManagedInstanceScaling: NotRequired[ProductionVariantManagedInstanceScaling]
    RoutingConfig: NotRequired[ProductionVariantRoutingConfig]
    CapacityReservationConfig: NotRequired[ProductionVariantCapacityReservationSummary]
    AcceleratorPartitionLayouts: NotRequired[list[AcceleratorPartitionLayout]]


class RealTimeInferenceRecommendation(TypedDict):
    RecommendationId: str
    InstanceType: str
    Environment: NotRequired[dict[str, str]]


class RepositoryAuthConfig(TypedDict):
    RepositoryCredentialsProviderArn: str


class RollingUpdatePolicy(TypedDict):
    MaximumBatchSize: CapacitySize
    WaitIntervalInSeconds: int
    MaximumExecutionTimeoutInSeconds: NotRequired[int]
    RollbackMaximumBatchSize: NotRequired[CapacitySize]


class S3ModelDataSource(TypedDict):
    S3Uri: str
    S3DataType: S3ModelDataType
    CompressionType: ModelCompressionType
    ModelAccessConfig: NotRequired[ModelAccessConfig]
    HubAccessConfig: NotRequired[InferenceHubAccessConfig]
    ManifestS3Uri: NotRequired[str]
    ETag: NotRequired[str]
    ManifestEtag: NotRequired[str]


class Tag(TypedDict):
    Key: str
    Value: str


class TrafficRoutingConfig(TypedDict):
    Type: TrafficRoutingConfigType
    WaitIntervalInSeconds: int
    CanarySize: NotRequired[CapacitySize]
    LinearStepSize: NotRequired[CapacitySize]


class UpdateEndpointInput(TypedDict):
    EndpointName: str
    EndpointConfigName: str
    RetainAllVariantProperties: NotRequired[bool]
    ExcludeRetainedVariantProperties: NotRequired[list[VariantProperty]]
    DeploymentConfig: NotRequired[DeploymentConfig]
    RetainDeploymentConfig: NotRequired[bool]


class UpdateEndpointOutput(TypedDict):
    EndpointArn: str


class UpdateEndpointWeightsAndCapacitiesInput(TypedDict):
    EndpointName: str
    DesiredWeightsAndCapacities: list[DesiredWeightAndCapacity]


class UpdateEndpointWeightsAndCapacitiesOutput(TypedDict):
    EndpointArn: str


class VariantProperty(TypedDict):
    VariantPropertyType: VariantPropertyType


class VpcConfig(TypedDict):
    SecurityGroupIds: list[str]
    Subnets: list[str]
