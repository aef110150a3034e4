"""DescribeEndpoint: what it shows in each state, and when it holds its answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from moorage.core.model import EndpointStatus
from moorage.testing.sagemaker_world import IMAGE, SageMakerWorld, arn, variant

pytestmark = pytest.mark.looptime


async def describe(world: SageMakerWorld, name: str = "iris") -> Any:
    return await world.call("DescribeEndpoint", EndpointName=name)


async def elapsed(world: SageMakerWorld, name: str = "iris") -> tuple[str, float]:
    """The status described and how long the answer took."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    described = await describe(world, name)
    return described["EndpointStatus"], round(loop.time() - start, 3)


async def test_in_service(world: SageMakerWorld) -> None:
    routing = {"RoutingStrategy": "RANDOM"}
    metrics = {"MetricPublishFrequencyInSeconds": 60}
    await world.create_config("config", variant("A", InitialInstanceCount=2), variant("B", RoutingConfig=routing))
    await world.create_config("metrics", variant(), MetricsConfig=metrics)
    await world.create_endpoint("Iris")
    await world.settle()
    world.ready = {"A": 1, "B": 1}
    endpoint = await world.endpoint()
    assert endpoint.serving is not None
    image = {"SpecifiedImage": IMAGE, "ResolvedImage": IMAGE, "ResolutionTime": endpoint.serving.created_at}
    shown: dict[str, Any] = {"DeployedImages": [image], "CurrentWeight": 1.0, "DesiredWeight": 1.0}
    assert {
        "EndpointName": "Iris",
        "EndpointArn": arn("endpoint", "iris"),
        "EndpointConfigName": "config",
        "EndpointStatus": "InService",
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.modified_at,
        "ProductionVariants": [
            {"VariantName": "A", **shown, "CurrentInstanceCount": 1, "DesiredInstanceCount": 2},
            {
                "VariantName": "B",
                **shown,
                "CurrentInstanceCount": 1,
                "DesiredInstanceCount": 1,
                "RoutingConfig": routing,
            },
        ],
    } == await describe(world)
    await world.create_endpoint("other", EndpointConfigName="metrics")
    await world.settle("other")
    assert metrics == (await describe(world, "other"))["MetricsConfig"]


async def test_what_only_the_config_knew_goes_with_it(deployed: SageMakerWorld) -> None:
    await deployed.call("DeleteEndpointConfig", EndpointConfigName="config")
    described = await describe(deployed)
    assert "config" == described["EndpointConfigName"]
    assert ["AllTraffic"] == [variant["VariantName"] for variant in described["ProductionVariants"]]


async def test_creating(world: SageMakerWorld) -> None:
    await world.create_config("config", variant(InitialInstanceCount=2))
    await world.create_endpoint()
    world.ready = {"AllTraffic": 1}
    described = await describe(world)
    assert "ProductionVariants" not in described
    pending = described["PendingDeploymentSummary"]
    assert ("config", described["CreationTime"]) == (pending["EndpointConfigName"], pending["StartTime"])
    [shown] = pending["ProductionVariants"]
    assert (0.0, 1.0, 1, 2, "ml.m5.large") == (
        shown["CurrentWeight"],
        shown["DesiredWeight"],
        shown["CurrentInstanceCount"],
        shown["DesiredInstanceCount"],
        shown["InstanceType"],
    )
    assert [{"Status": "Creating", "StartTime": described["CreationTime"]}] == shown["VariantStatus"]


async def test_updating_to_another_config(deployed: SageMakerWorld) -> None:
    await deployed.create_config("second", variant("New"))
    await deployed.call("UpdateEndpoint", EndpointName="iris", EndpointConfigName="second")
    described = await describe(deployed)
    assert "config" == described["EndpointConfigName"]
    assert "second" == described["PendingDeploymentSummary"]["EndpointConfigName"]
    [old], [new] = described["ProductionVariants"], described["PendingDeploymentSummary"]["ProductionVariants"]
    assert ("AllTraffic", "New") == (old["VariantName"], new["VariantName"])
    assert ["Updating"] == [status["Status"] for status in old["VariantStatus"]]
    await deployed.settle()
    described = await describe(deployed)
    assert "second" == described["EndpointConfigName"]
    assert "PendingDeploymentSummary" not in described


@pytest.mark.parametrize(("count", "direction"), [(3, "out"), (1, "in")])
async def test_scaling(world: SageMakerWorld, count: int, direction: str) -> None:
    await world.create_config("config", variant(InitialInstanceCount=2))
    await world.create_endpoint()
    await world.settle()
    change = {"VariantName": "AllTraffic", "DesiredInstanceCount": count, "DesiredWeight": 0.5}
    await world.call("UpdateEndpointWeightsAndCapacities", EndpointName="iris", DesiredWeightsAndCapacities=[change])
    world.ready = {"AllTraffic": 2}
    described = await describe(world)
    assert "PendingDeploymentSummary" not in described
    [shown] = described["ProductionVariants"]
    assert (1.0, 0.5, 2, count) == (
        shown["CurrentWeight"],
        shown["DesiredWeight"],
        shown["CurrentInstanceCount"],
        shown["DesiredInstanceCount"],
    )
    message = f"Scaling {direction} desired instance count to {count}."
    assert [message] == [status["StatusMessage"] for status in shown["VariantStatus"]]


async def test_failed(world: SageMakerWorld) -> None:
    await world.create_config()
    await world.create_endpoint()
    reason = "The primary container for production variant AllTraffic did not pass the ping health check."
    await world.save(replace(await world.endpoint(), status=EndpointStatus.FAILED, failure_reason=reason))
    described = await describe(world)
    assert ("Failed", reason) == (described["EndpointStatus"], described["FailureReason"])
    assert ["AllTraffic"] == [variant["VariantName"] for variant in described["ProductionVariants"]]
    assert "PendingDeploymentSummary" not in described


async def test_the_first_look_is_held_until_the_launch_is_over(world: SageMakerWorld) -> None:
    await world.create_config()
    await world.create_endpoint("Iris")
    look = asyncio.ensure_future(elapsed(world, "iris"))
    await asyncio.sleep(0.25)
    await world.save(replace(await world.endpoint(), failure_reason="a step on the way"))
    await asyncio.sleep(0.25)
    await world.settle()
    assert ("InService", 0.5) == await look


async def test_an_update_and_a_deletion_are_waited_for_too(deployed: SageMakerWorld) -> None:
    await deployed.call("UpdateEndpoint", EndpointName="iris", EndpointConfigName="config")
    look = asyncio.ensure_future(elapsed(deployed))
    await asyncio.sleep(1)
    await deployed.settle()
    assert ("InService", 1.0) == await look
    await deployed.call("DeleteEndpoint", EndpointName="iris")
    refusal = asyncio.ensure_future(deployed.refusal("DescribeEndpoint", EndpointName="Iris"))
    await asyncio.sleep(1)
    await deployed.forget()
    assert f'Could not find endpoint "{arn("endpoint", "iris")}".' == await refusal


async def test_the_hold_ends_after_five_seconds(world: SageMakerWorld) -> None:
    await world.create_config()
    await world.create_endpoint()
    assert ("Creating", 5.0) == await elapsed(world)


async def test_an_old_operation_is_not_waited_for(world: SageMakerWorld) -> None:
    await world.create_config()
    await world.create_endpoint()
    await asyncio.sleep(8)
    assert ("Creating", 5.0) == await elapsed(world)
    assert ("Creating", 0.0) == await elapsed(world)
