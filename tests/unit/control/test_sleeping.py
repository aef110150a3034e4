"""Variants put to sleep and woken, with the loop over endpoints beside it and fakes around, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from moorage.control.endpoints import Control
from moorage.control.publisher import Publisher
from moorage.control.sleeping import RENEW_S, Sleepers
from moorage.control.waking import JOURNAL_KIND, Wakes
from moorage.core import endpoint as change
from moorage.core.idling import BUSY_MAX
from moorage.core.model import Endpoint, EndpointKey, EndpointStatus, ModelData, Serverless, VariantKey, instance_id
from moorage.core.routes import Access, EndpointRoute, InstanceRoute, VariantRoute
from moorage.core.traffic import Outcome, SeriesKey, Tally
from moorage.runners.base import ModelFile, ModelFiles
from moorage.store.base import StoreUnavailable, Transaction
from moorage.system.signals import KeyedSignal
from moorage.telemetry.metrics.base import Measured
from moorage.testing.builders import KEY, make_endpoint, make_variant
from moorage.testing.fake_gateways import FakeGateways, FakeSnapshots
from moorage.testing.fake_runner import FakeRunner
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

FIRST = instance_id("u1", 1, "AllTraffic", 0)
VARIANT = VariantKey(KEY, "AllTraffic")
PATIENCE_S = 300.0
TALLY = Tally(tuple(1 if outcome is Outcome.SUCCESS else 0 for outcome in Outcome))


class Sink:
    """Keeps what is put."""

    def __init__(self) -> None:
        self.measured: list[Measured] = []

    async def put(self, measured: Sequence[Measured]) -> None:
        self.measured += measured


class Host:
    """A control, and what puts its variants to sleep and wakes them."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.store = MemoryStore()
        self.runner = FakeRunner(self.clock)
        self.gateways = FakeGateways()
        self.snapshots = FakeSnapshots()
        self.sink = Sink()
        publisher = Publisher(self.snapshots, self.gateways, account_id="123456789012", access=Access())
        self.control = Control(
            store=self.store,
            runner=self.runner,
            publisher=publisher,
            gateways=self.gateways,
            fetch=self.fetch,
            clock=self.clock,
            changed=KeyedSignal[EndpointKey](),
        )
        self.wakes = Wakes(self.store, self.sink, self.clock, wake=self.control.wake)
        self.sleepers = Sleepers(self.store, self.runner, self.clock, patience_s=PATIENCE_S, wake=self.control.wake)
        self.control.follow(self.sleepers.on_decided, self.wakes.on_published)

    async def fetch(self, data: ModelData, say: object = None) -> ModelFiles:
        return ModelFiles(data.form, "0" * 64, (ModelFile("model.tar.gz", Path("/archives/iris")),))

    async def deploy(self, *, provisioned: int = 0) -> None:
        """A serverless endpoint, and half a second for it to be in service."""
        self.sleepers.start()  # in the test's own time, which is not yet that of fixtures
        variant = replace(make_variant(), serverless=Serverless(2048, 5, provisioned))
        endpoint = make_endpoint(variant, now=self.clock.now())
        await self.store.run(lambda tx: tx.endpoints.insert(endpoint))
        self.control.wake(KEY)
        await asyncio.sleep(0.5)
        assert [FIRST] == self.routed()

    async def set_count(self, count: int) -> None:
        def work(tx: Transaction) -> None:
            loaded = tx.endpoints.get(KEY)
            assert loaded is not None
            changes = {"AllTraffic": change.VariantChange(desired_count=count)}
            tx.endpoints.swap(change.set_weights_and_capacities(loaded, changes, now=self.clock.now()))

        await self.store.run(work)
        self.control.wake(KEY)
        await asyncio.sleep(0.5)

    async def endpoint(self) -> Endpoint:
        found = await self.store.run(lambda tx: tx.endpoints.get(KEY))
        assert found is not None
        return found

    def count_request(self, *, in_flight: int = 0) -> None:
        """One was counted just now."""
        second = int(self.clock.now().timestamp())
        key = SeriesKey(*KEY, "config-1", "AllTraffic", FIRST)
        self.sleepers.on_traffic(second, {second: {key: replace(TALLY, in_flight=in_flight)}})

    def routed(self) -> list[str]:
        route = self.snapshots.tables[-1].endpoints.get(KEY.region, {}).get(KEY.name)
        return [instance.id for variant in route.variants for instance in variant.instances] if route else []

    async def journal(self) -> list[str]:
        entries = await self.store.run(
            lambda tx: tx.journal.list(JOURNAL_KIND, KEY.region, subject=KEY.name, limit=10, newest_first=False)
        )
        return [f"{entry.body['Change']}: {entry.body['Reason']}" for entry in entries]


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    await host.control.start()
    yield host
    await host.control.close()
    await host.sleepers.close()
    await host.wakes.close()


