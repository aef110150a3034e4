"""The loop over endpoints with fakes around it, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest

from moorage.control import endpoints
from moorage.control.capacity import Capacity
from moorage.control.endpoints import Control
from moorage.control.publisher import Publisher
from moorage.core import endpoint as change
from moorage.core.capacity import INSUFFICIENT, Offer, Resources
from moorage.core.faults import ModelDataUnusable
from moorage.core.model import Endpoint, EndpointKey, EndpointStatus, InstanceState, ModelData, instance_id
from moorage.core.plan import EndpointView, Plan
from moorage.core.reconcile import reconcile
from moorage.core.routes import Access, EndpointRoute
from moorage.runners.base import ModelFile, ModelFiles
from moorage.store.base import Transaction
from moorage.system.signals import KeyedSignal
from moorage.testing.builders import KEY, T0, make_endpoint, make_variant
from moorage.testing.fake_gateways import FakeGateways, FakeSnapshots
from moorage.testing.fake_runner import FakeRunner
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

FIRST = instance_id("u1", 1, "AllTraffic", 0)
SECOND = instance_id("u1", 1, "AllTraffic", 1)
OTHER = EndpointKey("us-east-1", "roses")


class Host:
    """A control and the world around it, which outlives it."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.store = MemoryStore()
        self.runner = FakeRunner(self.clock)
        self.gateways = FakeGateways()
        self.snapshots = FakeSnapshots()
        self.changed = KeyedSignal[EndpointKey]()
        self.fetched: list[str] = []
        self.fault: Exception | None = None
        self.offer: Offer | None = None
        self.control = self._make()

    def _make(self) -> Control:
        self.publisher = Publisher(self.snapshots, self.gateways, account_id="123456789012", access=Access())
        return Control(
            store=self.store,
            runner=self.runner,
            publisher=self.publisher,
            gateways=self.gateways,
            fetch=self.fetch,
            clock=self.clock,
            changed=self.changed,
            capacity=Capacity(self.offer),
        )

    async def fetch(self, data: ModelData, say: object = None) -> ModelFiles:
        self.fetched.append(data.uri)
        if self.fault is not None:
            raise self.fault
        return ModelFiles(data.form, "0" * 64, (ModelFile("model.tar.gz", Path("/archives/iris")),))

    async def restart(self) -> None:
        await self.control.close()
        self.control = self._make()
        await self.control.start()

    async def insert(self, endpoint: Endpoint) -> None:
        await self.store.run(lambda tx: tx.endpoints.insert(endpoint))
        self.control.wake(endpoint.key)

    async def change(self, decide: Callable[[Endpoint], Endpoint], key: EndpointKey = KEY) -> None:
        def work(tx: Transaction) -> None:
            loaded = tx.endpoints.get(key)
            assert loaded is not None
            tx.endpoints.swap(decide(loaded))

        await self.store.run(work)
        self.control.wake(key)

    async def get(self, key: EndpointKey = KEY) -> Endpoint | None:
        return await self.store.run(lambda tx: tx.endpoints.get(key))

    async def reach(self, status: EndpointStatus | None, key: EndpointKey = KEY) -> Endpoint | None:
        """Wait as a held DescribeEndpoint does. None waits until the endpoint is gone."""
        async with asyncio.timeout(600):
            with self.changed.subscribe(key) as changes:
                while True:
                    endpoint = await self.get(key)
                    if status == (endpoint.status if endpoint else None):
                        return endpoint
                    await changes.wait(600)

    def route(self, key: EndpointKey = KEY) -> EndpointRoute | None:
        return self.snapshots.tables[-1].endpoints.get(key.region, {}).get(key.name)

    def routed(self) -> list[str]:
        route = self.route()
        return [instance.id for variant in route.variants for instance in variant.instances] if route else []


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    await host.control.start()
    yield host
    await host.control.close()


async def in_service(host: Host, *, count: int = 1) -> Endpoint:
    await host.insert(make_endpoint(make_variant(count=count), now=host.clock.now()))
    endpoint = await host.reach(EndpointStatus.IN_SERVICE)
    assert endpoint is not None
    return endpoint


def updated(host: Host, *, model: str = "iris-2") -> Callable[[Endpoint], Endpoint]:
    return lambda endpoint: change.update(
        endpoint, config_name="config-2", variants=(make_variant(model=model),), now=host.clock.now()
    )


async def test_a_created_endpoint_goes_into_service_at_once(host: Host) -> None:
    await in_service(host)
    assert 0.03 > host.clock.monotonic()
    assert [FIRST] == host.routed()
    assert ["s3://models/iris.tar.gz"] == host.fetched


async def test_two_hundred_endpoints_share_a_few_snapshots(host: Host) -> None:
    keys = [EndpointKey("us-east-1", f"e{n}") for n in range(200)]
    for n, key in enumerate(keys):
        await host.insert(make_endpoint(key=key, uid=f"u{n}"))
    for key in keys:
        await host.reach(EndpointStatus.IN_SERVICE, key)
    assert 6 >= len(host.snapshots.tables)


