"""Invocations of variants whose instances are all down and will be back: through the gateway's real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moorage.gateway.waking import WakeMode
from moorage.testing.gateway_world import GatewayWorld, PatientClock, answering, refused, running_gateway

NAMES = [f"i-000000000000000a{n}" for n in range(5)]
ONE = NAMES[0]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GatewayWorld]:
    async with running_gateway(tmp_path, clock=PatientClock()) as world:
        yield world


async def held(world: GatewayWorld) -> None:
    """A request is held."""
    async with asyncio.timeout(60):
        while not any(queue.is_held for queue in world.gateway._tables.live.occupied):
            await asyncio.sleep(0.005)


async def test_requests_are_held_while_there_is_no_instance_and_nobody_is_asked_for_one(world: GatewayWorld) -> None:
    await world.instance(ONE, answering(body=b"back"))
    await world.publish(("V", 1.0, ()))
    call = asyncio.create_task(world.invoke())
    await held(world)
    await world.publish(("V", 1.0, (ONE,)))
    assert b"back" == (await call)["Body"]
    assert [] == world.bell.rung


@pytest.mark.parametrize("count", [1, 2, len(NAMES)])
async def test_requests_are_held_while_the_routes_do_not_know_yet_that_nobody_is_there(
    world: GatewayWorld, count: int
) -> None:
    await world.publish(("V", 1.0, NAMES[:count]))
    call = asyncio.create_task(world.invoke())
    await held(world)
    await world.publish(("V", 1.0, ()))
    await held(world)
    await world.instance(ONE, answering(body=b"back"))
    await world.publish(("V", 1.0, (ONE,)))
    assert b"back" == (await call)["Body"]


async def test_a_variant_that_is_down_leaves_its_share_to_one_that_is_up(world: GatewayWorld) -> None:
    await world.instance(ONE, answering(body=b"up"))
    await world.publish(("V", 1.0, ()), ("W", 0.0, (ONE,)))
    assert b"up" == (await world.invoke())["Body"]
    call = asyncio.create_task(world.invoke(TargetVariant="V"))
    await held(world)
    await world.publish(("V", 1.0, (ONE,)), ("W", 0.0, ()))
    assert b"up" == (await call)["Body"]


async def test_strict_refuses_as_aws_does(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, wake_mode=WakeMode.STRICT) as world:
        for instances in ((), (ONE,)):
            await world.publish(("V", 1.0, instances))
            answer = await refused(world.invoke())
            assert "Endpoint iris has no instance ready to answer." == answer["Error"]["Message"]
