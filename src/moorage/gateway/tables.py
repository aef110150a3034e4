"""The routes in force, prepared for use, and the live state of instances that outlasts any one table.

`Tables.routes` is swapped by assignment: a request takes it once and sees one table from beginning to end. What a table
says of an endpoint is prepared when it is first asked for, so a swap costs what is in use and not what is published.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from weakref import WeakValueDictionary

from moorage.core.model import EndpointKey, InstanceId
from moorage.core.routes import EndpointRoute, InstanceRoute, RouteTable, VariantRoute
from moorage.gateway.health import Health
from moorage.gateway.permission import Callers
from moorage.gateway.pick import Draw, Weighted, make_pick
from moorage.wire.limits import Limits
from moorage.wire.pool import Pool

Find = Callable[[InstanceRoute], "Instance"]
"""The live state of the instance that a route names."""


class Instance:
    """One instance: where it listens, how many requests are on it, and how it has behaved."""

    __slots__ = ("__weakref__", "_idle_waiters", "health", "id", "in_flight", "pool", "slots")

    def __init__(self, id_: InstanceId, address: str, limits: Limits) -> None:
        self.id = id_
        self.pool = Pool(address, limits)
        self.in_flight = 0
        self.slots = sys.maxsize
        self.health = Health()
        self._idle_waiters: list[asyncio.Future[None]] = []

    def idle(self) -> asyncio.Future[None]:
        """Done at the next moment without a request."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.in_flight:
            self._idle_waiters.append(waiter)
        else:
            waiter.set_result(None)
        return waiter

    def leave(self) -> None:
        """A request is over."""
        self.in_flight -= 1
        if self.in_flight or not self._idle_waiters:
            return
        for waiter in self._idle_waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._idle_waiters.clear()


class Variant:
    """A production variant and its instances."""

    __slots__ = ("instances", "name", "pick", "signature")

    def __init__(self, route: VariantRoute, instances: tuple[Instance, ...], draw: Draw) -> None:
        self.name = route.name
        self.instances = instances
        self.pick = make_pick(route.routing_strategy, instances, draw)
        """The instance to ask at a moment (monotonic seconds)."""
        self.signature = b"x-Amzn-Invoked-Production-Variant: %b\r\n" % route.name.encode()
        """What it puts under its answers."""


class Endpoint:
    """One endpoint, prepared for choosing."""

    __slots__ = ("key", "ready", "route", "variants")

    def __init__(self, key: EndpointKey, route: EndpointRoute, find: Find, draw: Draw) -> None:
        self.key = key
        self.route = route
        prepared = [(Variant(each, tuple(map(find, each.instances)), draw), each.weight) for each in route.variants]
        self.variants = {variant.name: variant for variant, _ in prepared}
        # A variant without instances would turn its share of requests into errors that another could have answered.
        self.ready = Weighted([(variant, weight) for variant, weight in prepared if variant.instances])


class Routes:
    """One table, prepared for use."""

    def __init__(self, table: RouteTable, find: Find, draw: Draw, older: Routes | None = None) -> None:
        self.table = table
        self.callers: Callers = Callers(table, older.callers if older else None)
        self._find = find
        self._draw = draw
        self._prepared: dict[tuple[str, str], Endpoint] = {}
        if older is not None:
            self._inherit(older)

    @property
    def version(self) -> int:
        """The table's version."""
        return self.table.version

    def endpoint(self, region: str, name: str) -> Endpoint | None:
        """The endpoint of that name in that region."""
        endpoint = self._prepared.get((region, name))
        if endpoint is not None:
            return endpoint
        route = self.table.endpoints.get(region, {}).get(name)
        if route is None:
            return None
        endpoint = Endpoint(EndpointKey(region, name), route, self._find, self._draw)
        self._prepared[region, name] = endpoint
        return endpoint

    def _inherit(self, older: Routes) -> None:
        """Prepare what was in use in `older`, keeping what has not changed."""
        for (region, name), endpoint in older._prepared.items():
            route = self.table.endpoints.get(region, {}).get(name)
            if route == endpoint.route:
                self._prepared[region, name] = endpoint
            elif route is not None:
                self.endpoint(region, name)


class Tables:
    """Holds the routes in force. `routes` is None until the first table is there."""

    def __init__(self, draw: Draw, limits: Limits | None = None) -> None:
        self.routes: Routes | None = None
        self._draw = draw
        self._limits = limits or Limits()
        # An instance is known as long as a table or a request in flight holds it; a new table finds it here, so that
        # its count goes on and a drain sees requests that were admitted under a table long gone.
        self._instances: WeakValueDictionary[InstanceId, Instance] = WeakValueDictionary()

    def install(self, table: RouteTable) -> None:
        """Use `table` from now on, unless the one in force is newer."""
        if self.routes is not None and table.version < self.routes.version:
            return
        self.routes = Routes(table, self._find, self._draw, self.routes)

    def close(self) -> None:
        """Drop every connection to an instance."""
        for instance in tuple(self._instances.values()):
            instance.pool.close()

    async def drain(self, ids: Iterable[InstanceId], *, timeout_s: float) -> list[InstanceId]:
        """Those of `ids` without a request in flight, as soon as that is all of them, or at the timeout."""
        wanted = list(ids)
        waiters = {id_: instance.idle() for id_ in wanted if (instance := self._instances.get(id_)) is not None}
        if waiters:
            await asyncio.wait(waiters.values(), timeout=timeout_s)
        return [id_ for id_ in wanted if id_ not in waiters or waiters[id_].done()]

    def _find(self, route: InstanceRoute) -> Instance:
        instance = self._instances.get(route.id)
        if instance is None:
            instance = Instance(route.id, route.address, self._limits)
            self._instances[route.id] = instance
        elif instance.pool.address != route.address:
            instance.pool = Pool(route.address, self._limits)
        return instance
