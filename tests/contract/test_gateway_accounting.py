"""What a real gateway counts: every invocation once, on the series it ended on, as what it came to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from moorage.core.traffic import Outcome, SeriesKey, Tallies, Tally
from moorage.gateway.invoke import Invocation
from moorage.telemetry.ledger_images import advance, key_of
from moorage.telemetry.ledger_reader import LedgerReader
from moorage.testing.gateway_world import GatewayWorld, answering, invoke, refused, running_gateway
from moorage.testing.load import Target, signed_request
from moorage.wire.messages import Request, Response

ENDPOINT = SeriesKey("eu-west-1", "iris", "config")
VARIANT = ENDPOINT._replace(variant="AllTraffic")
ONE = VARIANT._replace(instance="i-1")
TWO = VARIANT._replace(instance="i-2")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GatewayWorld]:
    async with running_gateway(tmp_path) as world:
        yield world


def counted(world: GatewayWorld) -> Tallies:
    """All that was counted of anything, but for series that nothing was counted of."""
    with contextlib.closing(LedgerReader(world.folder / "ledger.ledger")) as reader:
        tallies = {key_of(image): advance({}, image)[1] for image in reader.changes({}).values()}
    return {key: tally for key, tally in tallies.items() if tally != Tally()}


def outcomes(world: GatewayWorld) -> dict[SeriesKey, dict[Outcome, int]]:
    """By series, what its invocations have come to."""
    return {
        key: {outcome: count for outcome, count in zip(Outcome, tally.outcomes, strict=True) if count}
        for key, tally in counted(world).items()
    }


async def test_a_success_has_its_latencies_and_its_bytes(world: GatewayWorld) -> None:
    async def handle(request: Request) -> Response:
        await asyncio.sleep(0.05)
        return Response(200, [], b"four")

    await world.instance("i-1", handle)
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    for _ in range(3):
        await world.invoke(b"1,2")
    tally = counted(world)[ONE]
    assert {ONE} == counted(world).keys()
    assert {ONE: {Outcome.SUCCESS: 3}} == outcomes(world)
    assert (3, 3, 9, 12, 3.0, 0) == (
        tally.model.count,
        tally.overhead.count,
        tally.bytes_in,
        tally.bytes_out,
        tally.per_instance,
        tally.in_flight,
    )
    assert 50_000 <= tally.model.mean_us < 30_000_000
    assert 0 < tally.overhead.mean_us < 30_000_000


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (201, Outcome.SUCCESS),
        (302, Outcome.OTHER_ANSWER),
        (400, Outcome.CLIENT_ERROR),
        (500, Outcome.SERVER_ERROR),
        (503, Outcome.SERVER_ERROR),
    ],
)
async def test_what_the_model_says_is_what_the_invocation_came_to(
    world: GatewayWorld, status: int, outcome: Outcome
) -> None:
    await world.instance("i-1", answering(status, b"said"))
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    with contextlib.suppress(ClientError):
        await world.invoke()
    assert {ONE: {outcome: 1}} == outcomes(world)
    assert 1 == counted(world)[ONE].model.count


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"])
async def test_silence_and_nonsense_are_no_answer(world: GatewayWorld, answer: bytes) -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async with world.instance_of_bytes("i-1", speak):
        await world.publish(("AllTraffic", 1.0, ["i-1"]))
        await refused(world.invoke())
    assert {ONE: {Outcome.NO_ANSWER: 1}} == outcomes(world)
    assert (1, 0) == (counted(world)[ONE].model_errors, counted(world)[ONE].in_flight)


async def test_an_invocation_that_went_on_to_another_instance_counts_there_alone(world: GatewayWorld) -> None:
    await world.instance("i-2", answering(body=b"two"))
    await world.publish(("AllTraffic", 1.0, ["i-1", "i-2"]))
    for _ in range(12):
        await world.invoke()
    assert {TWO: {Outcome.SUCCESS: 12}} == outcomes(world)
    assert 6.0 == counted(world)[TWO].per_instance


async def test_what_we_refuse_is_an_invocation_that_no_model_has_seen(world: GatewayWorld) -> None:
    await world.publish(("AllTraffic", 1.0, []), fault="The model has no inference.py.")
    await refused(world.invoke())
    assert {ENDPOINT: {Outcome.REFUSED: 1}} == outcomes(world)
    await world.publish(("AllTraffic", 1.0, ["i-1"]), fault="The model has no inference.py.")  # nobody listens there
    await refused(world.invoke())
    assert {ENDPOINT: {Outcome.REFUSED: 1}, VARIANT: {Outcome.REFUSED: 1}} == outcomes(world)
    assert 0 == sum(tally.model_errors + tally.model.count for tally in counted(world).values())


async def test_what_was_not_for_the_endpoint_is_no_invocation(world: GatewayWorld) -> None:
    await world.instance("i-1", answering())
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    for arguments in ({"EndpointName": "other"}, {"TargetVariant": "Other"}, {"TargetModel": "m.tar.gz"}):
        await refused(world.invoke(**arguments))
    await refused(asyncio.to_thread(invoke, world.client(secret="wrong"), b""))
    await refused(world.invoke(bytes(7_000_000)))
    assert {} == outcomes(world)


async def test_a_caller_that_leaves_is_counted_and_no_longer_in_flight(world: GatewayWorld) -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def handle(request: Request) -> Response:
        entered.set()
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()
        return Response(200, [], b"")

    await world.instance("i-1", handle)
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    _, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(signed_request(Target(f"http://127.0.0.1:{world.port}", "iris", "AKIA", "secret", region="eu-west-1")))
    async with asyncio.timeout(60):
        await entered.wait()
        assert 1 == counted(world)[ONE].in_flight
        writer.close()
        await cancelled.wait()
    assert {ONE: {Outcome.ABANDONED: 1}} == outcomes(world)
    assert 0 == counted(world)[ONE].in_flight


@pytest.mark.parametrize(
    ("expected", "status", "code"),
    [({Outcome.REFUSED: 1}, 429, "ModelNotReadyException"), ({}, 400, "ValidationError")],
)
async def test_what_an_instance_of_many_models_refuses_leaves_nothing_in_flight(
    world: GatewayWorld, expected: dict[Outcome, int], status: int, code: str
) -> None:
    await world.instance("i-1", answering(status, b"not now", x_moorage_refusal=code))
    await world.publish(("AllTraffic", 1.0, ["i-1"]), is_multi_model=True)
    assert code == (await refused(world.invoke(TargetModel="m")))["Error"]["Code"]
    assert expected == outcomes(world).get(ONE, {})
    assert 0 == counted(world).get(ONE, Tally()).in_flight


async def test_a_fault_of_ours_leaves_nothing_in_flight(world: GatewayWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("on purpose")

    await world.instance("i-1", answering())
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    monkeypatch.setattr(Invocation, "_send", fail)
    error = await refused(world.invoke())
    assert 500 == error["ResponseMetadata"]["HTTPStatusCode"]
    assert {Outcome.REFUSED: 1} == outcomes(world)[ONE]
    assert 0 == counted(world)[ONE].in_flight
