"""Serverless variants: what is accepted of them, what an endpoint is made of, and what is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from moorage.core import endpoint as changes
from moorage.core.model import EndpointStatus, Serverless, Variant
from moorage.testing.sagemaker_world import IMAGE, SageMakerWorld, variant

pytestmark = pytest.mark.looptime

SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


def serverless(**members: Any) -> dict[str, Any]:
    """A production variant without instances."""
    config = SERVERLESS | members.pop("config", {})
    return {"VariantName": "AllTraffic", "ModelName": "iris", "ServerlessConfig": config} | members


@pytest.fixture
async def hosted(world: SageMakerWorld) -> SageMakerWorld:
    """With a serverless endpoint in service."""
    await world.create_config("config", serverless())
    await world.create_endpoint()
    await world.settle()
    return world


async def target_of(world: SageMakerWorld) -> Variant:
    target = (await world.endpoint()).target
    assert target is not None
    [found] = target.variants
    return found


async def change(world: SageMakerWorld, **members: Any) -> Any:
    wanted = [{"VariantName": "AllTraffic", **members}]
    return await world.call(
        "UpdateEndpointWeightsAndCapacities", EndpointName="iris", DesiredWeightsAndCapacities=wanted
    )


async def change_refused(world: SageMakerWorld, **members: Any) -> str:
    wanted = [{"VariantName": "AllTraffic", **members}]
    return await world.refusal(
        "UpdateEndpointWeightsAndCapacities", EndpointName="iris", DesiredWeightsAndCapacities=wanted
    )


async def test_a_serverless_endpoint_begins_with_an_instance_that_shows_that_the_model_loads(
    world: SageMakerWorld,
) -> None:
    await world.create_config("config", serverless(config={"ProvisionedConcurrency": 2}))
    await world.create_endpoint()
    found = await target_of(world)
    assert (1, Serverless(2048, 5, 2)) == (found.desired_count, found.serverless)


@pytest.mark.parametrize(
    ("memory_mb", "instance_type"), [(1024, "ml.t2.medium"), (4096, "ml.t2.medium"), (6144, "ml.m5.large")]
)
async def test_its_instance_counts_as_one_with_the_memory(
    world: SageMakerWorld, memory_mb: int, instance_type: str
) -> None:
    await world.create_config("config", serverless(config={"MemorySizeInMB": memory_mb}))
    await world.create_endpoint()
    assert instance_type == (await target_of(world)).instance_type


@pytest.mark.parametrize(("said", "expected"), [({}, 180.0), ({"s": 60}, 60.0), ({"s": 600}, 180.0)])
async def test_its_container_has_three_minutes_to_start_at_most(
    world: SageMakerWorld, said: dict[str, int], expected: float
) -> None:
    members = {"ContainerStartupHealthCheckTimeoutInSeconds": said["s"]} if said else {}
    await world.create_config("config", serverless(**members))
    await world.create_endpoint()
    assert expected == (await target_of(world)).startup_timeout_s


MODELS: list[tuple[dict[str, Any], str]] = [
    (
        {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "s3://models/many/", "Mode": "MultiModel"}},
        "Variant 'AllTraffic' is serverless, and its model cannot have Mode MultiModel.",
    ),
    (
        {"Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://models/iris.tar.gz"}] * 2},
        "Variant 'AllTraffic' is serverless, and its model cannot have several containers.",
    ),
    (
        {
            "PrimaryContainer": {
                "Image": IMAGE,
                "ModelDataSource": {
                    "S3DataSource": {
                        "S3Uri": "s3://models/many/",
                        "S3DataType": "S3Prefix",
                        "CompressionType": "None",
                    }
                },
            }
        },
        "Variant 'AllTraffic' is serverless, and its model data must be one archive (CompressionType Gzip).",
    ),
]


@pytest.mark.parametrize(("members", "message"), MODELS, ids=["many models", "pipeline", "prefix"])
async def test_not_every_model_can_be_served_without_instances(
    world: SageMakerWorld, members: dict[str, Any], message: str
) -> None:
    world.readable |= {"s3://models/many/"}
    request = {"ModelName": "odd", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/sagemaker", **members}
    await world.call("CreateModel", **request)
    await world.create_config("config", serverless(ModelName="odd"))
    assert message == await world.refusal("CreateEndpoint", EndpointName="iris", EndpointConfigName="config")


async def test_it_is_described_by_its_concurrency_and_not_by_instances(hosted: SageMakerWorld) -> None:
    hosted.ready = {"AllTraffic": 1}
    await change(hosted, ServerlessUpdateConfig={"MaxConcurrency": 8, "ProvisionedConcurrency": 3})
    [shown] = (await hosted.call("DescribeEndpoint", EndpointName="iris"))["ProductionVariants"]
    assert SERVERLESS == shown["CurrentServerlessConfig"]
    wanted = {"MemorySizeInMB": 2048, "MaxConcurrency": 8, "ProvisionedConcurrency": 3}
    assert wanted == shown["DesiredServerlessConfig"]
    assert not {"CurrentInstanceCount", "DesiredInstanceCount"} & shown.keys()


async def test_a_deployment_under_way_is_described_the_same_way(world: SageMakerWorld) -> None:
    await world.create_config("config", serverless())
    await world.create_endpoint()
    described = await world.call("DescribeEndpoint", EndpointName="iris")
    [pending] = described["PendingDeploymentSummary"]["ProductionVariants"]
    assert SERVERLESS == pending["DesiredServerlessConfig"]
    assert not {"CurrentInstanceCount", "DesiredInstanceCount", "InstanceType"} & pending.keys()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"DesiredInstanceCount": 1}, "Variant 'AllTraffic' is serverless and cannot have a DesiredInstanceCount."),
        (
            {"ServerlessUpdateConfig": {"MaxConcurrency": 1, "ProvisionedConcurrency": 2}},
            "ProvisionedConcurrency 2 of variant 'AllTraffic' must be less than or equal to its MaxConcurrency 1.",
        ),
    ],
)
async def test_what_it_cannot_be_changed_to(hosted: SageMakerWorld, members: dict[str, Any], message: str) -> None:
    assert message == await change_refused(hosted, **members)
    assert EndpointStatus.IN_SERVICE is (await hosted.endpoint()).status


async def test_asleep_it_is_updated_by_a_fleet_that_is_awake(hosted: SageMakerWorld) -> None:
    endpoint = await hosted.endpoint()
    await hosted.save(changes.sleep(endpoint, "AllTraffic"))
    await hosted.call(
        "UpdateEndpoint", EndpointName="iris", EndpointConfigName="config", RetainAllVariantProperties=True
    )
    assert 1 == (await target_of(hosted)).desired_count


async def test_a_plain_variant_may_be_at_zero_and_keeps_that_if_told_to(world: SageMakerWorld) -> None:
    await world.create_config("config", variant())
    await world.create_endpoint()
    await world.settle()
    await change(world, DesiredInstanceCount=0)
    assert 0 == (await target_of(world)).desired_count
    endpoint = await world.endpoint()
    await world.save(replace(endpoint, status=EndpointStatus.IN_SERVICE, serving=endpoint.target, target=None))
    await world.call(
        "UpdateEndpoint", EndpointName="iris", EndpointConfigName="config", RetainAllVariantProperties=True
    )
    assert 0 == (await target_of(world)).desired_count
