"""The life of an endpoint as boto3 sees it: signed, serialised, waited for, paginated; and the same for its logs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError, WaiterError

from moorage.api.server import Api
from moorage.core.model import EndpointKey, EndpointStatus
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import InProcess, root_key_ring
from moorage.testing.builders import T0
from moorage.testing.logs_world import LogsWorld
from moorage.testing.sagemaker_world import DATA, IMAGE, ROLE, SageMakerWorld, arn


class Deploying(SageMakerWorld):
    """Whose loop takes twenty milliseconds for anything."""

    tasks: ClassVar[set[asyncio.Task[None]]] = set()

    def wake(self, key: EndpointKey) -> None:
        task = asyncio.get_running_loop().create_task(self._finish(key))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _finish(self, key: EndpointKey) -> None:
        await asyncio.sleep(0.02)
        if (await self.endpoint(key.name)).status is EndpointStatus.DELETING:
            await self.forget(key.name)
        else:
            await self.settle(key.name)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[InProcess]:
    world = Deploying()
    asyncio.run(world.add_role())
    logs = LogsWorld(tmp_path).service
    with InProcess(Api([world.service, logs], root_key_ring, clock=SystemClock())) as aws:
        yield aws


def deploy(client: Any, name: str = "iris") -> None:
    client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": DATA})
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        ],
    )
    client.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=[{"Key": "team", "Value": "ml"}])


def test_a_waiter_returns_at_its_first_look(aws: InProcess) -> None:
    client = aws.client("sagemaker")
    deploy(client)
    once = {"Delay": 30, "MaxAttempts": 1}
    client.get_waiter("endpoint_in_service").wait(EndpointName="iris", WaiterConfig=once)
    client.update_endpoint_weights_and_capacities(
        EndpointName="iris", DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    )
    client.get_waiter("endpoint_in_service").wait(EndpointName="iris", WaiterConfig=once)
    described = client.describe_endpoint(EndpointName="iris")
    assert ("InService", "iris", 2) == (
        described["EndpointStatus"],
        described["EndpointConfigName"],
        described["ProductionVariants"][0]["DesiredInstanceCount"],
    )
    assert [{"Key": "team", "Value": "ml"}] == client.list_tags(ResourceArn=arn("endpoint", "iris"))["Tags"]
    client.delete_endpoint(EndpointName="iris")
    client.get_waiter("endpoint_deleted").wait(EndpointName="iris", WaiterConfig=once)
    with pytest.raises(WaiterError):
        client.get_waiter("endpoint_in_service").wait(EndpointName="iris", WaiterConfig=once)


def test_what_was_created_comes_back_through_botocores_parser(aws: InProcess) -> None:
    client = aws.client("sagemaker")
    deploy(client)
    model = client.describe_model(ModelName="iris")
    assert (IMAGE, DATA) == (model["PrimaryContainer"]["Image"], model["PrimaryContainer"]["ModelDataUrl"])
    config = client.describe_endpoint_config(EndpointConfigName="iris")
    assert 1.0 == config["ProductionVariants"][0]["InitialVariantWeight"]
    endpoint = client.describe_endpoint(EndpointName="iris")
    image = endpoint["ProductionVariants"][0]["DeployedImages"][0]
    assert {"SpecifiedImage", "ResolvedImage", "ResolutionTime"} == image.keys()
    assert T0 < image["ResolutionTime"]


def test_paginators(aws: InProcess) -> None:
    client = aws.client("sagemaker")
    for number in range(12):
        client.create_model(ModelName=f"m{number}", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    pages = client.get_paginator("list_models").paginate(SortBy="Name", PaginationConfig={"PageSize": 5})
    counts = [len(page["Models"]) for page in pages]
    assert [5, 5, 2] == counts


def test_a_refusal_as_boto3_raises_it(aws: InProcess) -> None:
    with pytest.raises(ClientError) as caught:
        aws.client("sagemaker").describe_endpoint(EndpointName="Gone")
    assert {
        "Code": "ValidationException",
        "Message": f'Could not find endpoint "{arn("endpoint", "gone")}".',
    } == caught.value.response["Error"]
    assert 400 == caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_logs(aws: InProcess, tmp_path: Path) -> None:
    folder = tmp_path / "us-east-1" / "iris" / "AllTraffic"
    folder.mkdir(parents=True)
    (folder / "i-1.log").write_text("2026-11-21T02:55:00.123Z one\n2026-11-21T02:55:00.124Z two\n")
    client, group = aws.client("logs"), "/aws/sagemaker/Endpoints/iris"
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 1})
    assert ["one", "two"] == [event["message"] for page in pages for event in page["events"]]
    streams = client.describe_log_streams(logGroupName=group)["logStreams"]
    assert ["AllTraffic/i-1"] == [stream["logStreamName"] for stream in streams]
    events = client.get_log_events(logGroupName=group, logStreamName="AllTraffic/i-1", startFromHead=True)["events"]
    assert [1795229700123, 1795229700124] == [event["timestamp"] for event in events]
    assert [group] == [found["logGroupName"] for found in client.describe_log_groups()["logGroups"]]
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="The specified log group does not exist"):
        client.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/gone")
