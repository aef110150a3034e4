"""Endpoints of many models, through a gateway on a real port."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moorage.gateway.target_models import REFUSAL, TARGET_MODEL
from moorage.testing.gateway_world import GatewayWorld, PatientClock, refused, running_gateway
from moorage.wire.messages import Handler, Request, Response


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GatewayWorld]:
    async with running_gateway(tmp_path, clock=PatientClock()) as world:
        yield world


def telling(name: str) -> Handler:
    async def handle(request: Request) -> Response:
        return Response(200, [], b"%b on %b" % (request.fields[TARGET_MODEL], name.encode()))

    return handle


def refusing(status: int, code: bytes) -> Handler:
    async def handle(_request: Request) -> Response:
        return Response(status, [(REFUSAL, code)], b"the reason")

    return handle


async def test_a_model_is_asked_for_on_the_same_instance_every_time(world: GatewayWorld) -> None:
    names = [f"i-{number}" for number in range(3)]
    for name in names:
        await world.instance(name, telling(name))
    await world.publish(("AllTraffic", 1.0, names), is_multi_model=True)
    answers: Counter[bytes] = Counter()
    for number in range(60):
        answer = await world.invoke(TargetModel=f"m{number % 12}.tar.gz")
        answers[answer["Body"]] += 1
    assert {5} == set(answers.values())
    assert set(names) == {answer.decode().split(" on ")[1] for answer in answers}


@pytest.mark.parametrize(
    ("expected", "status", "code"),
    [
        (("ModelNotReadyException", 429), 429, b"ModelNotReadyException"),
        (("ValidationError", 400), 400, b"ValidationError"),
        (("ServiceUnavailable", 503), 507, b"ServiceUnavailable"),
    ],
)
async def test_what_the_platform_refuses_is_not_laid_to_the_model(
    world: GatewayWorld, expected: tuple[str, int], status: int, code: bytes
) -> None:
    await world.instance("i-1", refusing(status, code))
    await world.publish(("AllTraffic", 1.0, ["i-1"]), is_multi_model=True)
    answer = await refused(world.invoke(TargetModel="m"))
    assert expected == (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
    assert "the reason" == answer["Error"]["Message"]


async def test_a_single_model_cannot_speak_for_the_platform(world: GatewayWorld) -> None:
    await world.instance("i-1", refusing(429, b"ModelNotReadyException"))
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    assert "ModelError" == (await refused(world.invoke()))["Error"]["Code"]


async def test_an_endpoint_of_one_model_takes_no_target(world: GatewayWorld) -> None:
    await world.instance("i-1", telling("i-1"))
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    answer = await refused(world.invoke(TargetModel="m"))
    expected = "is not a multi-model endpoint and does not support target model header."
    assert answer["Error"]["Message"].endswith(expected)
