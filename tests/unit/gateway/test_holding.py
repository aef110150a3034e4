"""Asking for variants to be woken, and holding requests until they are."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from moorage.core.model import EndpointKey, VariantKey
from moorage.gateway.instance import Instance
from moorage.gateway.live import VariantQueue
from moorage.gateway.waking import LOOK_S, REPEAT_S, WakeMode, Waker
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

KEY = VariantKey(EndpointKey("eu-west-1", "iris"), "AllTraffic")


class Bell:
    """Notes when it rang. While `deaf` nobody hears it."""

    def __init__(self) -> None:
        self.rung: list[tuple[float, VariantKey]] = []
        self.deaf = False

    def ring(self, key: VariantKey) -> bool:
        if not self.deaf:
            self.rung.append((LoopClock().monotonic(), key))
        return not self.deaf


class World:
    """A waker, and a queue of a variant that has no instance."""

    def __init__(self, mode: WakeMode = WakeMode.HOLD) -> None:
        self.occupied: set[VariantQueue] = set()
        self.queue = VariantQueue(*KEY, self.occupied)
        self.queue.wakes = True
        self.bell = Bell()
        self.turns: list[Instance | None] = []
        self.waker = Waker(self.bell, self.occupied, clock=LoopClock(), mode=mode)
        self.waker.start()

    def hold(self, *, for_s: float = 60.0) -> bool:
        now = LoopClock().monotonic()
        self.waker.wake(self.queue, is_serverless=False)
        return self.queue.hold(self.turns.append, deadline=now + for_s, now=now) is not None


async def test_it_rings_at_once_and_again_while_somebody_waits() -> None:
    world = World()
    for _ in range(3):
        assert world.hold(for_s=2.0)
    await asyncio.sleep(10.0)
    times = [at for at, key in world.bell.rung if key == KEY]
    assert 0.0 == times[0]
    assert all(later - earlier >= REPEAT_S for earlier, later in pairwise(times))
    assert 3 <= len(times) <= 5
    assert [None] * 3 == world.turns
    await world.waker.close()


async def test_what_was_not_heard_is_said_again_soon() -> None:
    world = World()
    world.bell.deaf = True
    world.hold()
    await asyncio.sleep(5.0)
    world.bell.deaf = False
    await asyncio.sleep(2 * LOOK_S)
    assert 1 == len(world.bell.rung)
    await world.waker.close()


async def test_for_a_variant_that_does_not_sleep_nobody_rings() -> None:
    world = World()
    world.queue.wakes = False
    assert world.hold(for_s=2.0)
    await asyncio.sleep(10.0)
    assert [] == world.bell.rung
    assert [None] == world.turns
    await world.waker.close()


async def test_strict_rings_and_holds_nobody_but_for_serverless_variants() -> None:
    world = World(WakeMode.STRICT)
    assert not world.waker.wake(world.queue, is_serverless=False)
    assert 1 == len(world.bell.rung)
    assert world.waker.wake(world.queue, is_serverless=True)
    await world.waker.close()
