"""What is sampled of variants and instances, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from moorage.control.metrics.sampler import PERIOD_S, SETTLED_S, Sampler
from moorage.core.metrics.distribution import Distribution, distribution_of
from moorage.core.metrics.metric import MetricKey, dimensions_of
from moorage.core.model import EndpointKey, InstanceId
from moorage.core.routes import EndpointRoute, InstanceRoute, VariantRoute
from moorage.core.traffic import SeriesKey, Tally
from moorage.runners.base import RunnerError
from moorage.runners.usage import Usage
from moorage.store.base import StoreUnavailable
from moorage.testing.builders import T0
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

SHOP = EndpointKey("us-east-1", "Shop")
ONE, TWO = InstanceId("i-00000000000000001"), InstanceId("i-00000000000000002")
UNTIL_S = int(T0.timestamp()) // PERIOD_S * PERIOD_S
DIMENSIONS = dimensions_of({"EndpointName": "Shop", "VariantName": "blue"})
USAGE = Usage(
    SHOP,
    "blue",
    ONE,
    memory_bytes_max=8 << 30,
    at_s=100.0,
    cpu_s={"1-1": 5.0},
    memory_bytes=2 << 30,
    disk_percent=37.5,
)


class Everything(MemoryMetrics):
    """Routes, meters and a sink."""

    def __init__(self) -> None:
        super().__init__()
        self.instances: tuple[InstanceId, ...] = (ONE, TWO)
        self.usages: Sequence[Usage] = ()
        self.is_away = False

    def published_keys(self) -> Sequence[EndpointKey]:
        return [SHOP]

    def published(self, key: EndpointKey) -> EndpointRoute | None:
        routes = tuple(InstanceRoute(each, f"/run/{each}") for each in self.instances)
        return EndpointRoute("arn", "config", (VariantRoute("blue", 1.0, routes), VariantRoute("asleep", 1.0, ())))

    async def measure_usage(self, *, with_memory: bool) -> Sequence[Usage]:
        if self.is_away:
            raise RunnerError("away")
        return [each if with_memory else replace(each, memory_bytes=None) for each in self.usages]

    async def seen(self, namespace: str, name: str) -> dict[int, Distribution]:
        """What was put of the variant in service, by period."""
        key = MetricKey("us-east-1", namespace, name, DIMENSIONS)
        found = await self.read([key], since_s=UNTIL_S - 600, until_s=UNTIL_S + 600, period_s=PERIOD_S)
        return dict(found[key])

    async def concurrency(self) -> dict[int, Distribution]:
        return await self.seen("AWS/SageMaker", "ConcurrentRequestsPerModel")


@pytest.fixture
def world() -> Everything:
    return Everything()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def sampler(world: Everything, store: MemoryStore) -> Sampler:
    return Sampler(world, store, world, sink=world, clock=LoopClock())


async def test_every_second_of_every_instance_is_a_sample(
    sampler: Sampler, world: Everything, store: MemoryStore
) -> None:
    series = SeriesKey("us-east-1", "Shop", "config", "blue", ONE)
    for before_s, in_flight in ((1, 4), (2, 6), (10, 1), (11, 99), (0, 99)):
        tallies = {series: Tally(in_flight=in_flight)}
        await store.run(lambda tx, at_s=UNTIL_S - before_s, tallies=tallies: tx.traffic.add_second(at_s, tallies))
    await sampler.sample(UNTIL_S)
    expected = distribution_of([(4.0, 1), (6.0, 1), (1.0, 1), (0.0, 17)])
    assert {UNTIL_S - PERIOD_S: expected} == await world.concurrency()


async def test_who_is_idle_is_there_and_who_has_no_instance_is_not(sampler: Sampler, world: Everything) -> None:
    await sampler.sample(UNTIL_S)
    assert {UNTIL_S - PERIOD_S: 20.0} == {at_s: each.count for at_s, each in (await world.concurrency()).items()}
    world.instances = ()
    await sampler.sample(UNTIL_S + PERIOD_S)
    assert [UNTIL_S - PERIOD_S] == list(await world.concurrency())


async def test_processors_are_measured_between_two_looks(sampler: Sampler, world: Everything) -> None:
    namespace = "/aws/sagemaker/Endpoints"
    world.usages = [USAGE]
    await sampler.sample(UNTIL_S)
    assert {} == await world.seen(namespace, "CPUUtilization")
    world.usages = [replace(USAGE, at_s=110.0, cpu_s={"1-1": 18.0, "2-7": 2.0}), replace(USAGE, instance=TWO)]
    await sampler.sample(UNTIL_S + PERIOD_S)
    assert {UNTIL_S: Distribution(1.0, 150.0, 150.0, 150.0)} == _plain(await world.seen(namespace, "CPUUtilization"))
    assert {UNTIL_S - PERIOD_S: 25.0, UNTIL_S: 50.0} == _sums(await world.seen(namespace, "MemoryUtilization"))
    assert {UNTIL_S - PERIOD_S: 37.5, UNTIL_S: 75.0} == _sums(await world.seen(namespace, "DiskUtilization"))


async def test_memory_is_looked_at_once_a_minute_and_soon_after_an_instance_came(
    sampler: Sampler, world: Everything
) -> None:
    await sampler.sample(UNTIL_S)
    world.usages = [USAGE]
    for number in range(1, 16):
        await sampler.sample(UNTIL_S + number * PERIOD_S)
    seen = await world.seen("/aws/sagemaker/Endpoints", "MemoryUtilization")
    # Looked at without an instance, not due for the next, due at once after that one was seen, then every minute.
    assert [10, 70, 130] == [at_s - UNTIL_S for at_s in seen]


async def test_without_an_agent_the_routes_are_sampled(sampler: Sampler, world: Everything) -> None:
    world.is_away = True
    await sampler.sample(UNTIL_S)
    assert 1 == len(await world.concurrency())


@pytest.mark.looptime
async def test_every_period_is_sampled_once(sampler: Sampler, world: Everything) -> None:
    sampler.start()
    await asyncio.sleep(5 * PERIOD_S + SETTLED_S)
    await sampler.close()
    assert {20.0} == {each.count for each in (await world.concurrency()).values()}
    periods = sorted(await world.concurrency())
    assert 5 <= len(periods)
    assert list(range(periods[0], periods[-1] + 1, PERIOD_S)) == periods


@pytest.mark.looptime
async def test_after_a_failure_it_goes_on(sampler: Sampler, world: Everything, store: MemoryStore) -> None:
    store.unavailable = True
    with pytest.raises(StoreUnavailable):
        await sampler.sample(UNTIL_S)
    sampler.start()
    await asyncio.sleep(3 * PERIOD_S)
    assert {} == await world.concurrency()
    store.unavailable = False
    await asyncio.sleep(2 * PERIOD_S)
    await sampler.close()
    assert {} != await world.concurrency()


def _sums(series: dict[int, Distribution]) -> dict[int, float]:
    return {at_s: each.sum for at_s, each in series.items()}


def _plain(series: dict[int, Distribution]) -> dict[int, Distribution]:
    return {at_s: replace(each, buckets=None) for at_s, each in series.items()}
