"""What a real gateway writes down of its invocations, and that a trace goes on through it."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from moorage.testing.gateway_world import LIMIT, ROOT, GatewayWorld, answering, invoke, refused, running_gateway
from moorage.wire.messages import Request, Response

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


async def invoke_traced(world: GatewayWorld) -> dict[str, Any]:
    client = world.client()
    client.meta.events.register(
        "before-sign.sagemaker-runtime.InvokeEndpoint",
        lambda request, **_: request.headers.add_header("traceparent", PARENT),
    )
    return await asyncio.to_thread(invoke, client, b"5.1,3.5")


async def test_a_success_is_written_down_and_its_trace_goes_on(tmp_path: Path) -> None:
    seen: list[bytes | None] = []

    async def handle(request: Request) -> Response:
        seen.append(request.header(b"traceparent"))
        return Response(200, [], b"<" + await request.read(LIMIT))

    async with running_gateway(tmp_path) as world:
        await world.instance("i-1", handle)
        await world.publish(("AllTraffic", 1.0, ["i-1"]))
        answer = await invoke_traced(world)
    assert [PARENT.encode()] == seen
    (line,) = world.logged()
    times = {key: line.pop(key) for key in ("time", "model_us", "overhead_us")}
    assert {
        "request_id": answer["ResponseMetadata"]["RequestId"],
        "operation": "InvokeEndpoint",
        "region": "eu-west-1",
        "endpoint": "iris",
        "variant": "AllTraffic",
        "instance": "i-1",
        "principal": ROOT,
        "status": 200,
        "bytes_in": 7,
        "bytes_out": 8,
        "trace_id": TRACE,
    } == line
    assert times["time"].endswith("Z")
    assert 0 < times["model_us"] < 60_000_000
    assert 0 <= times["overhead_us"] < 60_000_000
    assert 0o600 == stat.S_IMODE((tmp_path / "access.log").stat().st_mode)


async def test_failures_are_written_down_with_what_was_known(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as world:
        await world.instance("i-1", answering(500, b"no"))
        await world.publish(("AllTraffic", 1.0, ["i-1"]))
        failures = [
            await refused(world.invoke()),
            await refused(world.invoke(EndpointName="other")),
            await refused(asyncio.to_thread(invoke, world.client(secret="wrong"), b"")),
        ]
    lines = world.logged()
    assert [failure["ResponseMetadata"]["RequestId"] for failure in failures] == [line["request_id"] for line in lines]
    assert [424, 400, 403] == [line["status"] for line in lines]
    assert ["ModelError", "ValidationError", "InvalidSignatureException"] == [line["error"] for line in lines]
    assert ["i-1", None, None] == [line.get("instance") for line in lines]
    assert [ROOT, None, None] == [line.get("principal") for line in lines]


@pytest.mark.parametrize("name", ['a"b', "a%0Ab", "a\\u0000b", "%1b[31m"])
async def test_no_caller_writes_lines_of_its_own(tmp_path: Path, name: str) -> None:
    async with running_gateway(tmp_path) as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        head = f"POST /endpoints/{name}/invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
        writer.write(f"{head}traceparent: {name}\r\nConnection: close\r\n\r\n".encode())
        await reader.read()
        writer.close()
    lines = world.logged()
    assert 1 == len(lines)
    assert b"31m" not in (tmp_path / "access.log").read_bytes()
    assert "trace_id" not in lines[0]