async def test_an_update_replaces_the_fleet(host: Host) -> None:
    await in_service(host)
    await host.change(updated(host))
    endpoint = await host.reach(EndpointStatus.IN_SERVICE)
    assert endpoint is not None
    assert "config-2" == endpoint.config_name
    assert [FIRST] == host.runner.stopped
    assert [instance_id("u1", 2, "AllTraffic", 0)] == host.routed()


async def test_the_old_fleet_may_finish_its_requests(host: Host) -> None:
    await in_service(host)
    host.gateways.busy.add(FIRST)
    await host.change(updated(host))
    await asyncio.sleep(20)
    assert [] == host.runner.stopped
    host.gateways.release(FIRST)
    await host.reach(EndpointStatus.IN_SERVICE)
    assert [FIRST] == host.runner.stopped
    assert 21 > host.clock.monotonic()


async def test_a_long_request_on_one_instance_does_not_hold_up_the_others(host: Host) -> None:
    await in_service(host, count=2)
    host.gateways.busy.add(FIRST)
    await host.change(updated(host))
    await asyncio.sleep(20)
    assert [SECOND] == host.runner.stopped
    host.gateways.release(FIRST)
    await host.reach(EndpointStatus.IN_SERVICE)
    assert [SECOND, FIRST] == host.runner.stopped


async def test_a_request_that_never_ends_is_not_waited_for_for_ever(host: Host) -> None:
    await in_service(host)
    host.gateways.busy.add(FIRST)
    await host.change(updated(host))
    await host.reach(EndpointStatus.IN_SERVICE)
    assert 495 <= host.clock.monotonic() < 500


async def test_an_update_to_a_broken_model_leaves_the_old_one_in_service(host: Host) -> None:
    await in_service(host)
    host.runner.unusable["broken"] = "No module named 'iris'."
    await host.change(updated(host, model="broken"))
    endpoint = await host.reach(EndpointStatus.IN_SERVICE)
    assert endpoint is not None
    assert "config-1" == endpoint.config_name
    assert "No module named 'iris'." in (endpoint.failure_reason or "")
    assert [FIRST] == host.routed()
    assert FIRST not in host.runner.stopped


async def test_model_data_that_cannot_be_had_fails_the_endpoint_with_its_reason(host: Host) -> None:
    host.fault = ModelDataUnusable("There is no object s3://models/iris.tar.gz.")
    await host.insert(make_endpoint())
    endpoint = await host.reach(EndpointStatus.FAILED)
    assert endpoint is not None
    assert "There is no object s3://models/iris.tar.gz." in (endpoint.failure_reason or "")
    assert [] == host.runner.launched


async def test_an_error_in_fetching_is_tried_again(host: Host) -> None:
    host.fault = ConnectionResetError()
    await host.insert(make_endpoint())
    await asyncio.sleep(0.05)
    host.fault = None
    await host.reach(EndpointStatus.IN_SERVICE)
    assert 2 == len(host.fetched)


async def test_a_dead_instance_is_replaced_and_routed_around(host: Host) -> None:
    await in_service(host, count=2)
    host.runner.put(SECOND, InstanceState.EXITED, reason="Killed.")
    await asyncio.sleep(1)
    assert [FIRST, SECOND] == host.routed()
    assert [FIRST, SECOND, SECOND] == host.runner.launched
    routes = [table.endpoints["us-east-1"]["iris"].variants[0].instances for table in host.snapshots.tables[-2:]]
    assert [1, 2] == [len(instances) for instances in routes]


async def test_deleting_leaves_nothing(host: Host) -> None:
    await in_service(host)
    await host.change(lambda endpoint: change.delete(endpoint, now=host.clock.now()))
    await host.reach(None)
    assert [] == list(await host.runner.observe())
    assert host.route() is None


async def test_a_restart_adopts_what_runs(host: Host) -> None:
    await in_service(host)
    await host.restart()
    await asyncio.sleep(5)
    assert [FIRST] == host.runner.launched
    assert [] == host.runner.stopped
    assert [FIRST] == host.routed()


async def test_a_restart_stops_what_belongs_to_no_endpoint(host: Host) -> None:
    await in_service(host)
    await host.store.run(lambda tx: tx.endpoints.delete(KEY, "u1"))
    await host.restart()
    await asyncio.sleep(5)
    assert [FIRST] == host.runner.stopped
    assert host.route() is None


async def test_a_namesake_does_not_inherit_instances(host: Host) -> None:
    await in_service(host)
    await host.store.run(lambda tx: tx.endpoints.delete(KEY, "u1"))
    await host.insert(make_endpoint(uid="u2"))
    await host.reach(EndpointStatus.IN_SERVICE)
    await asyncio.sleep(1)
    assert [FIRST] == host.runner.stopped
    assert [instance_id("u2", 1, "AllTraffic", 0)] == host.routed()


async def test_an_update_survives_a_restart_in_its_middle(host: Host) -> None:
    await in_service(host)
    host.gateways.busy.add(FIRST)
    await host.change(updated(host))
    await asyncio.sleep(20)
    await host.restart()
    host.gateways.release(FIRST)
    await host.reach(EndpointStatus.IN_SERVICE)
    assert [FIRST] == host.runner.stopped


