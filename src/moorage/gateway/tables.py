"""The routes in force, prepared for use.

`Tables.routes` is swapped by assignment: a request takes it once and sees one table from beginning to end. What a table
says of an endpoint is prepared when it is first asked for, and what was prepared under an older table is looked at anew
when it is next asked for. So a swap takes the same few microseconds whatever is published and whatever is in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from moorage.core.model import EndpointKey, InstanceId, VariantKey
from moorage.core.routes import EndpointRoute, RouteTable, VariantRoute
from moorage.core.traffic import SeriesKey
from moorage.gateway.admission import WHOLE_SHARE, Share
from moorage.gateway.containers import Containers
from moorage.gateway.instance import Instance
from moorage.gateway.ledger import Ledger
from moorage.gateway.live import NEVER, Live, VariantQueue
from moorage.gateway.permission import Callers
from moorage.gateway.pick import Draw, Weighted, make_pick
from moorage.gateway.target_models import Homes
from moorage.gateway.turnstile import first_byte
from moorage.wire.limits import Limits

_RENEWED_AT_ONCE: Final = 32


class Variant:
    """A production variant, its instances and the queue in front of them."""

    __slots__ = (
        "containers",
        "fault",
        "homes",
        "instances",
        "name",
        "pick",
        "queue",
        "requests_max",
        "series",
        "signature",
        "turns",
        "wakes",
    )

    def __init__(self, key: EndpointKey, config_name: str, route: VariantRoute, live: Live, draw: Draw) -> None:
        self.name = route.name
        self.queue = live.queue(key, route.name)
        self.instances = tuple(
            live.instance(each, self.queue, slots_max=live.slots_max(route)) for each in route.instances
        )
        self.pick = make_pick(route.routing_strategy, self.instances, draw)
        """The instance to ask at a moment (monotonic seconds)."""
        self.queue.pick = self.pick
        series_key, count = SeriesKey(*key, config_name, route.name), len(self.instances)
        self.series = live.ledger.series(series_key, instances=count)
        """Where its invocations count that reach none of its instances."""
        for instance in self.instances:
            instance.series = live.ledger.series(series_key._replace(instance=instance.id), instances=count)
        self.signature = b"x-Amzn-Invoked-Production-Variant: %b\r\n" % route.name.encode()
        """What it puts under its answers."""
        self.containers = Containers(route.containers, route.is_direct) if route.containers else None
        """Where its instances have several."""
        self.homes = Homes(self.instances) if route.is_multi_model else None
        """Of its models, where it has many."""
        self.wakes = self.queue.wakes = route.wakes
        """Whether control has to be asked for an instance while there is none."""
        self.fault = route.fault
        """Why it would be in vain to wait for one."""
        self.requests_max = route.requests_max
        """Of a serverless variant: how many requests there may be at once."""
        self.turns = first_byte(VariantKey(key, route.name)) if route.requests_max is not None else 0
        """Where they are counted in the turnstile."""
        if self.instances:
            self.queue.asked_at = NEVER  # asleep again, it is to be woken at once

    @property
    def is_at_hand(self) -> bool:
        """Whether it has an instance, or sleeps and will have one as soon as it is asked."""
        return bool(self.instances) or (self.wakes and not self.fault)


class Endpoint:
    """One endpoint, prepared for choosing."""

    __slots__ = ("_homes", "key", "ready", "route", "series", "table", "variants")

    def __init__(self, key: EndpointKey, route: EndpointRoute, live: Live, draw: Draw) -> None:
        self.key = key
        self.route = route
        self.table: RouteTable | None = None
        """The table that is known to have this route."""
        self.series = live.ledger.series(SeriesKey(*key, route.config_name), instances=0)
        """Where its invocations count that reach none of its variants."""
        prepared = [(Variant(key, route.config_name, each, live, draw), each.weight) for each in route.variants]
        self.variants = {variant.name: variant for variant, _ in prepared}
        # A variant that is down would keep its share of requests waiting, or refuse it, where another could answer.
        at_hand = [(variant, weight) for variant, weight in prepared if variant.is_at_hand]
        self.ready = Weighted(at_hand or [(variant, weight) for variant, weight in prepared if not variant.fault])
        self._homes: Mapping[InstanceId, tuple[Variant, Instance]] | None = None  # made for the first session

    def retire(self) -> None:
        """Another has taken its place, or none: what is gone of it can be forgotten at once, without a search."""
        for variant in self.variants.values():
            variant.queue.drop(variant.pick)

    @property
    def fault(self) -> str:
        """Why a variant of it does not come up."""
        return next((variant.fault for variant in self.variants.values() if variant.fault), "")

    def find(self, instance: InstanceId) -> tuple[Variant, Instance] | None:
        """The instance of that id, and its variant, if it is in the route."""
        if self._homes is None:
            self._homes = {each.id: (variant, each) for variant in self.variants.values() for each in variant.instances}
        return self._homes.get(instance)


class Routes:
    """One table, prepared for use. Endpoints pass from `older` to it."""

    def __init__(self, table: RouteTable, live: Live, draw: Draw, older: Routes | None = None) -> None:
        self.table = table
        self.callers: Callers = Callers(table, older.callers if older else None)
        self._live = live
        self._draw = draw
        self._prepared: dict[tuple[str, str], Endpoint] = older._prepared if older else {}

    @property
    def version(self) -> int:
        """The table's version."""
        return self.table.version

    def endpoint(self, region: str, name: str) -> Endpoint | None:
        """The endpoint of that name in that region."""
        endpoint = self._prepared.get((region, name))
        if endpoint is not None and endpoint.table is self.table:
            return endpoint
        return self._prepare(EndpointKey(region, name), endpoint)

    def prepared(self) -> list[tuple[str, str]]:
        """Region and name of the endpoints that have been asked for."""
        return list(self._prepared)

    def is_news(self, key: EndpointKey) -> bool:
        """Prepare the endpoint; whether this table has another route for it than was prepared before, or none."""
        last = self._prepared.get(key)
        return self.endpoint(*key) is not last or last is None

    def _prepare(self, key: EndpointKey, older: Endpoint | None) -> Endpoint | None:
        route = self.table.endpoints.get(key.region, {}).get(key.name)
        # Tables share what has not changed, so that nearly always a glance is enough.
        if older is not None and (route is older.route or route == older.route):
            older.table = self.table
            return older
        endpoint = Endpoint(key, route, self._live, self._draw) if route is not None else None
        if older is not None:
            older.retire()
        if endpoint is None:
            self._prepared.pop(key, None)
        else:
            endpoint.table = self.table
            self._prepared[key] = endpoint
            self._live.settle()
        return endpoint


