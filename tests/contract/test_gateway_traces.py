"""What the gateway says of an invocation to whoever collects traces."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moorage.gateway.tracing import Tracer
from moorage.system.clock import SystemClock
from moorage.telemetry.spans import Span, SpanKind
from moorage.testing.gateway_world import GatewayWorld, invoke, refused, running_gateway
from moorage.wire.messages import Request, Response

TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
CALLER_ID = 0xB7AD6B7169203331
LIMIT = 1_000_000


class Collected(list[Span]):
    """What a collector has, which may refuse all."""

    def __init__(self, *, takes: bool = True) -> None:
        super().__init__()
        self._takes = takes

    def send(self, spans: Sequence[Span]) -> bool:
        self.extend(spans if self._takes else ())
        return self._takes

    def named(self, name: str) -> Span:
        (span,) = (span for span in self if span.name == name)
        return span


class HastyClock(SystemClock):
    """By this one, a second is soon over."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 100)


def tracer(collected: Collected, *, traces_per_s: int = 100) -> Tracer:
    return Tracer(collected.send, clock=SystemClock(), traces_per_s=traces_per_s)


async def answer_with_parent(request: Request) -> Response:
    await request.read(LIMIT)
    return Response(200, [], request.header(b"traceparent") or b"none")


async def invoke_from(world: GatewayWorld, parent: str) -> bytes:
    client = world.client()
    client.meta.events.register(
        "before-sign.sagemaker-runtime.InvokeEndpoint",
        lambda request, **_: request.headers.add_header("traceparent", parent),
    )
    answer: dict[str, Any] = await asyncio.to_thread(invoke, client, b"5.1,3.5")
    return bytes(answer["Body"])


async def serve_iris(world: GatewayWorld, **options: Any) -> None:
    await world.instance("i-1", answer_with_parent)
    await world.publish(("AllTraffic", 1.0, ["i-1"]), **options)


async def test_an_invocation_is_a_part_of_its_callers_trace_and_the_containers_parent(tmp_path: Path) -> None:
    collected = Collected()
    async with running_gateway(tmp_path, tracer=tracer(collected, traces_per_s=0)) as world:
        await serve_iris(world)
        seen = await invoke_from(world, f"00-{TRACE_ID:032x}-{CALLER_ID:016x}-01")
    whole, wait, asking = (collected.named(name) for name in ("InvokeEndpoint", "wait for instance", "ask instance"))
    assert {TRACE_ID} == {span.trace_id for span in collected}
    assert (CALLER_ID, whole.id, whole.id) == (whole.parent_id, wait.parent_id, asking.parent_id)
    assert (SpanKind.SERVER, SpanKind.CLIENT) == (whole.kind, asking.kind)
    assert f"00-{TRACE_ID:032x}-{asking.id:016x}-01".encode() == seen
    assert whole.began_ns == wait.began_ns <= wait.ended_ns == asking.began_ns <= asking.ended_ns <= whole.ended_ns
    assert {
        "aws.sagemaker.endpoint.name": "iris",
        "aws.sagemaker.variant.name": "AllTraffic",
        "cloud.region": "eu-west-1",
        "host.id": "i-1",
        "http.response.status_code": 200,
        "rpc.method": "InvokeEndpoint",
    }.items() <= whole.attributes.items()
    assert {""} == {span.error for span in collected}


async def test_a_trace_that_its_caller_does_not_keep_goes_on_as_it_came(tmp_path: Path) -> None:
    collected = Collected()
    parent = f"00-{TRACE_ID:032x}-{CALLER_ID:016x}-00"
    async with running_gateway(tmp_path, tracer=tracer(collected)) as world:
        await serve_iris(world)
        assert parent.encode() == await invoke_from(world, parent)
    assert [] == collected


async def test_a_trace_is_begun_for_callers_without_one_as_often_as_the_setting_says(tmp_path: Path) -> None:
    for traces_per_s, expected in ((100, 1), (0, 0)):
        collected = Collected()
        folder = tmp_path / str(traces_per_s)
        folder.mkdir()
        async with running_gateway(folder, tracer=tracer(collected, traces_per_s=traces_per_s)) as world:
            await serve_iris(world)
            seen = (await world.invoke())["Body"]
        begun = [span for span in collected if span.name == "InvokeEndpoint"]
        assert expected == len(begun)
        assert (b"none" == seen) == (expected == 0)
        assert {0} >= {span.parent_id for span in begun}


async def test_each_of_several_containers_has_a_span(tmp_path: Path) -> None:
    collected = Collected()

    async def front(request: Request) -> Response:
        await request.read(LIMIT)
        return Response(200, [(b"x-moorage-container-latencies", b"scale=200,forest=1700")], b"1")

    async with running_gateway(tmp_path, tracer=tracer(collected)) as world:
        await world.instance("i-1", front)
        await world.publish(("AllTraffic", 1.0, ["i-1"]), containers=("scale", "forest"))
        await world.invoke()
    asking, scale, forest = (collected.named(name) for name in ("ask instance", "scale", "forest"))
    assert {asking.id} == {scale.parent_id, forest.parent_id}
    assert asking.began_ns == scale.began_ns < scale.ended_ns == forest.began_ns < forest.ended_ns
    assert [200, 1700] == [round((span.ended_ns - span.began_ns) / 1000) for span in (scale, forest)]


async def test_an_error_of_the_model_is_an_error_of_the_span(tmp_path: Path) -> None:
    collected = Collected()

    async def fail(request: Request) -> Response:
        await request.read(LIMIT)
        return Response(500, [], b"no")

    async with running_gateway(tmp_path, tracer=tracer(collected)) as world:
        await world.instance("i-1", fail)
        await world.publish(("AllTraffic", 1.0, ["i-1"]))
        await refused(world.invoke())
    assert ("ModelError", "ModelError") == (
        collected.named("InvokeEndpoint").error,
        collected.named("ask instance").error,
    )
    assert 424 == collected.named("InvokeEndpoint").attributes["http.response.status_code"]


async def test_who_is_not_let_in_has_no_trace(tmp_path: Path) -> None:
    collected = Collected()
    async with running_gateway(tmp_path, tracer=tracer(collected)) as world:
        await serve_iris(world)
        await refused(asyncio.to_thread(invoke, world.client(secret="wrong"), b"1"))
    assert [] == collected


async def test_spans_that_no_collector_takes_are_counted(tmp_path: Path) -> None:
    lost = tracer(Collected(takes=False))
    async with running_gateway(tmp_path, tracer=lost) as world:
        await serve_iris(world)
        await world.invoke()
    assert 3 == lost.dropped


async def test_spans_on_their_way_at_the_end_are_waited_for(tmp_path: Path) -> None:
    is_sending, go_on = threading.Event(), threading.Event()

    def refuse(_spans: Sequence[Span]) -> bool:
        is_sending.set()
        return not go_on.wait(60)

    lost = Tracer(refuse, clock=HastyClock(), traces_per_s=100)
    async with running_gateway(tmp_path, tracer=lost) as world:
        await serve_iris(world)
        await world.invoke()
        await asyncio.to_thread(is_sending.wait, 60)
        asyncio.get_running_loop().call_later(0.1, go_on.set)
    assert 3 == lost.dropped