async def test_who_is_asked_nothing_is_put_to_sleep_and_stays_in_service(host: Host) -> None:
    await host.deploy()
    await asyncio.sleep(PATIENCE_S - 5)
    assert [FIRST] == host.routed()
    await asyncio.sleep(10)
    assert ([], [FIRST]) == (host.routed(), host.runner.stopped)
    assert EndpointStatus.IN_SERVICE is (await host.endpoint()).status


async def test_every_request_counts_from_when_it_came(host: Host) -> None:
    await host.deploy()
    await asyncio.sleep(PATIENCE_S - 5)
    host.count_request()
    await asyncio.sleep(PATIENCE_S - 5)
    assert [FIRST] == host.routed()
    await asyncio.sleep(10)
    assert [] == host.routed()


async def test_a_request_under_way_keeps_it_awake(host: Host) -> None:
    await host.deploy()
    host.count_request(in_flight=1)
    await asyncio.sleep(PATIENCE_S + 10)
    assert [FIRST] == host.routed()


async def test_what_is_provisioned_does_not_sleep(host: Host) -> None:
    await host.deploy(provisioned=1)
    await asyncio.sleep(2 * PATIENCE_S)
    assert [FIRST] == host.routed()


async def test_what_it_is_started_from_is_kept_from_before_it_stops_and_as_long_as_it_sleeps(host: Host) -> None:
    await host.deploy()
    assert [] == host.runner.standing_by
    await asyncio.sleep(PATIENCE_S + 5)
    assert [FIRST] == host.runner.standing_by[:1]
    before = len(host.runner.standing_by)
    await asyncio.sleep(3 * RENEW_S + 1)
    assert 3 == len(host.runner.standing_by) - before


async def test_it_is_woken_as_often_as_it_is_asked_for_once(host: Host) -> None:
    await host.deploy()
    await asyncio.sleep(PATIENCE_S + 5)
    for _ in range(5):
        host.wakes.ask(VARIANT)
    await asyncio.sleep(0.5)
    assert [FIRST] == host.routed()
    assert [FIRST, FIRST] == host.runner.launched
    host.wakes.ask(VARIANT)
    await asyncio.sleep(0.5)
    assert 2 == len(host.runner.launched)
    assert ["put to sleep: no request for 300 s", "woken: a request found no instance"] == await host.journal()


async def test_awake_it_has_all_its_patience_again(host: Host) -> None:
    await host.deploy()
    await asyncio.sleep(PATIENCE_S + 50)
    host.wakes.ask(VARIANT)
    await asyncio.sleep(0.5)
    host.count_request()
    await asyncio.sleep(PATIENCE_S - 5)
    assert [FIRST] == host.routed()
    await asyncio.sleep(10)
    assert [] == host.routed()


async def test_who_was_woken_stays_awake_while_the_request_waits_for_the_model_to_be_loaded(host: Host) -> None:
    await host.deploy()
    await asyncio.sleep(PATIENCE_S + 50)
    host.wakes.ask(VARIANT)
    await asyncio.sleep(BUSY_MAX.total_seconds() - 5)
    assert [FIRST] == host.routed()
    await asyncio.sleep(10)
    assert [] == host.routed(), "nobody was answered as long as an answer may take"


