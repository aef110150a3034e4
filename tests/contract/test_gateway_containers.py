"""Endpoints whose instances have several containers, through a gateway on a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moorage.gateway.containers import CONTAINER, FAILURE, LATENCIES, TARGET_CONTAINER
from moorage.testing.gateway_world import LIMIT, GatewayWorld, refused, running_gateway
from moorage.wire.messages import Handler, HeaderList, Request, Response

NAMES = ("scale", "forest")
STREAM = "log-stream:AllTraffic/i-1/forest"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GatewayWorld]:
    async with running_gateway(tmp_path) as world:
        yield world


def front(status: int = 200, body: bytes = b"", *, seen: list[Request] | None = None, **said: bytes) -> Handler:
    """A front that says this of its container `forest`."""
    fields: HeaderList = [(CONTAINER, b"forest"), (LATENCIES, b"scale=10,forest=20")]
    fields += [(FAILURE, said["failure"])] if "failure" in said else []

    async def handle(request: Request) -> Response:
        await request.read(LIMIT)
        if seen is not None:
            seen.append(request)
        return Response(status, fields, body)

    return handle


async def serving(world: GatewayWorld, handler: Handler, *, is_direct: bool = False) -> None:
    await world.instance("i-1", handler)
    await world.publish(("AllTraffic", 1.0, ["i-1"]), containers=NAMES, is_direct=is_direct)


async def test_a_request_for_one_container_says_so_to_the_front(world: GatewayWorld) -> None:
    seen: list[Request] = []
    await serving(world, front(seen=seen), is_direct=True)
    await world.invoke(TargetContainerHostname="forest")
    assert b"forest" == seen[0].fields[TARGET_CONTAINER]


@pytest.mark.parametrize(
    ("is_direct", "arguments"),
    [(True, {}), (True, {"TargetContainerHostname": "trees"}), (False, {"TargetContainerHostname": "forest"})],
)
async def test_what_is_not_for_a_container_there_is_gets_refused(
    world: GatewayWorld, is_direct: bool, arguments: dict[str, Any]
) -> None:
    seen: list[Request] = []
    await serving(world, front(seen=seen), is_direct=is_direct)
    error = await refused(world.invoke(**arguments))
    assert "ValidationError" == error["Error"]["Code"]
    assert [] == seen


async def test_what_the_front_says_of_containers_stays_inside(world: GatewayWorld) -> None:
    await serving(world, front())
    answer = await world.invoke()
    assert [] == [name for name in answer["ResponseMetadata"]["HTTPHeaders"] if name.startswith("x-moorage")]


async def test_the_container_that_refused_is_named(world: GatewayWorld) -> None:
    await serving(world, front(415, b"not that type"))
    error = await refused(world.invoke())
    assert error["Error"]["Message"].startswith(
        'Received client error (415) from forest with message "not that type". See https://'
    )
    assert (415, "not that type") == (error["OriginalStatusCode"], error["OriginalMessage"])
    assert error["LogStreamArn"].endswith(STREAM)


@pytest.mark.parametrize(
    ("failure", "status", "message"),
    [
        (b"late", 504, "Your invocation timed out while waiting for a response from container forest. Review the"),
        (b"broken", 502, "the container closed the connection"),
    ],
)
async def test_a_container_that_gave_no_answer_is_named(
    world: GatewayWorld, failure: bytes, status: int, message: str
) -> None:
    await serving(world, front(status, b"the container closed the connection", failure=failure))
    error = await refused(world.invoke())
    assert error["Error"]["Message"].startswith(f'Received server error (0) from forest with message "{message}')
    assert 0 == error["OriginalStatusCode"]
    assert error["LogStreamArn"].endswith(STREAM)


async def test_a_lone_container_cannot_pass_for_another(world: GatewayWorld) -> None:
    await world.instance("i-1", front(502, b"mine", failure=b"late"))
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    error = await refused(world.invoke())
    assert error["Error"]["Message"].startswith('Received server error (502) from primary with message "mine"')
    assert error["LogStreamArn"].endswith("log-stream:AllTraffic/i-1")


async def test_a_front_that_is_gone_takes_the_target_with_it(world: GatewayWorld) -> None:
    async def cut(_writer: asyncio.StreamWriter) -> None:
        """Say nothing."""

    async with world.instance_of_bytes("i-1", cut):
        await world.publish(("AllTraffic", 1.0, ["i-1"]), containers=NAMES, is_direct=True)
        error = await refused(world.invoke(TargetContainerHostname="forest"))
    assert "from forest with message" in error["Error"]["Message"]


async def test_the_access_log_has_what_each_container_took(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as world:
        await serving(world, front())
        await world.invoke()
    (line,) = world.logged()
    assert {"scale": 10, "forest": 20} == line["containers_us"]
