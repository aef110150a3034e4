"""CreateEndpointConfig and its kin."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.testing.sagemaker_world import SageMakerWorld, arn, variant


async def test_a_config_is_described_as_it_was_created(world: SageMakerWorld) -> None:
    members = {
        "KmsKeyId": "key",
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/sagemaker",
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "DataCaptureConfig": {
            "EnableCapture": False,
            "InitialSamplingPercentage": 1,
            "DestinationS3Uri": "s3://b/p",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
        "MetricsConfig": {"EnableEnhancedMetrics": False, "MetricPublishFrequencyInSeconds": 60},
    }
    variants = [
        variant(
            "A",
            InitialVariantWeight=0.25,
            VolumeSizeInGB=10,
            ModelDataDownloadTimeoutInSeconds=60,
            ContainerStartupHealthCheckTimeoutInSeconds=60,
            EnableSSMAccess=False,
            RoutingConfig={"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
            InferenceAmiVersion="al2-ami-sagemaker-inference-gpu-2",
        ),
        variant("B"),
    ]
    assert {"EndpointConfigArn": arn("endpoint-config", "mine")} == await world.create_config(
        "Mine", *variants, **members
    )
    described = await world.call("DescribeEndpointConfig", EndpointConfigName="mine")
    assert {
        "EndpointConfigName": "Mine",
        "EndpointConfigArn": arn("endpoint-config", "mine"),
        "ProductionVariants": [variants[0], variants[1] | {"InitialVariantWeight": 1.0}],
        "CreationTime": described["CreationTime"],
        **members,
    } == described


async def test_names_and_deleting(world: SageMakerWorld) -> None:
    await world.create_config("config")
    config_arn = arn("endpoint-config", "config")
    taken = f'Cannot create already existing endpoint configuration "{config_arn}".'
    assert taken == await world.refusal(
        "CreateEndpointConfig", EndpointConfigName="Config", ProductionVariants=[variant()]
    )
    await world.call("DeleteEndpointConfig", EndpointConfigName="CONFIG")
    missing = f'Could not find endpoint configuration "{config_arn}".'
    assert missing == await world.refusal("DescribeEndpointConfig", EndpointConfigName="config")
    assert missing == await world.refusal("DeleteEndpointConfig", EndpointConfigName="config")


def without(member: str) -> dict[str, Any]:
    return {key: value for key, value in variant().items() if key != member}


SERVERLESS = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
CAPTURE = {"InitialSamplingPercentage": 1, "DestinationS3Uri": "s3://b/p", "CaptureOptions": []}

REFUSED: list[tuple[list[dict[str, Any]], dict[str, Any], str]] = [
    (
        [variant("A"), variant("A")],
        {},
        "Variant names must be unique within an endpoint configuration, and 'A' is not.",
    ),
    (
        [variant("A")],
        {"ShadowProductionVariants": [variant("A")]},
        "Variant names must be unique within an endpoint configuration, and 'A' is not.",
    ),
    ([variant(ModelName="Gone")], {}, f'Could not find model "{arn("model", "gone")}".'),
    ([without("InstanceType")], {}, "Variant 'AllTraffic' needs InstanceType, unless it has a ServerlessConfig."),
    (
        [without("InitialInstanceCount")],
        {},
        "Variant 'AllTraffic' needs InitialInstanceCount, unless it has a ServerlessConfig.",
    ),
    (
        [variant(ServerlessConfig=SERVERLESS)],
        {},
        "Variant 'AllTraffic' cannot have both ServerlessConfig and InstanceType.",
    ),
    (
        [variant(InstancePools=[{}])],
        {},
        "Variant 'AllTraffic' cannot have both InstancePools and InstanceType.",
    ),
    ([variant(InitialVariantWeight=0)], {}, "At least one variant must have a weight greater than 0."),
    ([variant(InitialVariantWeight=float("inf"))], {}, "The weight of a variant must not exceed 3.40282e+38."),
    ([variant(InitialVariantWeight=1e308)], {}, "The weight of a variant must not exceed 3.40282e+38."),
    (
        [variant("A"), variant("B")],
        {"ShadowProductionVariants": [variant("S")]},
        (
            "An endpoint configuration with ShadowProductionVariants must have exactly one production variant and one "
            "shadow variant."
        ),
    ),
    (
        [{"VariantName": "A", "ModelName": "iris", "ServerlessConfig": SERVERLESS}, variant("B")],
        {},
        "An endpoint configuration with a serverless variant must have exactly one variant.",
    ),
    (
        [{"VariantName": "A", "ModelName": "iris", "ServerlessConfig": {**SERVERLESS, "MemorySizeInMB": 1500}}],
        {},
        "MemorySizeInMB of variant 'A' must be a multiple of 1024, which 1500 is not.",
    ),
    (
        [{"VariantName": "A", "ModelName": "iris", "ServerlessConfig": {**SERVERLESS, "ProvisionedConcurrency": 200}}],
        {},
        "ProvisionedConcurrency 200 of variant 'A' must be less than or equal to its MaxConcurrency 1.",
    ),
    (
        [variant("A"), variant("B", EnableSSMAccess=True)],
        {},
        "Moorage does not support ProductionVariants.2.member.EnableSSMAccess yet.",
    ),
    (
        [variant(ManagedInstanceScaling={"MinInstanceCount": 1})],
        {},
        "Moorage does not support ProductionVariants.1.member.ManagedInstanceScaling yet.",
    ),
    (
        [variant(RoutingConfig={"RoutingStrategy": "KV_AWARE"})],
        {},
        "Moorage does not support ProductionVariants.1.member.RoutingConfig.RoutingStrategy KV_AWARE yet.",
    ),
    (
        [without("ModelName")],
        {},
        (
            "Moorage does not support ProductionVariants.1.member without ModelName (an endpoint for inference "
            "components) yet."
        ),
    ),
    (
        [variant("A")],
        {"ShadowProductionVariants": [variant("S")]},
        "Moorage does not support ShadowProductionVariants yet.",
    ),
    ([variant()], {"DataCaptureConfig": CAPTURE}, "Moorage does not support DataCaptureConfig with EnableCapture yet."),
    (
        [variant()],
        {"AsyncInferenceConfig": {"OutputConfig": {}}},
        "Moorage does not support AsyncInferenceConfig yet.",
    ),
    ([variant()], {"ExplainerConfig": {"ClarifyExplainerConfig": {}}}, "Moorage does not support ExplainerConfig yet."),
    ([variant()], {"EnableNetworkIsolation": True}, "Moorage does not support EnableNetworkIsolation yet."),
    (
        [variant()],
        {"MetricsConfig": {"EnableEnhancedMetrics": True}},
        "Moorage does not support MetricsConfig.EnableEnhancedMetrics yet.",
    ),
    (
        [variant()],
        {"Tags": [{"Key": "a", "Value": ""}, {"Key": "a", "Value": ""}]},
        "Tag keys must be unique, and 'a' is given more than once.",
    ),
    (
        [variant()],
        {"Tags": [{"Key": str(number), "Value": ""} for number in range(51)]},
        "A resource can have 50 tags at most; this one would have 51.",
    ),
]


@pytest.mark.parametrize(("variants", "members", "message"), REFUSED, ids=[message[:70] for *_, message in REFUSED])
async def test_refused(
    world: SageMakerWorld, variants: list[dict[str, Any]], members: dict[str, Any], message: str
) -> None:
    request = {"EndpointConfigName": "new", "ProductionVariants": variants, **members}
    assert message == await world.refusal("CreateEndpointConfig", **request)
    assert {"EndpointConfigs": []} == await world.call("ListEndpointConfigs")
