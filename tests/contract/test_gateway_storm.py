"""Everything at once: callers that leave, instances that fail, sessions, full queues, and routes that change."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from moorage.core.model import InstanceId
from moorage.testing.gateway_world import LIMIT, GatewayWorld, running_gateway
from moorage.testing.load import Target, signed_request
from moorage.wire.messages import Request, Response

INSTANCES = [InstanceId(f"i-{number:017x}") for number in range(4)]
CONCURRENCY_MAX = 3
CALLERS = 500
PATIENCE_S = 60.0


class Unsteady:
    """An instance that takes some time for some requests, refuses some and breaks on others."""

    def __init__(self, draw: random.Random) -> None:
        self.most = 0
        self._draw = draw
        self._working = 0

    async def __call__(self, request: Request) -> Response:
        if request.path == b"/ping":
            return Response(200)
        self._working += 1
        self.most = max(self.most, self._working)
        try:
            body = await request.read(LIMIT)
            await asyncio.sleep(self._draw.choice([0, 0.001, 0.01, 0.05]))
            if self._draw.random() < 0.03:
                raise RuntimeError("as it happens")
            return Response(self._draw.choice([200] * 9 + [400]), [], body)
        finally:
            self._working -= 1


async def call(world: GatewayWorld, draw: random.Random) -> str:
    """One caller: the status of the answer, or `left`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    headers = {"X-Amzn-SageMaker-Session-Id": f"s-{draw.choice(INSTANCES)[2:]}"} if draw.random() < 0.2 else {}
    body = b"x" * draw.choice([1, 100, 70_000, 300_000])
    url = f"http://127.0.0.1:{world.port}"
    writer.write(signed_request(Target(url, "iris", "AKIA", "secret", "eu-west-1", body=body, headers=headers)))
    try:
        if draw.random() < 0.25:
            await asyncio.sleep(draw.random() * 0.1)
            return "left"
        async with asyncio.timeout(PATIENCE_S):
            return (await reader.readuntil(b"\r\n\r\n"))[9:12].decode()
    finally:
        writer.close()


async def change_routes(world: GatewayWorld, draw: random.Random) -> None:
    for _ in range(10):
        await asyncio.sleep(0.1)
        some = draw.sample(INSTANCES, draw.randint(0, 3))
        others = [each for each in INSTANCES if each not in some]
        variants = draw.choice([[("A", 1.0, some), ("B", 0.5, others)], [("C", 1.0, others)]])
        await world.publish(*variants, concurrency_max=CONCURRENCY_MAX)
    await world.publish(("A", 1.0, INSTANCES), concurrency_max=CONCURRENCY_MAX)


@pytest.mark.parametrize("seed", range(3))
async def test_no_slot_and_no_waiter_is_lost_and_no_instance_asked_too_much(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    fleet = {name: Unsteady(draw) for name in INSTANCES}
    async with running_gateway(tmp_path) as world:
        for name, instance in fleet.items():
            await world.instance(name, instance)
        await world.publish(("A", 1.0, INSTANCES[:1]), concurrency_max=CONCURRENCY_MAX)
        changes = asyncio.create_task(change_routes(world, draw))
        callers = []
        for _ in range(CALLERS):
            callers.append(asyncio.create_task(call(world, draw)))
            await asyncio.sleep(draw.random() * 0.004)
        await changes
        ends = Counter(await asyncio.gather(*callers))
        live = world.gateway._tables.live
        async with asyncio.timeout(PATIENCE_S):
            while live.occupied or any(live._instances[name].in_flight for name in INSTANCES):
                await asyncio.sleep(0.01)  # for those who left last
    assert set(ends) <= {"200", "400", "424", "503", "left"}
    assert ends["200"] > CALLERS / 2
    assert ends["503"] < CALLERS / 20
    # A caller that leaves gives its slot back at once, while the instance takes a moment to notice.
    assert max(instance.most for instance in fleet.values()) <= 2 * CONCURRENCY_MAX