async def test_how_long_it_took_is_measured_once(host: Host) -> None:
    await host.deploy()
    await asyncio.sleep(PATIENCE_S + 5)
    host.wakes.ask(VARIANT)
    await asyncio.sleep(1)
    [measured] = host.sink.measured
    assert ("AWS/SageMaker", "ModelSetupTime") == measured.key[1:3]
    assert (("EndpointName", "iris"), ("VariantName", "AllTraffic")) == measured.key.dimensions
    assert ("Microseconds", 1) == (measured.unit, measured.values.count)
    assert 0 <= measured.values.maximum < 1e6


async def test_of_a_variant_that_went_before_it_had_an_instance_nothing_is_measured(host: Host) -> None:
    await host.deploy()
    await asyncio.sleep(PATIENCE_S + 5)
    wakes = Wakes(host.store, host.sink, host.clock, wake=lambda _: None)
    wakes.ask(VARIANT)
    await asyncio.sleep(1)
    wakes.on_published(KEY, EndpointRoute("arn", "config-2", ()))
    await asyncio.sleep(3600)
    instance = InstanceRoute(FIRST, "/run/i.sock")
    wakes.on_published(KEY, EndpointRoute("arn", "config-3", (VariantRoute("AllTraffic", 1.0, (instance,)),)))
    await asyncio.sleep(1)
    await wakes.close()
    assert [] == host.sink.measured


async def test_woken_while_it_finishes_requests_it_goes_on_with_the_instance_it_has(host: Host) -> None:
    await host.deploy()
    host.gateways.busy.add(FIRST)
    await asyncio.sleep(PATIENCE_S + 5)
    assert [] == host.routed()
    host.wakes.ask(VARIANT)
    await asyncio.sleep(1)
    host.count_request()
    assert [FIRST] == host.routed()
    assert ([FIRST], []) == (host.runner.launched, host.runner.stopped)
    host.gateways.release(FIRST)
    host.gateways.busy.add(FIRST)
    await asyncio.sleep(PATIENCE_S + 5)
    assert ([], []) == (host.routed(), host.runner.stopped), "what was known of it when it first left is out of date"
    host.gateways.release(FIRST)
    await asyncio.sleep(1)
    assert [FIRST] == host.runner.stopped


async def test_a_plain_variant_at_zero_is_woken_and_does_not_fall_asleep_by_itself(host: Host) -> None:
    endpoint = make_endpoint(make_variant(), now=host.clock.now())
    await host.store.run(lambda tx: tx.endpoints.insert(endpoint))
    host.control.wake(KEY)
    await asyncio.sleep(0.5)
    await host.set_count(0)
    assert [] == host.routed()
    host.wakes.ask(VARIANT)
    await asyncio.sleep(2 * PATIENCE_S)
    assert [FIRST] == host.routed()


async def test_nothing_comes_of_asking_for_what_is_not_there(host: Host) -> None:
    host.wakes.ask(VARIANT)
    host.wakes.ask(VariantKey(EndpointKey("us-east-1", "IRIS"), "AllTraffic"))
    await asyncio.sleep(1)
    assert ([], []) == (host.runner.launched, host.sink.measured)


async def test_while_nothing_can_be_saved_it_is_asked_again(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    await host.deploy()
    await asyncio.sleep(PATIENCE_S + 5)

    async def full(_work: object) -> None:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(host.store, "run", full)
        host.wakes.ask(VARIANT)
        await asyncio.sleep(0.5)
    assert [] == host.routed()
    host.wakes.ask(VARIANT)
    await asyncio.sleep(0.5)
    assert [FIRST] == host.routed()


async def test_a_deleted_endpoint_is_not_thought_of_any_more(host: Host) -> None:
    await host.deploy()
    await asyncio.sleep(PATIENCE_S + 5)

    def work(tx: Transaction) -> None:
        loaded = tx.endpoints.get(KEY)
        assert loaded is not None
        tx.endpoints.swap(change.delete(loaded, now=host.clock.now()))

    await host.store.run(work)
    host.control.wake(KEY)
    await asyncio.sleep(1)
    before = len(host.runner.standing_by)
    await asyncio.sleep(5 * RENEW_S)
    assert before == len(host.runner.standing_by)