async def test_nothing_is_in_service_while_a_gateway_does_not_confirm(host: Host) -> None:
    host.gateways.unsure = True
    await host.insert(make_endpoint())
    await asyncio.sleep(30)
    endpoint = await host.get()
    assert endpoint is not None
    assert EndpointStatus.CREATING == endpoint.status
    host.gateways.unsure = False
    await host.reach(EndpointStatus.IN_SERVICE)


async def test_a_runner_that_is_away_is_waited_for(host: Host) -> None:
    host.runner.away = True
    await host.insert(make_endpoint())
    await asyncio.sleep(30)
    host.runner.come_back()
    endpoint = await host.reach(EndpointStatus.IN_SERVICE)
    assert endpoint is not None
    assert {} == endpoint.failures


async def test_a_store_that_is_away_is_waited_for(host: Host) -> None:
    await in_service(host)
    host.store.unavailable = True
    host.runner.put(FIRST, InstanceState.EXITED, reason="Killed.")
    await asyncio.sleep(5)
    assert [FIRST] == host.runner.launched
    host.store.unavailable = False
    await asyncio.sleep(15)
    assert [FIRST, FIRST] == host.runner.launched


async def test_a_bug_met_by_one_endpoint_does_not_stop_the_others(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    other = EndpointKey("eu-west-1", "iris")

    def buggy(view: EndpointView, *, now: datetime) -> Plan:
        if view.endpoint.key == other:
            raise ZeroDivisionError
        return reconcile(view, now=now)

    monkeypatch.setattr(endpoints, "reconcile", buggy)
    await host.insert(make_endpoint(key=other, uid="u2"))
    await in_service(host)
    still_creating = await host.get(other)
    assert still_creating is not None
    assert EndpointStatus.CREATING == still_creating.status


# What the machine has room for. Instances are ml.m5.large, of 2 vCPUs and 8 GiB.


async def offer_room_for(host: Host, instances: int) -> None:
    host.offer = Offer(Resources(2 * instances, instances * 8 << 30), 1, 1)
    await host.restart()


async def test_an_endpoint_that_does_not_fit_fails_and_leaves_room_for_one_that_does(host: Host) -> None:
    await offer_room_for(host, 2)
    await host.insert(make_endpoint(make_variant(count=3), now=host.clock.now()))
    failed = await host.reach(EndpointStatus.FAILED)
    assert failed is not None
    assert (failed.failure_reason or "").startswith(INSUFFICIENT)
    other = make_endpoint(make_variant(count=2), key=OTHER, uid="u2", now=host.clock.now())
    await asyncio.sleep(5)
    await host.insert(other)
    await host.reach(EndpointStatus.IN_SERVICE, OTHER)
    assert 2 == len(await host.runner.observe())


async def test_an_update_that_has_no_room_beside_the_old_fleet_leaves_that_serving(host: Host) -> None:
    await offer_room_for(host, 3)
    await in_service(host, count=2)
    await host.change(lambda old: change.update(old, config_name="c2", variants=[make_variant(count=2)], now=T0))
    endpoint = await host.reach(EndpointStatus.IN_SERVICE)
    assert endpoint is not None
    assert "config-1" == endpoint.config_name
    assert (endpoint.failure_reason or "").startswith(INSUFFICIENT)
    assert [FIRST, SECOND] == host.routed()


async def test_what_serves_keeps_its_place_while_it_is_replaced_and_over_a_restart(host: Host) -> None:
    await offer_room_for(host, 1)
    await in_service(host)
    host.runner.put(FIRST, InstanceState.EXITED, reason="It crashed.")
    other = make_endpoint(key=OTHER, uid="u2", now=host.clock.now())
    await host.insert(other)
    await host.reach(EndpointStatus.FAILED, OTHER)
    await asyncio.sleep(60)
    assert [FIRST] == host.routed()
    await host.change(lambda failed: change.delete(failed, now=T0), OTHER)
    await host.reach(None, OTHER)
    host.runner.away = True
    await host.restart()
    await host.insert(other)
    await asyncio.sleep(60)
    host.runner.come_back()
    await host.reach(EndpointStatus.FAILED, OTHER)
    assert [FIRST] == host.routed()


async def test_a_smaller_machine_ends_nothing_that_serves(host: Host) -> None:
    await offer_room_for(host, 2)
    await in_service(host, count=2)
    await offer_room_for(host, 1)
    await asyncio.sleep(60)
    assert [FIRST, SECOND] == host.routed()


async def test_what_was_lost_with_a_larger_machine_comes_back_as_far_as_there_is_room(host: Host) -> None:
    await offer_room_for(host, 2)
    await in_service(host, count=2)
    for instance in (FIRST, SECOND):
        host.runner.put(instance, InstanceState.LOST)
    await offer_room_for(host, 1)
    await asyncio.sleep(300)
    assert [FIRST] == host.routed()
    await offer_room_for(host, 2)
    await asyncio.sleep(120)
    assert [FIRST, SECOND] == host.routed()
