"""Which routes an invocation goes by when they change while it is under way."""

import asyncio
from typing import Any

import pytest

from moorage.aws.errors import ServiceError
from moorage.core.model import InstanceId
from moorage.core.routes import AccessKey, EndpointRoute, InstanceRoute, RouteTable, VariantRoute
from moorage.gateway.invoke import Invoker
from moorage.gateway.tables import Tables
from moorage.system.clock import SystemClock
from moorage.testing.signing import KEY_ID, REGION, SECRET, sign
from moorage.wire.body import Body
from moorage.wire.client import Client
from moorage.wire.heads import RequestHead
from moorage.wire.messages import NotSent
from moorage.wire.request import ServerRequest

ACCOUNT = "123456789012"


def routes(version: int, *addresses: str) -> RouteTable:
    """Endpoint `iris` with one instance at each address."""
    instances = tuple(InstanceRoute(InstanceId(f"i-{address}"), address) for address in addresses)
    endpoint = EndpointRoute("arn", "config", (VariantRoute("AllTraffic", 1.0, instances),))
    keys = {KEY_ID: AccessKey(SECRET, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)}
    return RouteTable(version, ACCOUNT, keys, {REGION: {"iris": endpoint}})


class SwapsWhileConnecting(Client):
    """Finds nobody at any address, and meanwhile `table` comes into force."""

    def __init__(self, tables: Tables, table: RouteTable) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._tables = tables
        self._table = table

    async def request(self, address: str, *arguments: Any, **options: Any) -> Any:
        self.asked.append(address)
        self._tables.install(self._table)
        raise NotSent("nobody listens")


def invocation() -> ServerRequest:
    """A signed one, all of it here."""
    sent = sign(url="http://127.0.0.1/endpoints/iris/invocations", body=b"1,2", at=SystemClock().now())
    body = Body(asyncio.get_running_loop(), on_taken=lambda: None)
    body.put([sent.body], complete=True)
    head = RequestHead(sent.method, sent.path, sent.headers, len(sent.body), http_11=True, keep_alive=True, expect=None)
    return ServerRequest(head, body)


async def test_another_instance_is_looked_for_in_the_routes_then_in_force() -> None:
    tables = Tables()
    tables.install(routes(1, "old-1", "old-2"))
    client = SwapsWhileConnecting(tables, routes(2, "new"))
    invoker = Invoker(tables, client, clock=SystemClock(), draw=lambda: 0.0)
    with pytest.raises(ServiceError) as caught:
        await invoker.invoke(invocation(), b"id")
    assert "ServiceUnavailable" == caught.value.code
    assert ["old-1", "new"] == client.asked
