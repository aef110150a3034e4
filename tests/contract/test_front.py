"""The front of an instance with several containers, before containers that are handlers on Unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from moorage.gateway import containers as gateways_side
from moorage.runtime.front import containers, course, parts
from moorage.runtime.front.containers import Containers
from moorage.runtime.front.parts import FrontContainer, FrontPlan
from moorage.runtime.front.server import Front
from moorage.runtime.multi_model.faults import REFUSAL
from moorage.wire.answer import Answer
from moorage.wire.client import Client
from moorage.wire.messages import Disconnected, Handler, HeaderList, Request, Response
from moorage.wire.server import Server, serve

BODY_BYTES = 25 * 1024 * 1024


@dataclass
class World:
    """A front, and what is behind it."""

    folder: Path
    client: Client = field(default_factory=Client)
    servers: dict[str, Server] = field(default_factory=dict)

    async def container(self, name: str, handler: Handler, *, is_multi_model: bool = False) -> FrontContainer:
        """A container that answers so."""
        path = self.folder / f"{name}.sock"
        self.servers[name] = await serve(handler, path=path)
        return FrontContainer(name, str(path), is_multi_model)

    async def front(self, *containers: FrontContainer, is_serial: bool = True) -> None:
        """Serve a front before them."""
        front = Front(FrontPlan(containers, is_serial), Containers())
        self.servers["front"] = await serve(front, path=self.folder / "front.sock")

    async def invoke(self, body: bytes = b"x", fields: HeaderList | None = None) -> Answer:
        """POST /invocations."""
        headers = [(b"Host", b"localhost"), *(fields or [(b"content-type", b"text/plain")])]
        address = str(self.folder / "front.sock")
        return await self.client.request(address, b"POST", b"/invocations", headers=headers, body=body)

    async def ask(self, body: bytes = b"x", fields: HeaderList | None = None) -> tuple[int, bytes]:
        """Status and body of an invocation."""
        answer = await self.invoke(body, fields)
        return answer.status, await answer.read(BODY_BYTES)

    async def ping(self) -> int:
        """GET /ping."""
        return (await self.client.request(str(self.folder / "front.sock"), b"GET", b"/ping")).status


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    async with asyncio.timeout(60):
        yield world
    world.client.close()
    for server in world.servers.values():
        await server.close(grace_s=1)


def appending(name: str, *fields: tuple[bytes, bytes], status: int = 200) -> Handler:
    """A container that adds its name to the body, and says what it got beside it."""

    async def handle(request: Request) -> Response:
        if request.path == b"/ping":
            return Response(200)
        said = b"|".join(request.fields.get(each, b"-") for each in (b"content-type", b"accept"))
        body = b"%b>%b(%b)" % (await request.read(BODY_BYTES), name.encode(), said)
        return Response(status, [(b"content-type", b"text/" + name.encode()), *fields], body)

    return handle


def noting(seen: list[Request], *fields: tuple[bytes, bytes]) -> Handler:
    """A container that keeps what it was asked."""

    async def handle(request: Request) -> Response:
        seen.append(request)
        return Response(200, list(fields), await request.read(BODY_BYTES))

    return handle


async def test_both_sides_speak_of_containers_in_the_same_words() -> None:
    for name in ("CONTAINER", "FAILURE", "LATENCIES"):
        assert getattr(gateways_side, name) == getattr(parts, name)
    assert gateways_side.TARGET_CONTAINER == parts.TARGET


async def test_each_container_gets_the_answer_of_the_one_before_it(world: World) -> None:
    await world.front(*[await world.container(name, appending(name)) for name in ("a", "b", "c")])
    answer = await world.invoke(fields=[(b"content-type", b"text/csv"), (b"accept", b"application/json")])
    assert b"x>a(text/csv|-)>b(text/a|-)>c(text/b|application/json)" == await answer.read(1_000)
    assert (200, b"text/c", b"c") == (answer.status, answer.fields[b"content-type"], answer.fields[parts.CONTAINER])


async def test_the_last_custom_attributes_that_were_set_reach_the_next_and_the_caller(world: World) -> None:
    seen: list[Request] = []
    attributes = b"x-amzn-sagemaker-custom-attributes"
    first = await world.container("first", noting(seen))
    second = await world.container("second", noting(seen, (attributes, b"set by second")))
    third = await world.container("third", noting(seen))
    await world.front(first, second, third)
    answer = await world.invoke(fields=[(attributes, b"caller's")])
    assert [b"caller's", b"caller's", b"set by second"] == [each.fields[attributes] for each in seen]
    assert b"set by second" == answer.fields[attributes]


async def test_attributes_that_no_container_sets_do_not_come_back(world: World) -> None:
    await world.front(*[await world.container(name, noting([])) for name in ("a", "b")])
    answer = await world.invoke(fields=[(b"x-amzn-sagemaker-custom-attributes", b"caller's")])
    assert b"x-amzn-sagemaker-custom-attributes" not in answer.fields


async def test_only_the_multi_model_container_hears_of_the_target_model(world: World) -> None:
    seen: list[Request] = []
    plain = await world.container("plain", noting(seen))
    multi = await world.container("multi", noting(seen), is_multi_model=True)
    await world.front(plain, multi)
    await world.invoke(fields=[(b"x-amzn-sagemaker-target-model", b"m.tar.gz"), (b"x-amzn-requestid", b"r-1")])
    assert [None, b"m.tar.gz"] == [each.fields.get(b"x-amzn-sagemaker-target-model") for each in seen]
    assert [b"r-1", b"r-1"] == [each.fields[b"x-amzn-requestid"] for each in seen]


@pytest.mark.parametrize("status", [400, 415, 500, 503])
async def test_an_answer_that_is_no_success_ends_the_chain(world: World, status: int) -> None:
    seen: list[Request] = []
    first = await world.container("first", appending("first", status=status))
    await world.front(first, await world.container("second", noting(seen)))
    answer = await world.invoke()
    assert (status, b"first") == (answer.status, answer.fields[parts.CONTAINER])
    assert b"x>first(text/plain|-)" == await answer.read(1_000)
    assert [] == seen
    assert parts.FAILURE not in answer.fields


async def test_only_the_multi_model_container_refuses_in_the_platforms_name(world: World) -> None:
    refusing = appending("refuses", (REFUSAL, b"ModelNotReadyException"), status=429)
    for name, is_multi_model in (("plain", False), ("multi", True)):
        first = await world.container(name, refusing, is_multi_model=is_multi_model)
        await world.front(first, await world.container(f"behind-{name}", noting([])))
        answer = await world.invoke()
        assert (429, is_multi_model) == (answer.status, REFUSAL in answer.fields)
        await world.servers["front"].close(grace_s=1)


async def test_a_container_is_asked_directly_by_its_name(world: World) -> None:
    await world.front(*[await world.container(name, appending(name)) for name in ("a", "b")], is_serial=False)
    kind = (b"content-type", b"text/csv")
    assert (200, b"x>b(text/csv|image/png)") == await world.ask(
        fields=[kind, (b"accept", b"image/png"), (parts.TARGET, b"b")]
    )
    for fields in ([kind], [kind, (parts.TARGET, b"c")]):
        assert 404 == (await world.ask(fields=fields))[0]


async def test_the_latency_of_each_container_is_told(world: World) -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.05)
        return Response(200, [], await request.read(BODY_BYTES))

    await world.front(await world.container("quick", noting([])), await world.container("slow", slow))
    began = time.perf_counter()
    found = gateways_side.latencies((await world.invoke()).fields[parts.LATENCIES])
    assert ["quick", "slow"] == list(found)
    assert found["slow"] >= 50_000
    assert sum(found.values()) <= (time.perf_counter() - began) * 1e6, "what one takes is not counted for two"


async def test_a_large_body_passes_whole(world: World) -> None:
    await world.front(*[await world.container(name, noting([])) for name in ("a", "b", "c")])
    body = bytes(range(256)) * (BODY_BYTES // 256)
    assert (200, body) == await world.ask(body)


async def test_the_last_container_streams(world: World) -> None:
    gate = asyncio.Event()

    async def streaming(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            await gate.wait()
            yield b"second"

        return Response(200, [(b"content-type", b"text/event-stream")], body())

    await world.front(await world.container("plain", noting([])), await world.container("streams", streaming))
    stream = (await world.invoke()).stream()
    assert b"first" == await anext(stream)
    gate.set()
    assert b"second" == await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_an_answer_that_breaks_off_does_not_reach_the_next_container(world: World) -> None:
    seen: list[Request] = []

    async def breaking(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"half"
            raise ValueError("broken")

        return Response(200, [], body())

    await world.front(await world.container("breaks", breaking), await world.container("next", noting(seen)))
    answer = await world.invoke()
    assert (502, b"breaks", b"broken") == (
        answer.status,
        answer.fields[parts.CONTAINER],
        answer.fields[parts.FAILURE],
    )
    assert b"the connection was closed" in await answer.read(1_000)
    assert [] == seen


@pytest.mark.parametrize("begins", [False, True])
async def test_a_container_that_is_too_late_is_named(
    world: World, begins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "INVOCATION_S", 30.0)  # less than the caller waits
    loop, forever = asyncio.get_running_loop(), asyncio.Event()

    def let_time_pass() -> None:
        """The loop's clock goes on in a jump, and all that waits for an earlier time has its turn."""
        time_until_now = loop.time
        monkeypatch.setattr(loop, "time", lambda: time_until_now() + course.INVOCATION_S)

    async def dawdling(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"half"
            let_time_pass()
            await forever.wait()

        if not begins:
            let_time_pass()
            await forever.wait()
        return Response(200, [], body())

    names = ("first", "dawdles", "last")
    await world.front(*[await world.container(name, dawdling if name == "dawdles" else noting([])) for name in names])
    answer = await world.invoke()
    assert (504, b"dawdles", b"late") == (answer.status, answer.fields[parts.CONTAINER], answer.fields[parts.FAILURE])


async def test_a_container_that_is_gone_is_named_without_a_path(world: World) -> None:
    gone = FrontContainer("gone", str(world.folder / "gone.sock"))
    await world.front(await world.container("there", noting([])), gone)
    answer = await world.invoke()
    said = await answer.read(1_000)
    assert (502, b"gone") == (answer.status, answer.fields[parts.CONTAINER])
    assert str(world.folder).encode() not in said


async def test_a_caller_that_leaves_is_not_worked_for_any_more(world: World) -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def hanging(request: Request) -> Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    await world.front(await world.container("hangs", hanging), await world.container("last", noting([])))
    invocation = asyncio.create_task(world.invoke())
    await begun.wait()
    invocation.cancel()
    await left.wait()
    with contextlib.suppress(asyncio.CancelledError, Disconnected):
        await invocation


def pinging(asked: list[str], name: str, well: Callable[[], Awaitable[bool]]) -> Handler:
    async def handle(request: Request) -> Response:
        asked.append(name)
        return Response(200 if await well() else 500)

    return handle


async def test_a_ping_asks_all_containers_once_for_everybody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_PING_AGE_S", 60.0)  # for which it is known that they are well
    asked: list[str] = []
    gate = asyncio.Event()

    async def well() -> bool:
        await gate.wait()
        return True

    await world.front(*[await world.container(name, pinging(asked, name, well)) for name in ("a", "b")])
    pings = [asyncio.create_task(world.ping()) for _ in range(10)]
    while len(asked) < 2:
        await asyncio.sleep(0)
    assert not any(ping.done() for ping in pings)
    gate.set()
    assert [200] * 10 == await asyncio.gather(*pings)
    assert 200 == await world.ping()
    assert ["a", "b"] == sorted(asked)


async def test_an_instance_is_not_well_when_a_container_is_not(world: World) -> None:
    health = {"a": True, "b": False}

    async def well_a() -> bool:
        return health["a"]

    async def well_b() -> bool:
        return health["b"]

    a = await world.container("a", pinging([], "a", well_a))
    await world.front(a, await world.container("b", pinging([], "b", well_b)))
    assert 503 == await world.ping()
    health["b"] = True
    assert 200 == await world.ping()


async def test_many_invocations_at_once_do_not_mix(world: World) -> None:
    await world.front(*[await world.container(name, appending(name)) for name in ("a", "b", "c")])
    bodies = [b"%d" % number for number in range(200)]
    answers = await asyncio.gather(*(world.ask(body) for body in bodies))
    assert [(200, body + b">a(text/plain|-)>b(text/a|-)>c(text/b|-)") for body in bodies] == answers
