"""Calls that come while control restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moorage.testing.gateway_world import GatewayWorld, answering, running_gateway
from moorage.wire.messages import Request, Response

PATIENCE_S = 30.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GatewayWorld]:
    async with running_gateway(tmp_path, control_patience_s=PATIENCE_S) as world:
        yield world


async def test_a_call_waits_for_control_to_come_back(world: GatewayWorld) -> None:
    call = asyncio.create_task(_call(world, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
    await asyncio.sleep(0.2)
    assert not call.done()
    await world.instance("control", answering(200, b"back"))
    assert (await call).endswith(b"\r\n\r\nback")


async def test_a_call_with_a_body_is_sent_whole_when_control_is_back(world: GatewayWorld) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\n"
    call = asyncio.create_task(_call(world, head + b"hello"))
    await asyncio.sleep(0.2)

    async def echo(request: Request) -> Response:
        return Response(200, [], await request.read(100))

    await world.instance("control", echo)
    assert (await call).endswith(b"\r\n\r\nhello")


async def _call(world: GatewayWorld, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(request)
    async with asyncio.timeout(2 * PATIENCE_S):
        answer = await reader.read(-1)
    writer.close()
    return answer
