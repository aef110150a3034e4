"""Lists: filters, orders, pages, tokens."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.api.sagemaker.paging import PageTokens, read_query
from moorage.aws.errors import ServiceError
from moorage.core.model import EndpointKey, EndpointStatus
from moorage.testing.sagemaker_world import SageMakerWorld, arn
from moorage.testing.virtual_clock import T0

pytestmark = pytest.mark.looptime


async def walk(world: SageMakerWorld, operation: str, **request: Any) -> list[str]:
    """The names on all pages."""
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = await world.call(operation, **request, **token)
        names += [row[operation.removeprefix("List").removesuffix("s") + "Name"] for row in next(iter(answer.values()))]
        if "NextToken" not in answer:
            return names
        token = {"NextToken": answer["NextToken"]}


async def test_ten_newest_first_unless_asked_otherwise(empty: SageMakerWorld) -> None:
    await empty.add_role()
    for name in ["iris", *(f"m{number:02}" for number in range(12))]:
        await empty.create_model(name)
        await asyncio.sleep(1)
    answer = await empty.call("ListModels")
    assert 10 == len(answer["Models"])
    first = answer["Models"][0]
    assert {"ModelName": "m11", "ModelArn": arn("model", "m11"), "CreationTime": first["CreationTime"]} == first
    rest = await empty.call("ListModels", NextToken=answer["NextToken"])
    assert ["m01", "m00", "iris"] == [model["ModelName"] for model in rest["Models"]][-3:]
    assert "NextToken" not in rest


async def test_a_walk_sees_every_survivor_once_whatever_is_deleted_under_way(world: SageMakerWorld) -> None:
    names = [f"c{number:02}" for number in range(12)]
    for name in names:
        await world.create_config(name)
    request = {"MaxResults": 3, "SortBy": "Name", "SortOrder": "Ascending"}
    seen: list[str] = []
    token: dict[str, str] = {}
    for gone in ["c02", "c06", "c11", None]:  # the last seen, the next to come, one further on
        page = await world.call("ListEndpointConfigs", **request, **token)
        seen += [config["EndpointConfigName"] for config in page["EndpointConfigs"]]
        if gone is not None:
            token = {"NextToken": page["NextToken"]}
            await world.call("DeleteEndpointConfig", EndpointConfigName=gone)
    assert [name for name in names if name not in {"c06", "c11"}] == seen
    assert "NextToken" not in page


async def test_endpoints_by_status_and_time(empty: SageMakerWorld) -> None:
    await empty.deploy()
    await empty.create_endpoint("Second")
    second = await empty.endpoint("second")
    await empty.save(replace(second, status=EndpointStatus.FAILED, modified_at=second.modified_at + timedelta(hours=1)))
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"SortBy": "Status", "SortOrder": "Ascending"}, ["Second", "iris"]),
        ({"SortBy": "Name"}, ["Second", "iris"]),
        ({"SortBy": "Name", "SortOrder": "Ascending"}, ["iris", "Second"]),
        ({"StatusEquals": "InService"}, ["iris"]),
        ({"NameContains": "SEC"}, ["Second"]),
        ({"LastModifiedTimeAfter": second.created_at + timedelta(minutes=1)}, ["Second"]),
        ({"LastModifiedTimeBefore": second.created_at + timedelta(minutes=1)}, ["iris"]),
        ({"CreationTimeAfter": second.created_at + timedelta(minutes=1)}, []),
        ({"CreationTimeBefore": second.created_at + timedelta(minutes=1)}, ["Second", "iris"]),
    ]
    for request, expected in cases:
        assert expected == await walk(empty, "ListEndpoints", MaxResults=1, **request), request
    [shown] = (await empty.call("ListEndpoints", StatusEquals="Failed"))["Endpoints"]
    assert {
        "EndpointName": "Second",
        "EndpointArn": arn("endpoint", "second"),
        "CreationTime": second.created_at,
        "LastModifiedTime": second.modified_at + timedelta(hours=1),
        "EndpointStatus": "Failed",
    } == shown
    assert EndpointKey("us-east-1", "Second") == second.key


async def test_a_token_is_for_its_own_list(world: SageMakerWorld) -> None:
    await world.create_model("second")
    await world.create_config("a")
    await world.create_config("b")
    token = (await world.call("ListModels", MaxResults=1))["NextToken"]
    expected = "NextToken is not one that this list gave. Repeat the request without it to start anew."
    assert expected == await world.refusal("ListEndpointConfigs", MaxResults=1, NextToken=token)
    assert expected == await world.refusal("ListModels", NameContains="i", NextToken=token)
    assert expected == await world.refusal("ListModels", SortOrder="Ascending", NextToken=token)
    assert expected == await world.refusal("ListModels", NextToken="☂")
    assert expected == await world.refusal("ListModels", NextToken="")
    assert 1 == len((await world.call("ListModels", MaxResults=5, NextToken=token))["Models"])
    world.region = "eu-west-1"
    assert expected == await world.refusal("ListModels", MaxResults=1, NextToken=token)


TOKENS = PageTokens(b"key")
QUERY = read_query({"NameContains": "x", "CreationTimeAfter": T0}, "us-east-1")
REQUEST = {"NameContains": "x", "CreationTimeAfter": T0}


@given(st.tuples(st.text(), st.text()))
def test_a_token_brings_back_what_was_put_in(after: tuple[str, str]) -> None:
    token = TOKENS.next("models", QUERY, after=after)
    assert replace(QUERY, after=after) == TOKENS.query("models", REQUEST | token, region="us-east-1")


@given(st.binary(min_size=1, max_size=40), st.integers(0, 60))
def test_no_altered_token_passes(noise: bytes, at: int) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(TOKENS.next("models", QUERY, after=("12", "name"))["NextToken"]))
    at = at % len(sealed)
    altered = bytes(sealed[:at]) + noise + bytes(sealed[at + len(noise) :])
    if altered == bytes(sealed):
        return
    forged = {"NextToken": base64.urlsafe_b64encode(altered).decode()}
    with pytest.raises(ServiceError):
        TOKENS.query("models", REQUEST | forged, region="us-east-1")


def test_another_key_makes_other_tokens() -> None:
    token = PageTokens(b"other").next("models", QUERY, after=("1", "a"))
    with pytest.raises(ServiceError):
        TOKENS.query("models", REQUEST | token, region="us-east-1")
