"""The owner of the route table, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from moorage.control.errors import GatewayUnsure
from moorage.control.publisher import Publisher
from moorage.core.model import EndpointKey
from moorage.core.routes import UNRESTRICTED, Access, AccessKey, BearerKey, EndpointRoute, RouteTable
from moorage.testing.builders import KEY
from moorage.testing.fake_gateways import FakeGateways, FakeSnapshots

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

ROUTE = EndpointRoute(arn="arn", config_name="config-1", variants=())
OTHER = EndpointRoute(arn="arn", config_name="config-2", variants=())
ACCESS = Access({"AKIA": AccessKey("s", "arn", "123456789012")}, {"arn": UNRESTRICTED}, {"d": BearerKey("b", *KEY)})


def access_of(table: RouteTable) -> Access:
    return Access(table.keys, table.permissions, table.bearer_keys)


class Desk:
    """A publisher, the gateways it tells and the snapshots it writes."""

    def __init__(self, *tables: RouteTable) -> None:
        self.gateways = FakeGateways()
        self.snapshots = FakeSnapshots()
        self.snapshots.tables.extend(tables)
        self.publisher = Publisher(self.snapshots, self.gateways, account_id="123456789012", access=ACCESS)


async def test_a_start_takes_up_the_routes_and_writes_todays_keys() -> None:
    desk = Desk(RouteTable(version=7, endpoints={KEY.region: {KEY.name: ROUTE}}))
    await desk.publisher.start()
    assert ROUTE == desk.publisher.published(KEY)
    assert desk.publisher.is_settled(KEY)
    assert [KEY] == desk.publisher.published_keys()
    assert (8, ACCESS) == (desk.snapshots.tables[-1].version, access_of(desk.snapshots.tables[-1]))


async def test_after_a_start_that_nobody_confirmed_everything_is_in_doubt() -> None:
    desk = Desk(RouteTable(version=7, endpoints={KEY.region: {KEY.name: ROUTE}}))
    desk.gateways.unsure = True
    await desk.publisher.start()
    assert not desk.publisher.is_settled(KEY)
    assert not desk.publisher.is_settled(EndpointKey("us-east-1", "unheard-of"))


async def test_a_route_is_in_doubt_until_it_is_confirmed() -> None:
    desk = Desk()
    await desk.publisher.start()
    publication = asyncio.create_task(desk.publisher.publish(KEY, ROUTE))
    await asyncio.sleep(0)
    assert not desk.publisher.is_settled(KEY)
    await publication
    assert desk.publisher.is_settled(KEY)
    assert ROUTE == desk.publisher.published(KEY)


async def test_what_was_tried_and_taken_back_unconfirmed_stays_in_doubt() -> None:
    desk = Desk()
    await desk.publisher.start()
    await desk.publisher.publish(KEY, ROUTE)
    desk.gateways.unsure = True
    for route in (OTHER, ROUTE):
        with pytest.raises(GatewayUnsure):
            await desk.publisher.publish(KEY, route)
    assert ROUTE == desk.publisher.published(KEY)
    assert not desk.publisher.is_settled(KEY)


async def test_a_later_confirmation_settles_what_was_in_doubt() -> None:
    desk = Desk()
    await desk.publisher.start()
    desk.gateways.unsure = True
    with pytest.raises(GatewayUnsure):
        await desk.publisher.publish(KEY, ROUTE)
    desk.gateways.unsure = False
    await desk.publisher.publish(EndpointKey("eu-west-1", "other"), OTHER)
    assert ROUTE == desk.publisher.published(KEY)
    assert desk.publisher.is_settled(KEY)


async def test_changes_that_arrive_during_a_write_share_the_next() -> None:
    desk = Desk()
    await desk.publisher.start()
    keys = [EndpointKey("us-east-1", f"e{n}") for n in range(100)]
    first = asyncio.create_task(desk.publisher.publish(KEY, ROUTE))
    await asyncio.sleep(0.001)
    await asyncio.gather(first, *(desk.publisher.publish(key, ROUTE) for key in keys))
    assert 3 == len(desk.snapshots.tables)
    assert 101 == len(desk.publisher.published_keys())


async def test_a_forgotten_endpoint_leaves_the_table() -> None:
    desk = Desk()
    await desk.publisher.start()
    await desk.publisher.publish(KEY, ROUTE)
    await desk.publisher.publish(KEY, None)
    assert desk.publisher.published(KEY) is None
    assert {} == desk.snapshots.tables[-1].endpoints


async def test_access_is_published_when_every_gateway_has_confirmed_it() -> None:
    desk = Desk()
    await desk.publisher.start()
    await desk.publisher.publish(KEY, ROUTE)
    await desk.publisher.publish_access(Access())
    assert Access() == access_of(desk.snapshots.tables[-1])
    assert desk.snapshots.tables[-1].version == desk.gateways.versions[-1]
    assert ROUTE == desk.publisher.published(KEY)


async def test_access_that_was_not_confirmed_is_in_every_further_table() -> None:
    desk = Desk()
    await desk.publisher.start()
    desk.gateways.unsure = True
    with pytest.raises(GatewayUnsure):
        await desk.publisher.publish_access(Access())
    desk.gateways.unsure = False
    await desk.publisher.publish(KEY, ROUTE)
    assert Access() == access_of(desk.snapshots.tables[-1])


async def test_closing_lets_a_write_end() -> None:
    desk = Desk()
    await desk.publisher.start()
    publication = asyncio.create_task(desk.publisher.publish(KEY, ROUTE))
    await asyncio.sleep(0.001)
    await desk.publisher.close()
    await publication
    assert 1 == len(asyncio.all_tasks())
