"""Which instance an invocation is sent to, waits for, or is refused by: through the gateway's real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moorage.core.model import InstanceId, RoutingStrategy
from moorage.gateway.admission import WAITING_BYTES_MAX
from moorage.system.clock import SystemClock
from moorage.testing.gateway_world import LIMIT, GatewayWorld, PatientClock, answering, refused, running_gateway
from moorage.testing.load import Target, signed_request
from moorage.wire.messages import Handler, Request, Response

ONE, TWO = "i-000000000000000a1", "i-000000000000000b2"
EXPIRES = "2026-01-01T12:00:00Z"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GatewayWorld]:
    async with running_gateway(tmp_path, clock=PatientClock()) as world:
        yield world


class StoppableClock(SystemClock):
    """Runs until it is stopped."""

    def __init__(self) -> None:
        self._stopped_at: float | None = None

    def stop(self) -> None:
        self._stopped_at = self.monotonic()

    def monotonic(self) -> float:
        return super().monotonic() if self._stopped_at is None else self._stopped_at


class Held:
    """An instance whose answers wait until they are let go."""

    def __init__(self, body: bytes = b"done") -> None:
        self.asked: list[bytes] = []
        self.go_on = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._body = body

    async def __call__(self, request: Request) -> Response:
        if request.path == b"/ping":
            return Response(200)
        async with self._arrived:
            self.asked.append(await request.read(LIMIT))
            self._arrived.notify_all()
        await self.go_on.wait()
        return Response(200, [], self._body)

    async def has(self, count: int) -> None:
        """So many requests have come in."""
        async with asyncio.timeout(60), self._arrived:
            await self._arrived.wait_for(lambda: len(self.asked) >= count)


def keeping_sessions(name: str) -> Handler:
    """A container that makes the session `s1`, closes it when told so, and says which session it was asked about."""

    async def handle(request: Request) -> Response:
        body = await request.read(LIMIT)
        asked = request.fields.get(b"x-amzn-sagemaker-session-id", b"none")
        fields = []
        if asked == b"NEW_SESSION":
            fields.append((b"X-Amzn-SageMaker-New-Session-Id", f"s1; Expires={EXPIRES}".encode()))
        if body == b"close":
            fields.append((b"X-Amzn-SageMaker-Closed-Session-Id", asked))
        return Response(200, fields, f"{name} {asked.decode()}".encode())

    return handle


async def test_a_session_stays_on_its_instance_until_it_is_closed(world: GatewayWorld) -> None:
    for name in (ONE, TWO):
        await world.instance(name, keeping_sessions(name))
    await world.publish(("AllTraffic", 1.0, [ONE, TWO]))
    opened = await world.invoke(SessionId="NEW_SESSION")
    home = opened["Body"].decode().split()[0]
    session_id, expires = opened["NewSessionId"].split("; ")
    assert (f"s1-{home[2:]}", f"Expires={EXPIRES}") == (session_id, expires)
    for _ in range(8):
        answer = await world.invoke(SessionId=session_id)
        assert f"{home} s1".encode() == answer["Body"]
        assert "NewSessionId" not in answer
    closed = await world.invoke(b"close", SessionId=session_id)
    assert session_id == closed["ClosedSessionId"]
    assert b"none" in (await world.invoke())["Body"]


async def test_sessions_that_are_nowhere(world: GatewayWorld) -> None:
    await world.instance(ONE, keeping_sessions(ONE))
    await world.instance(TWO, keeping_sessions(TWO))
    await world.publish(("A", 1.0, [ONE]), ("B", 1.0, [TWO]))
    here = f"s1-{ONE[2:]}"
    assert f"{ONE} s1".encode() == (await world.invoke(SessionId=here, TargetVariant="A"))["Body"]
    for arguments in ({"SessionId": "s1"}, {"SessionId": "s1-00"}, {"SessionId": here, "TargetVariant": "B"}):
        error = await refused(world.invoke(**arguments))
        assert ("ValidationError", 400) == (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"])
        assert f"Session {arguments['SessionId']} of endpoint iris not found." == error["Error"]["Message"]
    await world.publish(("A", 1.0, [TWO]))
    assert "not found" in (await refused(world.invoke(SessionId=here)))["Error"]["Message"]


async def test_a_container_that_names_its_session_wrongly_is_at_fault(world: GatewayWorld) -> None:
    await world.instance(ONE, answering(body=b"x", X_Amzn_SageMaker_New_Session_Id="s1"))
    await world.publish(("AllTraffic", 1.0, [ONE]))
    error = await refused(world.invoke(SessionId="NEW_SESSION"))
    assert ("ModelError", 0) == (error["Error"]["Code"], error["OriginalStatusCode"])
    assert b"x" == (await world.invoke())["Body"]


async def test_a_request_waits_for_a_slot(world: GatewayWorld) -> None:
    held = Held()
    await world.instance(ONE, held)
    await world.publish(("AllTraffic", 1.0, [ONE]), concurrency_max=2)
    requests = [asyncio.create_task(world.invoke(b"%d" % number)) for number in range(5)]
    await held.has(2)
    await _until_waiting(world, 3)
    assert 2 == len(held.asked)
    held.go_on.set()
    assert [b"done"] * 5 == [(await request)["Body"] for request in requests]
    assert {b"0", b"1", b"2", b"3", b"4"} == set(held.asked)


async def test_a_session_waits_for_its_own_instance(world: GatewayWorld) -> None:
    one, two = Held(b"one"), Held(b"two")
    await world.instance(ONE, one)
    await world.instance(TWO, two)
    await world.publish(("AllTraffic", 1.0, [ONE, TWO]), concurrency_max=1)
    session = {"SessionId": f"s1-{ONE[2:]}"}
    requests = [asyncio.create_task(world.invoke(**session)) for _ in range(3)]
    await one.has(1)
    one.go_on.set()
    assert [b"one"] * 3 == [(await request)["Body"] for request in requests]
    assert [] == two.asked


async def test_who_leaves_while_waiting_is_not_sent(world: GatewayWorld) -> None:
    held = Held()
    await world.instance(ONE, held)
    await world.publish(("AllTraffic", 1.0, [ONE]), concurrency_max=1)
    first = asyncio.create_task(world.invoke(b"first"))
    await held.has(1)
    _, leaving = await _send(world, b"leaving")
    await _until_waiting(world, 1)
    leaving.close()
    await _until_waiting(world, 0)
    last = asyncio.create_task(world.invoke(b"last"))
    await _until_waiting(world, 1)
    held.go_on.set()
    assert b"done" == (await last)["Body"]
    assert b"done" == (await first)["Body"]
    assert [b"first", b"last"] == held.asked


async def test_who_cannot_wait_is_refused_at_once(world: GatewayWorld) -> None:
    held = Held()
    await world.instance(ONE, held)
    await world.publish(("AllTraffic", 1.0, [ONE]), concurrency_max=1)
    body = bytes(LIMIT)
    fitting = WAITING_BYTES_MAX // LIMIT
    callers = [await _send(world, body) for _ in range(1 + fitting)]
    await held.has(1)
    await _until_waiting(world, fitting)
    error = await refused(world.invoke(body))  # a place in the queue would have held it for longer than callers wait
    assert ("ServiceUnavailable", 503) == (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"])
    assert "1" == error["ResponseMetadata"]["HTTPHeaders"]["retry-after"]
    held.go_on.set()
    for reader, writer in callers:
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_waiters_follow_their_variant_to_new_instances(world: GatewayWorld) -> None:
    held = Held()
    await world.instance(ONE, held)
    await world.instance(TWO, answering(body=b"new"))
    await world.publish(("AllTraffic", 1.0, [ONE]), concurrency_max=1)
    first = asyncio.create_task(world.invoke())
    await held.has(1)
    waiting = [asyncio.create_task(world.invoke()) for _ in range(3)]
    await _until_waiting(world, 3)
    await world.publish(("AllTraffic", 1.0, [TWO]), concurrency_max=1)
    assert [b"new"] * 3 == [(await request)["Body"] for request in waiting]
    held.go_on.set()
    assert b"done" == (await first)["Body"]


async def test_waiters_of_a_variant_that_is_gone_go_to_another(world: GatewayWorld) -> None:
    held = Held()
    await world.instance(ONE, held)
    await world.instance(TWO, answering(body=b"new"))
    await world.publish(("Old", 1.0, [ONE]), concurrency_max=1)
    first = asyncio.create_task(world.invoke())
    await held.has(1)
    waiting = asyncio.create_task(world.invoke())
    await _until_waiting(world, 1)
    await world.publish(("New", 1.0, [TWO]))
    answer = await waiting
    assert (b"new", "New") == (answer["Body"], answer["InvokedProductionVariant"])
    held.go_on.set()
    await first


async def test_a_silent_instance_is_left_out_until_it_answers_its_ping(tmp_path: Path) -> None:
    going = asyncio.Event()

    async def frozen(request: Request) -> Response:
        await going.wait()
        return Response(200, [], b"frozen")

    clock = StoppableClock()
    async with running_gateway(tmp_path, clock=clock) as world:
        await world.instance(ONE, frozen)
        await world.publish(("AllTraffic", 1.0, [ONE]))
        stuck = asyncio.create_task(world.invoke())
        async with asyncio.timeout(60):
            while not _is_suspended(world, ONE):
                await asyncio.sleep(0.01)
        clock.stop()  # the other one is not to seem silent, however slow the machine is
        await world.instance(TWO, answering(body=b"well"))
        await world.publish(("AllTraffic", 1.0, [ONE, TWO]), routing_strategy=RoutingStrategy.RANDOM)
        assert [b"well"] * 12 == [(await world.invoke())["Body"] for _ in range(12)]
        going.set()
        assert b"frozen" == (await stuck)["Body"]
        async with asyncio.timeout(60):
            while (await world.invoke())["Body"] != b"frozen":
                pass


async def _send(world: GatewayWorld, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """An invocation on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    target = Target(f"http://127.0.0.1:{world.port}", "iris", "AKIA", "secret", region="eu-west-1", body=body)
    writer.write(signed_request(target))
    await writer.drain()
    return reader, writer


async def _until_waiting(world: GatewayWorld, count: int) -> None:
    async with asyncio.timeout(60):
        while sum(len(queue.waiters) for queue in _live(world).occupied) != count:
            await asyncio.sleep(0.01)


def _is_suspended(world: GatewayWorld, name: str) -> bool:
    instance = _live(world)._instances.get(InstanceId(name))
    return instance is not None and instance.health.is_suspended


def _live(world: GatewayWorld) -> Any:
    return world.gateway._tables.live
