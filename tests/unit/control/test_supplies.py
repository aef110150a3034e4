"""Answering what running instances ask for, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moorage.control.supplies import Supplies
from moorage.core.faults import ModelDataUnusable
from moorage.core.model import DataForm, ModelData
from moorage.runners.base import ModelFile, ModelFiles, RunnerError
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

DATA = ModelData("s3://models/many/a.tar.gz")
FILES = ModelFiles(DataForm.ARCHIVE, "d1", (ModelFile("model.tar.gz", Path("/archive")),))


class Agent:
    """What is demanded of it, and what it is told."""

    def __init__(self) -> None:
        self.demands: asyncio.Queue[ModelData] = asyncio.Queue()
        self.told: list[object] = []
        self.is_away = False
        self.hesitates_s = 0.0
        """Between what it is told and its word that it was."""

    async def demanded(self) -> AsyncIterator[ModelData]:
        while True:
            yield await self.demands.get()

    async def supply(self, data: ModelData, files: ModelFiles) -> None:
        self._check()
        self.told.append((data.uri, files.digest))
        await asyncio.sleep(self.hesitates_s)

    async def refuse(self, data: ModelData, reason: str, *, is_gone: bool) -> None:
        self._check()
        self.told.append((data.uri, reason, is_gone))
        await asyncio.sleep(self.hesitates_s)

    def _check(self) -> None:
        if self.is_away:
            raise RunnerError("the agent is away")


class Source:
    """Where model data comes from: fails as often as told."""

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.fetched = 0
        self.takes_s = 0.0

    async def __call__(self, data: ModelData) -> ModelFiles:
        self.fetched += 1
        await asyncio.sleep(self.takes_s)
        if self.faults:
            raise self.faults.pop(0)
        return FILES


class World:
    def __init__(self) -> None:
        self.agent = Agent()
        self.source = Source()
        self.supplies = Supplies(self.agent, self.source, LoopClock())

    async def demand(self, data: ModelData = DATA) -> None:
        await self.agent.demands.put(data)

    async def told(self, count: int) -> list[object]:
        while len(self.agent.told) < count:
            await asyncio.sleep(0.01)
        return self.agent.told


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    world.supplies.open()
    yield world
    await world.supplies.close()


async def test_what_is_demanded_is_fetched_and_supplied(world: World) -> None:
    await world.demand()
    assert [(DATA.uri, "d1")] == await world.told(1)


async def test_what_is_demanded_twice_is_fetched_once(world: World) -> None:
    world.source.takes_s = 5.0
    for _ in range(3):
        await world.demand()
    await world.told(1)
    assert 1 == world.source.fetched
    await world.demand()
    await world.told(2)
    assert 2 == world.source.fetched


@pytest.mark.parametrize("faults", [[], [ModelDataUnusable("the object does not exist")]], ids=["supplied", "refused"])
async def test_what_is_demanded_anew_before_the_answer_is_known_to_have_come_is_answered_too(
    world: World, faults: list[Exception]
) -> None:
    world.agent.hesitates_s = 1.0
    world.source.faults = [*faults]
    await world.demand()
    await world.told(1)
    await world.demand()
    async with asyncio.timeout(60.0):
        assert (DATA.uri, "d1") == (await world.told(2))[1]


async def test_what_is_not_there_is_refused_at_once(world: World) -> None:
    world.source.faults = [ModelDataUnusable("the object does not exist")]
    await world.demand()
    [(uri, reason, is_gone)] = await world.told(1)
    assert (DATA.uri, True) == (uri, is_gone)
    assert reason.startswith("Failed to download model data(bucket: models, key: many/a.tar.gz). Please ensure")


async def test_what_fails_for_now_is_tried_again(world: World) -> None:
    world.source.faults = [OSError("disk full"), OSError("disk full")]
    await world.demand()
    assert [(DATA.uri, "d1")] == await world.told(1)


async def test_what_goes_on_failing_is_not_taken_for_gone(world: World) -> None:
    world.source.faults = [OSError("S3 is away")] * 9
    await world.demand()
    expected = "The model data at s3://models/many/a.tar.gz cannot be fetched just now."
    assert [(DATA.uri, expected, False)] == await world.told(1)


async def test_an_agent_that_is_away_asks_again(world: World) -> None:
    world.agent.is_away = True
    await world.demand()
    await asyncio.sleep(1.0)
    world.agent.is_away = False
    await world.demand()
    assert [(DATA.uri, "d1")] == await world.told(1)


async def test_one_that_takes_long_holds_up_no_other(world: World) -> None:
    other = ModelData("s3://models/many/b.tar.gz")
    world.source.takes_s = 60.0
    await world.demand()
    await asyncio.sleep(0.1)
    world.source.takes_s = 0.0
    await world.demand(other)
    assert [(other.uri, "d1"), (DATA.uri, "d1")] == await world.told(2)
