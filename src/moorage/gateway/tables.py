"""The routes in force, prepared for use, and the live state of instances that outlasts any one table.

`Tables.routes` is swapped by assignment: a request takes it once and sees one table from beginning to end. What a table
says of an endpoint is prepared when it is first asked for, so a swap costs what is in use and not what is published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from weakref import WeakValueDictionary

from moorage.core.model import EndpointKey, InstanceId
from moorage.core.routes import EndpointRoute, InstanceRoute, RouteTable, VariantRoute
from moorage.gateway.health import Health
from moorage.gateway.pick import Weighted


class Instance:
    """One instance: where it listens, how many requests are on it, and how it has behaved."""

    __slots__ = ("__weakref__", "_idle_waiters", "address", "health", "id", "in_flight")

    def __init__(self, route: InstanceRoute) -> None:
        self.id = route.id
        self.address = route.address
        self.in_flight = 0
        self.health = Health()
        self._idle_waiters: list[asyncio.Future[None]] = []

    def is_ejected(self, now: float) -> bool:
        """Whether it is to be left alone for now."""
        return self.health.is_ejected(now)

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


class Visit:
    """A request's stay on an instance, counted from `with` to its end, or to `end` if it was prolonged."""

    __slots__ = ("_ended", "_prolonged", "instance")

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._prolonged = False
        self._ended = False

    def __enter__(self) -> Visit:
        self.instance.in_flight += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._prolonged or error is not None:
            self.end()

    def prolong(self) -> None:
        """The answer outlasts the block: whoever streams it calls `end`."""
        self._prolonged = True

    def end(self) -> None:
        """The request is over. Further calls do nothing."""
        if not self._ended:
            self._ended = True
            self.instance.leave()


class Variant:
    """A production variant and its instances."""

    __slots__ = ("header", "instances", "name")

    def __init__(self, route: VariantRoute, instances: tuple[Instance, ...]) -> None:
        self.name = route.name
        self.header = route.name.encode()
        self.instances = instances


class Endpoint:
    """One endpoint, prepared for choosing."""

    __slots__ = ("key", "ready", "route", "variants")

    def __init__(self, key: EndpointKey, route: EndpointRoute, find: Callable[[InstanceRoute], Instance]) -> None:
        self.key = key
        self.route = route
        prepared = [(Variant(each, tuple(map(find, each.instances))), each.weight) for each in route.variants]
        self.variants = {variant.name: variant for variant, _ in prepared}
        # A variant without instances would turn its share of requests into errors that another could have answered.
        self.ready = Weighted([(variant, weight) for variant, weight in prepared if variant.instances])


class Routes:
    """One table, prepared for use."""

    def __init__(self, table: RouteTable, find: Callable[[InstanceRoute], Instance]) -> None:
        self.table = table
        self._find = find
        self._prepared: dict[tuple[str, str], Endpoint] = {}

    @property
    def version(self) -> int:
        """The table's version."""
        return self.table.version

    def secret_of(self, access_key_id: str) -> str | None:
        """The secret of a key that may call."""
        key = self.table.keys.get(access_key_id)
        return key.secret if key is not None else None

    def account_of(self, access_key_id: str) -> str:
        """The account a known key belongs to."""
        return self.table.keys[access_key_id].account_id

    def endpoint(self, region: str, name: str) -> Endpoint | None:
        """The endpoint of that name in that region."""
        endpoint = self._prepared.get((region, name))
        if endpoint is not None:
            return endpoint
        route = self.table.endpoints.get(region, {}).get(name)
        if route is None:
            return None
        endpoint = Endpoint(EndpointKey(region, name), route, self._find)
        self._prepared[region, name] = endpoint
        return endpoint

    def inherit(self, older: Routes) -> None:
        """Prepare what was in use in `older`, keeping what has not changed."""
        for (region, name), endpoint in older._prepared.items():
            route = self.table.endpoints.get(region, {}).get(name)
            if route == endpoint.route:
                self._prepared[region, name] = endpoint
            elif route is not None:
                self.endpoint(region, name)


class Tables:
    """Holds the routes in force. `routes` is None until the first table is there."""

    def __init__(self) -> None:
        self.routes: Routes | None = None
        # An instance is known as long as a table or a request in flight holds it; a new table finds it here, so that
        # its count goes on and a drain sees requests that were admitted under a table long gone.
        self._instances: WeakValueDictionary[InstanceId, Instance] = WeakValueDictionary()

    def install(self, table: RouteTable) -> None:
        """Use `table` from now on, unless the one in force is newer."""
        if self.routes is not None and table.version < self.routes.version:
            return
        routes = Routes(table, self._find)
        if self.routes is not None:
            routes.inherit(self.routes)
        self.routes = routes

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
            instance = Instance(route)
            self._instances[route.id] = instance
        instance.address = route.address
        return instance
