"""Invocations of variants without an instance: through the gateway's real port, woken by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moorage.core.model import EndpointKey, VariantKey
from moorage.gateway.errors import SERVERLESS_PAYLOAD_BYTES_MAX
from moorage.gateway.waking import WakeMode
from moorage.testing.gateway_world import GatewayWorld, answering, refused, running_gateway
from moorage.wire.messages import Request, Response

ONE, TWO = "i-000000000000000a1", "i-000000000000000b2"
FEW = 3
"""Callers have threads of the loop's pool, and the gateway needs one for reading routes."""
IRIS = VariantKey(EndpointKey("eu-west-1", "iris"), "V")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GatewayWorld]:
    async with running_gateway(tmp_path) as world:
        yield world


async def rung(world: GatewayWorld, times: int = 1) -> None:
    """The bell has been rung so often."""
    async with asyncio.timeout(60):
        while len(world.bell.rung) < times:
            await asyncio.sleep(0.005)


async def test_requests_are_held_until_there_is_an_instance(world: GatewayWorld) -> None:
    await world.instance(ONE, answering(body=b"awake"))
    await world.publish(("V", 1.0, ()), wakes=True)
    held = [asyncio.create_task(world.invoke()) for _ in range(FEW)]
    await rung(world)
    assert [IRIS] == world.bell.rung[:1]
    await asyncio.sleep(0.1)
    assert not any(task.done() for task in held)
    await world.publish(("V", 1.0, (ONE,)), wakes=True)
    assert [b"awake"] * FEW == [answer["Body"] for answer in await asyncio.gather(*held)]


async def test_it_is_rung_for_until_somebody_hears(world: GatewayWorld) -> None:
    await world.instance(ONE, answering(body=b"awake"))
    await world.publish(("V", 1.0, ()), wakes=True)
    held = asyncio.create_task(world.invoke())
    await rung(world, times=3)
    assert {IRIS} == set(world.bell.rung)
    await world.publish(("V", 1.0, (ONE,)), wakes=True)
    assert b"awake" == (await held)["Body"]


async def test_routes_of_others_do_not_disturb_who_is_held(world: GatewayWorld) -> None:
    await world.instance(ONE, answering(body=b"awake"))
    await world.publish(("V", 1.0, ()), wakes=True)
    held = asyncio.create_task(world.invoke())
    await rung(world)
    await world.publish(("V", 1.0, ()), ("W", 0.0, ()), wakes=True)
    await world.publish(("V", 1.0, ()), wakes=True)
    await asyncio.sleep(0.1)
    assert not held.done()
    await world.publish(("V", 1.0, (ONE,)), wakes=True)
    assert b"awake" == (await held)["Body"]


async def test_who_waits_is_told_at_once_when_the_model_cannot_start(world: GatewayWorld) -> None:
    await world.publish(("V", 1.0, ()), wakes=True)
    held = asyncio.create_task(refused(world.invoke()))
    await rung(world)
    await world.publish(("V", 1.0, ()), wakes=True, fault="The model has no inference.py.")
    for answer in (await held, await refused(world.invoke())):
        assert 503 == answer["ResponseMetadata"]["HTTPStatusCode"]
        expected = "Endpoint iris has no instance ready to answer: The model has no inference.py."
        assert expected == answer["Error"]["Message"]


async def test_weights_decide_also_where_one_variant_is_asleep(world: GatewayWorld) -> None:
    await world.instance(ONE, answering(body=b"asleep no more"))
    await world.instance(TWO, answering(body=b"awake"))
    await world.publish(("V", 1.0, ()), ("W", 1.0, (TWO,)), wakes=True)
    answers: set[bytes] = set()
    for _ in range(60):
        call = asyncio.create_task(world.invoke())
        while not call.done() and not world.bell.rung:
            await asyncio.sleep(0.002)
        if world.bell.rung:
            await world.publish(("V", 1.0, (ONE,)), ("W", 1.0, (TWO,)), wakes=True)
        answers.add((await call)["Body"])
        if len(answers) == 2:
            break
    assert {b"asleep no more", b"awake"} == answers


async def test_strict_refuses_as_aws_does_and_wakes_all_the_same(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, wake_mode=WakeMode.STRICT) as world:
        await world.publish(("V", 1.0, ()), wakes=True)
        answer = await refused(world.invoke())
        assert 400 == answer["ResponseMetadata"]["HTTPStatusCode"]
        assert "ValidationError" == answer["Error"]["Code"]
        assert answer["Error"]["Message"].startswith("Endpoint iris has no capacity to process this request.")
        assert [IRIS] == world.bell.rung


async def test_a_serverless_variant_is_held_for_also_where_aws_is_followed_strictly(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, wake_mode=WakeMode.STRICT) as world:
        await world.instance(ONE, answering(body=b"awake"))
        await world.publish(("V", 1.0, ()), wakes=True, requests_max=5)
        held = asyncio.create_task(world.invoke())
        await rung(world)
        await world.publish(("V", 1.0, (ONE,)), wakes=True, requests_max=5)
        assert b"awake" == (await held)["Body"]


async def test_more_at_once_than_a_serverless_variant_takes_are_throttled(world: GatewayWorld) -> None:
    go_on, inside = asyncio.Event(), 0

    async def handle(request: Request) -> Response:
        nonlocal inside
        if request.path != b"/ping":
            inside += 1
            await go_on.wait()
        return Response(200, [], b"done")

    await world.instance(ONE, handle)
    await world.publish(("V", 1.0, (ONE,)), wakes=True, requests_max=2)
    calls = [asyncio.create_task(world.invoke()) for _ in range(2)]
    async with asyncio.timeout(60):
        while inside < 2:
            await asyncio.sleep(0.005)
    answer = await refused(world.invoke())
    assert ("ThrottlingException", 429) == (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
    go_on.set()
    assert [b"done"] * 2 == [found["Body"] for found in await asyncio.gather(*calls)]
    assert b"done" == (await world.invoke())["Body"]


async def test_who_is_held_counts_as_present(world: GatewayWorld) -> None:
    await world.publish(("V", 1.0, ()), wakes=True, requests_max=1)
    held = asyncio.create_task(world.invoke())
    await rung(world)
    assert "ThrottlingException" == (await refused(world.invoke()))["Error"]["Code"]
    await world.instance(ONE, answering(body=b"awake"))
    await world.publish(("V", 1.0, (ONE,)), wakes=True, requests_max=1)
    assert b"awake" == (await held)["Body"]


async def test_serverless_payloads_are_smaller(world: GatewayWorld) -> None:
    await world.instance(ONE, answering(body=b"ok"))
    await world.publish(("V", 1.0, (ONE,)), wakes=True, requests_max=5)
    largest: dict[str, Any] = await world.invoke(b"x" * SERVERLESS_PAYLOAD_BYTES_MAX)
    assert b"ok" == largest["Body"]
    answer = await refused(world.invoke(b"x" * (SERVERLESS_PAYLOAD_BYTES_MAX + 1)))
    assert 413 == answer["ResponseMetadata"]["HTTPStatusCode"]
