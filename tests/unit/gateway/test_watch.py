"""Instances that fall silent, in virtual time."""

import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from weakref import ref

import pytest

from moorage.core.model import InstanceId, RoutingStrategy
from moorage.gateway.admission import Allowance, Queue
from moorage.gateway.health import Health
from moorage.gateway.pick import make_pick
from moorage.gateway.probing import Prober
from moorage.gateway.watch import Watch
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@dataclass(eq=False)
class Fake:
    """An instance that answers pings unless it is frozen, and requests every `pace_s`."""

    address: str
    id: InstanceId = field(default_factory=lambda: InstanceId("i-1"))
    in_flight: int = 0
    slots: int = 10
    is_watched: bool = False
    allowance: Allowance = field(default_factory=lambda: Allowance(10))
    health: Health = field(default_factory=Health)
    queue: "Queue[Fake]" = field(default_factory=lambda: Queue(set()))
    going: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.going.set()

    def freeze(self) -> None:
        self.going.clear()

    def go_on(self) -> None:
        self.going.set()

    def is_out(self) -> bool:
        return self.health.is_ejected(LoopClock().monotonic())


@dataclass
class World:
    watch: Watch
    fleet: dict[str, Fake]
    pings: list[float]

    def instance(self, name: str = "i-1") -> Fake:
        """One with requests on it that it does not answer."""
        instance = self.fleet[name] = Fake(name, in_flight=1)
        self.watch.add(instance)
        return instance


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock, fleet, pings = LoopClock(), dict[str, Fake](), list[float]()

    async def ping(address: str) -> bool:
        pings.append(clock.monotonic())
        instance = fleet.get(address)
        if instance is None:
            return False
        await instance.going.wait()
        return True

    watch = Watch(Prober(ping, clock=clock), clock=clock)
    watch.start()
    yield World(watch, fleet, pings)
    await watch.close()


async def test_a_frozen_instance_is_out_within_a_second_and_a_half_and_back_at_once(world: World) -> None:
    instance = world.instance()
    instance.freeze()
    await asyncio.sleep(1.5)
    assert instance.is_out()
    await asyncio.sleep(50)
    assert instance.is_out()
    instance.go_on()
    await asyncio.sleep(0.01)
    assert not instance.is_out()


async def test_an_instance_that_freezes_at_any_moment_is_out_within_a_second_and_a_half(world: World) -> None:
    for step in range(20):
        instance = world.instance(f"i-{step}")
        await asyncio.sleep(3 + step * 0.05)  # busy with one long request, and answering pings
        assert not instance.is_out()
        instance.freeze()
        await asyncio.sleep(1.5)
        assert instance.is_out()
        instance.go_on()


async def test_a_model_that_works_for_long_stays_in_rotation(world: World) -> None:
    instance = world.instance()
    for _ in range(600):
        await asyncio.sleep(0.1)
        assert not instance.is_out()
    assert 60 <= len(world.pings) <= 150


async def test_a_model_that_answers_is_not_asked(world: World) -> None:
    instance = world.instance()
    for _ in range(100):
        await asyncio.sleep(0.3)
        instance.health.record_success()
    assert [] == world.pings


async def test_an_instance_that_refuses_pings_is_asked_until_it_does_not(world: World) -> None:
    instance = world.instance()
    del world.fleet["i-1"]
    await asyncio.sleep(1)
    assert instance.is_out()
    await asyncio.sleep(10)
    assert 19 <= len(world.pings) <= 22
    world.fleet["i-1"] = instance
    await asyncio.sleep(0.6)
    assert not instance.is_out()


async def test_it_comes_back_though_its_requests_are_long_over(world: World) -> None:
    instance = world.instance()
    instance.freeze()
    await asyncio.sleep(2)
    instance.in_flight = 0
    await asyncio.sleep(5)
    assert (False, True) == (instance.is_watched, instance.is_out())
    instance.go_on()
    await asyncio.sleep(0.01)
    assert not instance.is_out()


async def test_an_idle_instance_is_left_alone_and_looked_at_again_with_its_next_request(world: World) -> None:
    instance = world.instance()
    instance.in_flight = 0
    instance.health.record_success()
    await asyncio.sleep(1)
    assert not instance.is_watched
    instance.in_flight = 1
    instance.freeze()
    world.watch.add(instance)
    await asyncio.sleep(1.5)
    assert instance.is_out()


async def test_nobody_asks_after_an_instance_that_is_gone(world: World) -> None:
    instance = world.instance()
    del world.fleet["i-1"]
    await asyncio.sleep(2)
    instance.in_flight = 0
    gone = ref(instance)
    del instance
    await asyncio.sleep(2)
    gc.collect()
    assert gone() is None
    asked = len(world.pings)
    await asyncio.sleep(5)
    assert asked == len(world.pings)


async def test_who_waits_too_long_is_sent_back(world: World) -> None:
    instance = world.instance()
    instance.allowance = Allowance(1)
    instance.queue.pick = make_pick(RoutingStrategy.RANDOM, [instance], lambda: 0.0)
    turns: list[Fake | None] = []
    instance.queue.join(turns.append, deadline=LoopClock().monotonic() + 5, now=LoopClock().monotonic())
    await asyncio.sleep(4.9)
    assert [] == turns
    await asyncio.sleep(0.4)
    assert [None] == turns
