"""Bearer keys of endpoints, by the AWS client that has the model of Moorage's own operations."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from moorage.api.bearer_keys import BearerKeys
from moorage.core.model import EndpointStatus
from moorage.core.routes import BearerKey
from moorage.system.clock import SystemClock
from moorage.testing.account_world import AccountWorld
from moorage.testing.asgi_client import ACCOUNT_ID
from moorage.testing.builders import KEY, make_endpoint
from moorage.testing.memory_store import MemoryStore
from moorage.testing.sagemaker_world import SageMakerWorld

ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT_ID}:endpoint/"


@pytest.fixture
def account() -> Iterator[AccountWorld]:
    store = MemoryStore()
    asyncio.run(store.run(lambda tx: tx.endpoints.insert(make_endpoint())))
    account = AccountWorld(store=store)
    account.serve(BearerKeys(store, clock=SystemClock(), enforce=account.enforcer.enforce))
    with account:
        yield account


def refused(call, **params) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_key_is_told_once_and_published_by_its_digest(account: AccountWorld) -> None:
    client = account.client("moorage")
    made = client.create_bearer_key(EndpointName="IRIS", Description="the shop")
    digest = hashlib.sha256(made["Key"].encode()).hexdigest()
    assert {digest: BearerKey(made["KeyId"], *KEY)} == account.published.bearer_keys
    (listed,) = client.list_bearer_keys(EndpointName="iris")["BearerKeys"]
    assert {"KeyId": made["KeyId"], "Description": "the shop", "CreationTime": made["CreationTime"]} == listed
    stored = asyncio.run(account.store.run(lambda tx: tx.bearer_keys.get("", "us-east-1/iris")))
    assert made["Key"] not in repr(stored)


def test_a_deleted_key_is_withdrawn_from_the_gateways(account: AccountWorld) -> None:
    client = account.client("moorage")
    first, second = (client.create_bearer_key(EndpointName="iris") for _ in range(2))
    assert [first["KeyId"], second["KeyId"]] == [
        key["KeyId"] for key in client.list_bearer_keys(EndpointName="iris")["BearerKeys"]
    ]
    client.delete_bearer_key(EndpointName="iris", KeyId=first["KeyId"])
    assert [second["KeyId"]] == [key.id for key in account.published.bearer_keys.values()]
    again = refused(client.delete_bearer_key, EndpointName="iris", KeyId=first["KeyId"])
    assert ("ResourceNotFound", f"Endpoint iris has no bearer key {first['KeyId']}.") == again
    client.delete_bearer_key(EndpointName="iris", KeyId=second["KeyId"])
    assert {} == account.published.bearer_keys
    assert [] == client.list_bearer_keys(EndpointName="iris")["BearerKeys"]


def test_an_endpoint_that_is_not_there_has_no_keys(account: AccountWorld) -> None:
    client = account.client("moorage")
    expected = ("ResourceNotFound", f'Could not find endpoint "{ARN}other".')
    for call, more in (
        (client.create_bearer_key, {}),
        (client.list_bearer_keys, {}),
        (client.delete_bearer_key, {"KeyId": "bk-1"}),
    ):
        assert expected == refused(call, EndpointName="other", **more)
    assert (
        "ResourceNotFound"
        == refused(account.client("moorage", region="eu-west-1").list_bearer_keys, EndpointName="iris")[0]
    )


def test_an_endpoint_that_is_going_gets_no_key(account: AccountWorld) -> None:
    deleting = replace(make_endpoint(), status=EndpointStatus.DELETING)
    asyncio.run(account.store.run(lambda tx: tx.endpoints.swap(deleting)))
    assert "ResourceNotFound" == refused(account.client("moorage").create_bearer_key, EndpointName="iris")[0]


def test_an_endpoint_has_a_hundred_keys_at_most(account: AccountWorld) -> None:
    client = account.client("moorage")
    for _ in range(100):
        client.create_bearer_key(EndpointName="iris")
    assert "ResourceLimitExceeded" == refused(client.create_bearer_key, EndpointName="iris")[0]


def test_keys_are_made_by_those_who_may(account: AccountWorld) -> None:
    allowed = {"Effect": "Allow", "Action": "moorage:*BearerKey*", "Resource": ARN + "ann-*"}
    ann = account.client("moorage", account.add_user("ann", allowed))
    code, message = refused(ann.create_bearer_key, EndpointName="Iris")
    assert "AccessDeniedException" == code
    assert f"moorage:CreateBearerKey on resource: {ARN}iris because" in message
    assert "ResourceNotFound" == refused(ann.create_bearer_key, EndpointName="Ann-1")[0]


async def test_deleting_an_endpoint_revokes_its_keys() -> None:
    world = SageMakerWorld()
    serving = replace(make_endpoint(), status=EndpointStatus.IN_SERVICE)
    await world.store.run(lambda tx: tx.endpoints.insert(serving))
    await world.call("DeleteEndpoint", EndpointName="iris")
    assert 0 == world.enforced

    other = SageMakerWorld()
    keys = BearerKeys(other.store, clock=SystemClock(), enforce=other.enforce_access)
    await other.store.run(lambda tx: tx.endpoints.insert(serving))
    await keys.handlers()["CreateBearerKey"](other.caller(), {"EndpointName": "iris"})
    await other.call("DeleteEndpoint", EndpointName="IRIS")
    assert 2 == other.enforced
    assert await other.store.run(lambda tx: tx.bearer_keys.get("", "us-east-1/iris")) is None