class Tables:
    """Holds the routes in force. `routes` is None until the first table is there. `monotonic` gives seconds."""

    def __init__(
        self,
        draw: Draw,
        ledger: Ledger,
        *,
        monotonic: Callable[[], float],
        share: Share = WHOLE_SHARE,
        limits: Limits | None = None,
    ) -> None:
        self.routes: Routes | None = None
        self.live = Live(ledger, monotonic=monotonic, share=share, limits=limits or Limits())
        self._draw = draw
        self._monotonic = monotonic

    def install(self, table: RouteTable) -> None:
        """Use `table` from now on, unless the one in force is newer."""
        if self.routes is not None and table.version < self.routes.version:
            return
        self.routes = Routes(table, self.live, self._draw, self.routes)
        occupied = tuple(self.live.occupied)
        changed = set(filter(self.routes.is_news, {queue.endpoint for queue in occupied}))
        for queue in occupied:
            if queue.endpoint in changed:
                self._move(queue, self.routes)

    def renew(self) -> Iterator[None]:
        """Look at what is in use as the routes in force have it, and forget what they do not, a little at every step.

        Nothing waits for it, but until then the instances of an endpoint that is gone stay known.
        """
        routes = self.routes
        for number, (region, name) in enumerate(routes.prepared() if routes else ()):
            if number % _RENEWED_AT_ONCE == 0:
                yield
            if routes is None or routes is not self.routes:
                return
            routes.endpoint(region, name)

    def _move(self, queue: VariantQueue, routes: Routes) -> None:
        """Have those who wait follow their variant to its instances, or look again if it has none."""
        endpoint = routes.endpoint(*queue.endpoint)
        variant = endpoint.variants.get(queue.variant) if endpoint is not None else None
        if variant is not None and variant.instances:
            queue.follow(self._monotonic())
        else:
            queue.disperse()
