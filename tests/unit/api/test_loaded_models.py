"""ListLoadedModels, by the AWS client that has the model of Moorage's own operations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

import pytest
from botocore.exceptions import ClientError

from moorage.api.loaded_models import LoadedModels
from moorage.core.model import EndpointKey, InstanceId
from moorage.runners.base import RunnerError
from moorage.runners.many_models import LoadedModel, Page, Report, Shop, Summary
from moorage.testing.account_world import AccountWorld
from moorage.testing.builders import make_endpoint
from moorage.testing.memory_store import MemoryStore

IRIS = EndpointKey("us-east-1", "iris")


class Machine:
    """Two instances of one endpoint, the second of which has nothing yet."""

    is_away = False

    async def report(self, endpoint: EndpointKey) -> Sequence[Report]:
        if self.is_away:
            raise RunnerError("The agent is away.")
        shops = [Shop(endpoint, "AllTraffic", InstanceId(name), "primary") for name in ("i-2", "i-1")]
        models = (LoadedModel("a.tar.gz", 1000, 7), LoadedModel("b/c.tar.gz", 2000, 0))
        return [Report(shops[0], (), {}), Report(shops[1], models, {"ModelLoadingTime": Summary(2, 30, 10, 20)})]

    async def measure(self, known: Mapping[Shop, int]) -> Sequence[Page]:
        raise AssertionError("nobody asks for it here")


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def account(machine: Machine) -> Iterator[AccountWorld]:
    store = MemoryStore()
    asyncio.run(store.run(lambda tx: tx.endpoints.insert(make_endpoint())))
    with AccountWorld(LoadedModels(store, machine), store=store) as account:
        yield account


def test_each_instance_says_what_it_has(account: AccountWorld) -> None:
    instances = account.client("moorage").list_loaded_models(EndpointName="iris")["Instances"]
    own = {"VariantName": "AllTraffic", "ContainerName": "primary"}
    counted = {"MetricName": "ModelLoadingTime", "SampleCount": 2, "Sum": 30, "Minimum": 10, "Maximum": 20}
    models = [
        {"TargetModel": "a.tar.gz", "MemoryBytes": 1000, "Invocations": 7},
        {"TargetModel": "b/c.tar.gz", "MemoryBytes": 2000, "Invocations": 0},
    ]
    assert [
        {**own, "InstanceId": "i-1", "Models": models, "Statistics": [counted]},
        {**own, "InstanceId": "i-2", "Models": [], "Statistics": []},
    ] == instances


def test_an_endpoint_that_is_not_there(account: AccountWorld) -> None:
    with pytest.raises(ClientError, match=r"ResourceNotFound.*There is no endpoint other"):
        account.client("moorage").list_loaded_models(EndpointName="other")


def test_nobody_who_could_be_asked(account: AccountWorld, machine: Machine) -> None:
    machine.is_away = True
    with pytest.raises(ClientError, match=r"ServiceUnavailable.*The agent is away"):
        account.client("moorage").list_loaded_models(EndpointName="iris")
