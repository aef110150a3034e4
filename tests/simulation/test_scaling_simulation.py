"""The whole of scaling in virtual time: load, metrics, alarms, policies, capacity; with the invariants of all of it."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
import pytest_asyncio

from moorage.control.scaling.speed import ScalingSpeed
from moorage.testing.scaling_load import LoadedWorld

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

COOLDOWN = timedelta(seconds=300)
SEEDS = range(4)


@pytest_asyncio.fixture
async def worlds() -> AsyncIterator[Callable[[ScalingSpeed], LoadedWorld]]:
    """Makes worlds, and ends them."""
    made: list[LoadedWorld] = []

    def make(speed: ScalingSpeed) -> LoadedWorld:
        made.append(LoadedWorld(speed))
        return made[-1]

    yield make
    for world in made:
        await world.close()


async def test_two_hundred_a_minute_at_seventy_are_three_instances_and_one_again_by_the_services_own_rule(
    worlds: Callable[[ScalingSpeed], LoadedWorld],
) -> None:
    loaded = worlds(ScalingSpeed.COMPATIBLE)
    world = loaded.world
    await world.deploy()
    await world.register(1, 5)
    alarms = (await world.track(70.0, name="seventy"))["Alarms"]
    await world.rest()

    await loaded.send(200, seconds=175)
    assert [] == world.counts
    await loaded.send(200, seconds=75)
    assert [3] == world.counts
    await loaded.send(200, seconds=1200)
    assert [3] == world.counts

    await loaded.send(30, seconds=14 * 60)
    assert [3] == world.counts
    await loaded.send(30, seconds=4 * 60)
    assert [3, 1] == world.counts

    out, back = await world.activities(all_of_them=False)
    assert f"monitor alarm {alarms[0]['AlarmName']} in state ALARM triggered policy seventy" == out["Cause"]
    assert f"monitor alarm {alarms[1]['AlarmName']} in state ALARM triggered policy seventy" == back["Cause"]


async def test_the_same_within_seconds_by_the_signal_of_one_second(
    worlds: Callable[[ScalingSpeed], LoadedWorld],
) -> None:
    loaded = worlds(ScalingSpeed.FAST)
    world = loaded.world
    await world.deploy()
    await world.register(1, 5)
    await world.track(70.0)
    await world.rest()

    await loaded.send(200, seconds=25)
    assert [3] == world.counts
    await loaded.send(200, seconds=1200)
    assert [3] == world.counts
    await loaded.send(30, seconds=290)
    assert [3] == world.counts
    await loaded.send(30, seconds=70)
    assert [3, 1] == world.counts


@pytest.mark.parametrize("speed", ScalingSpeed)
async def test_without_data_nothing_is_scaled(
    worlds: Callable[[ScalingSpeed], LoadedWorld], speed: ScalingSpeed
) -> None:
    loaded = worlds(speed)
    world = loaded.world
    await world.deploy(count=4)
    await world.register(1, 5)
    await world.track(70.0)
    await loaded.send(250, seconds=300)
    before = await world.count()

    await loaded.pause(3600)
    await loaded.send(250, seconds=60)

    assert before == await world.count()


@pytest.mark.parametrize("speed", ScalingSpeed)
@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_the_load_does(
    worlds: Callable[[ScalingSpeed], LoadedWorld], speed: ScalingSpeed, seed: int
) -> None:
    """Bounds are kept to, cooldowns are honoured, and every change has an activity with its cause."""
    draw = random.Random(seed)
    loaded = worlds(speed)
    world = loaded.world
    minimum, maximum = draw.randint(0, 2), draw.randint(3, 8)
    await world.deploy(count=2)
    await world.register(minimum, maximum)
    await world.track(draw.choice((30.0, 120.0)))
    for _ in range(12):
        await loaded.send(draw.choice((0, 20, 60, 300, 1500)), seconds=draw.randint(20, 400))
        if draw.random() < 0.2:
            await loaded.pause(draw.randint(5, 900))

    assert all(minimum <= count <= maximum for count in world.counts)
    changes = await world.activities(all_of_them=False)
    assert [f"Setting desired instance count to {count}." for count in world.counts] == [
        change["Description"] for change in changes
    ]
    assert all("triggered policy keep" in change["Cause"] for change in changes)
    counts = [2, *world.counts]
    times = [change["StartTime"] for change in changes]
    went_in = [after < before for before, after in itertools.pairwise(counts)]
    for number in range(1, len(changes)):
        if went_in[number] and went_in[number - 1]:
            assert times[number] - times[number - 1] >= COOLDOWN
