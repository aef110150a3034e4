"""How long instances are there is written down, whatever becomes of control and of the instances meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from moorage.control.capacity import Capacity
from moorage.control.usage import UsageKeeper
from moorage.core.capacity import Offer, Resources
from moorage.core.model import InstanceSpec, InstanceState
from moorage.core.usage import Usage
from moorage.store.base import StoreUnavailable
from moorage.testing.builders import KEY, make_endpoint, make_variant, specs_of
from moorage.testing.fake_runner import FakeRunner
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Host:
    """A control's reservations, and what outlives it."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.store = MemoryStore()
        self.runner = FakeRunner(self.clock)
        endpoint = make_endpoint(make_variant(count=2))
        self.first, self.second = specs_of(endpoint, endpoint.target)

    async def start(self) -> None:
        self.keeper = UsageKeeper(self.store, self.clock)
        await self.keeper.start(self.runner)
        self.capacity = Capacity(Offer(Resources(64, 1 << 40)), self.keeper)
        self.task = asyncio.create_task(self.keeper.run())

    async def launch(self, spec: InstanceSpec) -> None:
        assert self.capacity.reserve(spec) is None
        await self.runner.launch(spec, ())

    async def stop(self, spec: InstanceSpec) -> None:
        await self.runner.stop(spec.id)
        self.capacity.keep(KEY, [seen.id for seen in await self.runner.observe()])

    async def end(self) -> None:
        self.kill()
        await self.keeper.close()

    def kill(self) -> None:
        self.task.cancel()

    async def usages(self) -> Sequence[Usage]:
        now = self.clock.now() + timedelta(seconds=1)
        return await self.store.run(lambda tx: tx.usages.list("us-east-1", since=now - timedelta(days=9), until=now))

    async def seconds(self) -> list[tuple[str, float, bool]]:
        return [
            (each.instance, (each.until - each.began_at).total_seconds(), each.is_open) for each in await self.usages()
        ]


@pytest.fixture
def host() -> Host:
    return Host()


async def test_an_instance_counts_from_its_launch_to_its_end(host: Host) -> None:
    await host.start()
    await host.launch(host.first)
    await asyncio.sleep(30.25)
    await host.launch(host.second)
    await asyncio.sleep(10)
    await host.stop(host.first)
    await host.end()
    assert [(host.first.id, 40.25, False), (host.second.id, 10.0, True)] == await host.seconds()
    (usage, _) = await host.usages()
    assert ("iris", "AllTraffic", "ml.m5.large") == (usage.endpoint, usage.variant, usage.instance_type)


async def test_what_runs_on_while_control_is_away_goes_on_to_be_counted(host: Host) -> None:
    await host.start()
    await host.launch(host.first)
    await asyncio.sleep(90)
    host.kill()
    await asyncio.sleep(3600)
    await host.start()
    host.capacity.adopt(host.first)
    await asyncio.sleep(10)
    await host.stop(host.first)
    await host.end()
    assert [(host.first.id, 3700.0, False)] == await host.seconds()


async def test_what_is_on_its_way_out_when_control_is_exchanged_ends_when_it_is_gone(host: Host) -> None:
    await host.start()
    await host.launch(host.first)
    await host.launch(host.second)
    await asyncio.sleep(90)
    host.kill()
    await host.start()
    host.capacity.adopt(host.second)
    await asyncio.sleep(10)
    host.capacity.keep(KEY, [host.first.id, host.second.id])
    await asyncio.sleep(20)
    await host.stop(host.first)
    await asyncio.sleep(3600)
    await host.end()
    assert {(host.first.id, 120.0, False), (host.second.id, 3720.0, True)} == set(await host.seconds())


async def test_what_ended_while_control_was_away_ended_when_it_was_last_said_to_be_there(host: Host) -> None:
    await host.start()
    await host.launch(host.first)
    await asyncio.sleep(90)
    host.kill()
    await host.runner.stop(host.first.id)
    await asyncio.sleep(86_400)
    await host.start()
    await host.launch(host.first)
    await asyncio.sleep(5)
    await host.end()
    first, second = await host.seconds()
    assert (False, True) == (first[2], second[2])
    assert 60 <= first[1] <= 90
    assert 5 == second[1]


async def test_an_instance_that_was_lost_with_the_machine_has_ended(host: Host) -> None:
    await host.start()
    await host.launch(host.first)
    await asyncio.sleep(90)
    host.kill()
    host.runner.put(host.first.id, InstanceState.LOST)
    await asyncio.sleep(86_400)
    await host.start()
    ((_, seconds, is_open),) = await host.seconds()
    assert (True, False) == (60 <= seconds <= 90, is_open)
    await host.end()


async def test_while_the_runner_is_away_a_short_absence_of_control_ends_nothing(host: Host) -> None:
    await host.start()
    await host.launch(host.first)
    await asyncio.sleep(90)
    host.kill()
    host.runner.away = True
    await asyncio.sleep(30)
    await host.start()
    await asyncio.sleep(5)
    await host.end()
    assert [(host.first.id, 125.0, True)] == await host.seconds()


async def test_what_cannot_be_written_now_is_written_later(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    await host.start()

    async def refuse(work: object) -> object:
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as full:
        full.setattr(host.store, "run", refuse)
        await host.launch(host.first)
        await asyncio.sleep(20)
        await host.stop(host.first)
        await asyncio.sleep(20)
    await asyncio.sleep(2)
    await host.end()
    assert [(host.first.id, 20.0, False)] == await host.seconds()
