"""What changes an endpoint: what is saved, who is woken, what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from moorage.aws.errors import ServiceError
from moorage.core.model import EndpointKey, EndpointStatus, ModelData, RoutingStrategy
from moorage.testing.sagemaker_world import DATA, IMAGE, ROLE, SageMakerWorld, arn, variant

ENDPOINT = arn("endpoint", "iris")
ALL_AT_ONCE = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
IN_PROGRESS = f'Cannot update in-progress endpoint "{ENDPOINT}".'


async def test_creating_freezes_the_models_and_wakes_the_loop(world: SageMakerWorld) -> None:
    variants = [
        variant("A", InitialInstanceCount=2, ModelDataDownloadTimeoutInSeconds=60),
        variant("B", InitialVariantWeight=0.5, ContainerStartupHealthCheckTimeoutInSeconds=90),
    ]
    await world.create_config("config", *variants)
    assert {"EndpointArn": ENDPOINT} == await world.create_endpoint("Iris", Tags=[{"Key": "a", "Value": "b"}])
    assert [EndpointKey("us-east-1", "Iris")] == world.woken
    await world.call("DeleteModel", ModelName="iris")
    endpoint = await world.endpoint()
    assert EndpointStatus.CREATING == endpoint.status
    assert endpoint.target is not None
    first, second = endpoint.target.variants
    assert (2, 1.0, 60.0, 480.0) == (
        first.desired_count,
        first.desired_weight,
        first.download_timeout_s,
        first.startup_timeout_s,
    )
    assert (1, 0.5, 3600.0, 90.0) == (
        second.desired_count,
        second.desired_weight,
        second.download_timeout_s,
        second.startup_timeout_s,
    )
    assert (IMAGE, ModelData(DATA), {"A": "1"}) == (
        first.containers[0].image,
        first.containers[0].model_data,
        first.containers[0].environment,
    )
    assert ROLE == first.execution_role_arn
    assert {"Tags": [{"Key": "a", "Value": "b"}]} == await world.call("ListTags", ResourceArn=ENDPOINT)


async def test_creating_is_refused(deployed: SageMakerWorld) -> None:
    taken = f'Cannot create already existing endpoint "{ENDPOINT}".'
    assert taken == await deployed.refusal("CreateEndpoint", EndpointName="IRIS", EndpointConfigName="config")
    missing = f'Could not find endpoint configuration "{arn("endpoint-config", "gone")}".'
    assert missing == await deployed.refusal("CreateEndpoint", EndpointName="new", EndpointConfigName="Gone")
    await deployed.call("DeleteModel", ModelName="iris")
    missing = f'Could not find model "{arn("model", "iris")}".'
    assert missing == await deployed.refusal("CreateEndpoint", EndpointName="new", EndpointConfigName="config")
    assert [] == deployed.woken


async def test_how_an_instance_is_chosen_is_what_the_config_says(world: SageMakerWorld) -> None:
    routings = [{"RoutingConfig": {"RoutingStrategy": strategy.value}} for strategy in RoutingStrategy]
    await world.create_config("config", variant("A"), variant("B", **routings[0]), variant("C", **routings[1]))
    await world.create_endpoint()
    fleet = (await world.endpoint()).target
    assert fleet is not None
    least, random = RoutingStrategy.LEAST_OUTSTANDING_REQUESTS, RoutingStrategy.RANDOM
    assert [least, random, least] == [each.routing_strategy for each in fleet.variants]


async def test_a_refused_endpoint_leaves_no_tags(world: SageMakerWorld) -> None:
    await world.create_config()
    await world.create_endpoint(Tags=[{"Key": "first", "Value": ""}])
    tags = [{"Key": "second", "Value": ""}]
    await world.refusal("CreateEndpoint", EndpointName="iris", EndpointConfigName="config", Tags=tags)
    assert {"Tags": [{"Key": "first", "Value": ""}]} == await world.call("ListTags", ResourceArn=ENDPOINT)


async def test_too_many_instances(deployed: SageMakerWorld) -> None:
    await deployed.create_config("big", variant("A", InitialInstanceCount=3), variant("B", InitialInstanceCount=2))
    with pytest.raises(ServiceError) as caught:
        await deployed.call("UpdateEndpoint", EndpointName="iris", EndpointConfigName="big")
    assert "ResourceLimitExceeded" == caught.value.code
    assert (
        "The account-level service limit 'ml.m5.large for endpoint usage' is 4 Instances, with current utilization of "
        "1 Instances and a request delta of 4 Instances. Please use AWS Service Quotas to request an increase for this "
        "quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota."
    ) == caught.value.message
    with pytest.raises(ServiceError, match="current utilization of 0 Instances and a request delta of 5 Instances"):
        await deployed.create_endpoint("new", EndpointConfigName="big")
    change = {"VariantName": "AllTraffic", "DesiredInstanceCount": 5}
    with pytest.raises(ServiceError, match="current utilization of 1 Instances and a request delta of 4 Instances"):
        await deployed.call(
            "UpdateEndpointWeightsAndCapacities", EndpointName="iris", DesiredWeightsAndCapacities=[change]
        )


async def test_updating(deployed: SageMakerWorld) -> None:
    await deployed.create_config("second", variant(InitialInstanceCount=3))
    answer = await deployed.call("UpdateEndpoint", EndpointName="IRIS", EndpointConfigName="second")
    assert {"EndpointArn": ENDPOINT} == answer
    assert [EndpointKey("us-east-1", "iris")] == deployed.woken
    endpoint = await deployed.endpoint()
    assert (EndpointStatus.UPDATING, "config") == (endpoint.status, endpoint.config_name)
    assert endpoint.target is not None
    assert ("second", 2, 3) == (
        endpoint.target.config_name,
        endpoint.target.generation,
        endpoint.target.variants[0].desired_count,
    )


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [
        ([], (3, 0.5)),
        (["DesiredInstanceCount"], (2, 0.5)),
        (["DesiredWeight", "DataCaptureConfig"], (3, 0.9)),
        (["DesiredInstanceCount", "DesiredWeight"], (2, 0.9)),
    ],
)
async def test_updating_with_properties_retained(
    deployed: SageMakerWorld, excluded: list[str], expected: tuple[int, float]
) -> None:
    change = {"VariantName": "AllTraffic", "DesiredInstanceCount": 3, "DesiredWeight": 0.5}
    await deployed.call("UpdateEndpointWeightsAndCapacities", EndpointName="iris", DesiredWeightsAndCapacities=[change])
    await deployed.settle()
    await deployed.create_config(
        "second", variant(InitialInstanceCount=2, InitialVariantWeight=0.9), variant("New", InitialVariantWeight=0.1)
    )
    await deployed.call(
        "UpdateEndpoint",
        EndpointName="iris",
        EndpointConfigName="second",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": kind} for kind in excluded],
    )
    target = (await deployed.endpoint()).target
    assert target is not None
    old, new = target.variants
    assert expected == (old.desired_count, old.desired_weight)
    assert (1, 0.1) == (new.desired_count, new.desired_weight)


async def test_updating_needs_both_configs(deployed: SageMakerWorld) -> None:
    request = {"EndpointName": "iris", "EndpointConfigName": "gone"}
    missing = f'Could not find endpoint configuration "{arn("endpoint-config", "gone")}".'
    assert missing == await deployed.refusal("UpdateEndpoint", **request)
    await deployed.create_config("second")
    await deployed.call("DeleteEndpointConfig", EndpointConfigName="config")
    missing = f'Could not find endpoint configuration "{arn("endpoint-config", "config")}".'
    assert missing == await deployed.refusal("UpdateEndpoint", EndpointName="iris", EndpointConfigName="second")


async def test_weights_and_capacities(deployed: SageMakerWorld) -> None:
    change = {"VariantName": "AllTraffic", "DesiredInstanceCount": 2}
    answer = await deployed.call(
        "UpdateEndpointWeightsAndCapacities", EndpointName="iris", DesiredWeightsAndCapacities=[change]
    )
    assert {"EndpointArn": ENDPOINT} == answer
    endpoint = await deployed.endpoint()
    assert endpoint.target is not None
    assert (1, 2, 1.0) == (
        endpoint.target.generation,
        endpoint.target.variants[0].desired_count,
        endpoint.target.variants[0].desired_weight,
    )


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            [{"VariantName": "Other"}],
            (
                'The variant name(s) "Other" is/are not present within endpoint configuration '
                f'"{arn("endpoint-config", "config")}".'
            ),
        ),
        (
            [{"VariantName": "AllTraffic"}, {"VariantName": "AllTraffic"}],
            "DesiredWeightsAndCapacities names the variant 'AllTraffic' more than once.",
        ),
        (
            [{"VariantName": "AllTraffic", "DesiredWeight": 0.0}],
            "At least one variant must have a weight greater than 0.",
        ),
        (
            [{"VariantName": "AllTraffic", "ServerlessUpdateConfig": {}}],
            "Variant 'AllTraffic' is not serverless and cannot have a ServerlessUpdateConfig.",
        ),
    ],
)
async def test_weights_and_capacities_refused(
    deployed: SageMakerWorld, wanted: list[dict[str, Any]], message: str
) -> None:
    request = {"EndpointName": "iris", "DesiredWeightsAndCapacities": wanted}
    assert message == await deployed.refusal("UpdateEndpointWeightsAndCapacities", **request)
    assert EndpointStatus.IN_SERVICE == (await deployed.endpoint()).status


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("UpdateEndpoint", {"EndpointConfigName": "config"}),
    ("UpdateEndpointWeightsAndCapacities", {"DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic"}]}),
    ("DeleteEndpoint", {}),
]


@pytest.mark.parametrize(("operation", "members"), CHANGES)
@pytest.mark.parametrize("status", ["Creating", "Updating", "RollingBack", "Deleting"])
async def test_nothing_changes_an_endpoint_in_progress(
    deployed: SageMakerWorld, operation: str, members: dict[str, Any], status: str
) -> None:
    await deployed.call("AddTags", ResourceArn=ENDPOINT, Tags=[{"Key": "a", "Value": "b"}])
    await deployed.save(replace(await deployed.endpoint(), status=EndpointStatus(status)))
    assert IN_PROGRESS == await deployed.refusal(operation, EndpointName="Iris", **members)
    assert [] == deployed.woken
    assert {"Tags": [{"Key": "a", "Value": "b"}]} == await deployed.call("ListTags", ResourceArn=ENDPOINT)


@pytest.mark.parametrize(("operation", "members"), CHANGES)
async def test_nothing_changes_an_endpoint_that_is_not_there(
    world: SageMakerWorld, operation: str, members: dict[str, Any]
) -> None:
    expected = f'Could not find endpoint "{ENDPOINT}".'
    assert expected == await world.refusal(operation, EndpointName="Iris", **members)


@pytest.mark.parametrize(("operation", "members"), CHANGES[:2])
async def test_a_failed_endpoint_can_only_be_deleted(
    deployed: SageMakerWorld, operation: str, members: dict[str, Any]
) -> None:
    await deployed.save(replace(await deployed.endpoint(), status=EndpointStatus.FAILED))
    expected = f'Cannot update endpoint "{ENDPOINT}" because it has failed. Delete it and create it again.'
    assert expected == await deployed.refusal(operation, EndpointName="iris", **members)
    await deployed.call("DeleteEndpoint", EndpointName="iris")


async def test_deleting(deployed: SageMakerWorld) -> None:
    await deployed.call("AddTags", ResourceArn=ENDPOINT, Tags=[{"Key": "a", "Value": "b"}])
    await deployed.call("DeleteEndpoint", EndpointName="IRIS")
    assert EndpointStatus.DELETING == (await deployed.endpoint()).status
    assert [EndpointKey("us-east-1", "iris")] == deployed.woken
    await deployed.forget()
    await deployed.create_endpoint()
    assert {"Tags": []} == await deployed.call("ListTags", ResourceArn=ENDPOINT)


DEPLOYMENTS: list[tuple[dict[str, Any], str]] = [
    (
        {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": ALL_AT_ONCE}, "RollingUpdatePolicy": {}},
        "DeploymentConfig cannot have both BlueGreenUpdatePolicy and RollingUpdatePolicy.",
    ),
    (
        {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": ALL_AT_ONCE | {"CanarySize": {}}}},
        "CanarySize can only be given with traffic routing of Type CANARY, not ALL_AT_ONCE.",
    ),
    (
        {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": ALL_AT_ONCE | {"LinearStepSize": {}}}},
        "LinearStepSize can only be given with traffic routing of Type LINEAR, not ALL_AT_ONCE.",
    ),
    (
        {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": ALL_AT_ONCE | {"Type": "CANARY"}}},
        (
            "Moorage does not support DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.Type CANARY "
            "yet."
        ),
    ),
    (
        {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": ALL_AT_ONCE | {"WaitIntervalInSeconds": 1}}},
        (
            "Moorage does not support DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration."
            "WaitIntervalInSeconds other than 0 yet."
        ),
    ),
    (
        {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": ALL_AT_ONCE, "TerminationWaitInSeconds": 1}},
        "Moorage does not support DeploymentConfig.BlueGreenUpdatePolicy.TerminationWaitInSeconds other than 0 yet.",
    ),
    (
        {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": ALL_AT_ONCE,
                "MaximumExecutionTimeoutInSeconds": 600,
            }
        },
        "Moorage does not support DeploymentConfig.BlueGreenUpdatePolicy.MaximumExecutionTimeoutInSeconds yet.",
    ),
    ({"RollingUpdatePolicy": {}}, "Moorage does not support DeploymentConfig.RollingUpdatePolicy yet."),
    (
        {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}},
        "Moorage does not support DeploymentConfig.AutoRollbackConfiguration yet.",
    ),
]


@pytest.mark.parametrize(("config", "message"), DEPLOYMENTS)
async def test_deployments_refused(deployed: SageMakerWorld, config: dict[str, Any], message: str) -> None:
    request = {"EndpointConfigName": "config", "DeploymentConfig": config}
    assert message == await deployed.refusal("CreateEndpoint", EndpointName="new", **request)
    assert message == await deployed.refusal("UpdateEndpoint", EndpointName="iris", **request)


async def test_a_deployment_config_cannot_be_given_and_retained(deployed: SageMakerWorld) -> None:
    request = {"EndpointConfigName": "config", "DeploymentConfig": {}, "RetainDeploymentConfig": True}
    expected = "DeploymentConfig cannot be given together with RetainDeploymentConfig."
    assert expected == await deployed.refusal("UpdateEndpoint", EndpointName="iris", **request)


async def test_the_last_deployment_config_is_remembered(world: SageMakerWorld) -> None:
    await world.create_config()
    first = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": ALL_AT_ONCE}}
    await world.create_endpoint(DeploymentConfig=first)
    await world.settle()
    assert first == (await world.call("DescribeEndpoint", EndpointName="iris"))["LastDeploymentConfig"]
    update = {"EndpointName": "iris", "EndpointConfigName": "config"}
    await world.call("UpdateEndpoint", **update, RetainDeploymentConfig=True)
    await world.settle()
    assert first == (await world.call("DescribeEndpoint", EndpointName="iris"))["LastDeploymentConfig"]
    second = {"AutoRollbackConfiguration": {"Alarms": []}}
    await world.call("UpdateEndpoint", **update, DeploymentConfig=second)
    await world.settle()
    assert second == (await world.call("DescribeEndpoint", EndpointName="iris"))["LastDeploymentConfig"]
