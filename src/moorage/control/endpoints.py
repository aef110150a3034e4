"""The loop over endpoints: load, decide, save by compare-and-swap, act.

`Control` is what the composition root holds. Everything it knows can be found again: the wanted state in the store,
the routes in the snapshot, the instances at the runner. So a start is no special case, but for looking everywhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from moorage.control.backoff import Backoff
from moorage.control.capacity import Capacity
from moorage.control.effects import Drains, Effects
from moorage.control.errors import TRANSIENT
from moorage.control.fetching import Fetch
from moorage.control.publisher import Publisher
from moorage.control.queue import WorkQueue
from moorage.core.fleets import routed_instances, serving_instances, wanted_instances
from moorage.core.model import Endpoint, EndpointKey, InstanceState, Observation
from moorage.core.plan import EndpointView, Forget, Plan, Publish
from moorage.core.reconcile import reconcile
from moorage.core.routes import EndpointRoute
from moorage.runners.base import Runner, RunnerError
from moorage.store.base import StaleVersion, Store, Transaction
from moorage.system.clock import Clock
from moorage.system.signals import KeyedSignal

_RUNNING = frozenset({InstanceState.STARTING, InstanceState.READY, InstanceState.UNHEALTHY})

_log = logging.getLogger(__name__)


WhenDecided = Callable[[EndpointKey, Endpoint | None], Awaitable[None]]
"""Called with each endpoint that was looked at, as it is saved, before anything is done; None if it is gone."""
WhenPublished = Callable[[EndpointKey, EndpointRoute | None], None]
"""Called with each route that all gateways have begun to use."""


class Control:
    """Brings every endpoint to what is wanted of it, and keeps it there.

    `changed` is notified after every save, so that whoever waits for an endpoint's status looks again.
    """

    def __init__(
        self,
        *,
        store: Store,
        runner: Runner,
        publisher: Publisher,
        gateways: Drains,
        fetch: Fetch,
        clock: Clock,
        changed: KeyedSignal[EndpointKey],
        capacity: Capacity | None = None,
    ) -> None:
        self._store = store
        self._runner = runner
        self._publisher = publisher
        self._clock = clock
        self._changed = changed
        self._capacity = capacity or Capacity()
        self._queue = WorkQueue(self._work, clock)
        self._backoff = Backoff[EndpointKey]()
        self._effects = Effects(
            store=store,
            runner=runner,
            publisher=publisher,
            gateways=gateways,
            fetch=fetch,
            clock=clock,
            capacity=self._capacity,
            wake=self._queue.add,
        )
        self._watch: asyncio.Task[None] | None = None
        self._when_decided: list[WhenDecided] = []
        self._when_published: list[WhenPublished] = []

    async def start(self) -> None:
        """Take up the work where it was left: adopt what runs, stop what nobody wants, finish what was begun.

        Raises StoreUnavailable, OSError.
        """
        await self._publisher.start()
        self._watch = asyncio.create_task(self._watch_runner(), name="watch runner")
        endpoints = await self._store.run(_load_all)
        await self._reserve_for_serving(endpoints)
        keys = {endpoint.key for endpoint in endpoints}
        for key in keys | set(self._publisher.published_keys()) | await self._observed_keys():
            self._queue.add(key)

    def follow(self, when_decided: WhenDecided, when_published: WhenPublished) -> None:
        """Have these called from now on."""
        self._when_decided.append(when_decided)
        self._when_published.append(when_published)

    def wake(self, key: EndpointKey) -> None:
        """Look at an endpoint soon: to be called after every save of it."""
        self._queue.add(key)

    async def close(self) -> None:
        """Stop deciding and acting. Instances and routes stay as they are."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self._queue.close()
        await self._effects.close()
        await self._publisher.close()

    async def _work(self, key: EndpointKey) -> None:
        try:
            await self._step(key)
        except StaleVersion:
            self._queue.add(key)
        except TRANSIENT as error:
            delay_s = self._backoff.failed(key)
            _log.warning("%s: %s; trying again in %.1f s", key.name, error, delay_s)
            self._queue.add_at(key, self._clock.now() + timedelta(seconds=delay_s))
        except Exception:
            delay_s = self._backoff.failed(key)
            _log.exception("%s: unforeseen; trying again in %.1f s", key.name, delay_s)
            self._queue.add_at(key, self._clock.now() + timedelta(seconds=delay_s))
        else:
            self._backoff.succeeded(key)

    async def _step(self, key: EndpointKey) -> None:
        """Decide once about the endpoint and act on it."""
        endpoint = await self._load(key)
        observed = await self._effects.observe(key)
        self._stop_strangers(key, endpoint, observed)
        if endpoint is None:
            self._capacity.keep(key, {seen.id for seen in observed})
            await self._say_what_is_decided(key, None)
            await self._end_route(key)
            return
        plan = reconcile(self._view(endpoint, observed), now=self._clock.now())
        saved = plan.endpoint != endpoint
        if saved:
            await self._store.run(lambda transaction: transaction.endpoints.swap(plan.endpoint))
            self._changed.notify(key)
        self._reserve_again(plan.endpoint, observed)
        await self._say_what_is_decided(key, plan.endpoint)
        await self._carry_out(key, plan, saved=saved)

    async def _load(self, key: EndpointKey) -> Endpoint | None:
        """The endpoint of exactly this name: to the store, one whose name differs in case is the same."""
        endpoint = await self._store.run(lambda transaction: transaction.endpoints.get(key))
        return endpoint if endpoint is not None and endpoint.key == key else None

    def _view(self, endpoint: Endpoint, observed: Sequence[Observation]) -> EndpointView:
        return EndpointView(
            endpoint=endpoint,
            instances={seen.id: seen for seen in observed if seen.uid == endpoint.uid},
            published=self._publisher.published(endpoint.key),
            settled=self._publisher.is_settled(endpoint.key),
            drained=self._effects.drained,
            stopping=self._effects.stopping,
        )

    async def _say_what_is_decided(self, key: EndpointKey, endpoint: Endpoint | None) -> None:
        for when_decided in self._when_decided:
            await when_decided(key, endpoint)

    async def _reserve_for_serving(self, endpoints: Sequence[Endpoint]) -> None:
        """Before anybody's launch, so that nothing is given away that serves; what does not run has to fit."""
        serving = [spec for endpoint in endpoints for spec in serving_instances(endpoint)]
        try:
            running = {seen.id for seen in await self._runner.observe() if seen.state in _RUNNING}
        except RunnerError:
            running = {spec.id for spec in serving}
        for spec in serving:
            if spec.id in running:
                self._capacity.adopt(spec)
        for spec in serving:
            self._capacity.reserve(spec)

    def _reserve_again(self, endpoint: Endpoint, observed: Sequence[Observation]) -> None:
        """Hold to what is wanted or there, as a control before this one may have launched it, and to nothing else."""
        wanted = wanted_instances(endpoint)
        for seen in observed:
            if seen.id in wanted and seen.state in _RUNNING:
                self._capacity.adopt(wanted[seen.id])
        self._capacity.keep(endpoint.key, wanted.keys() | {seen.id for seen in observed})

    async def _carry_out(self, key: EndpointKey, plan: Plan, *, saved: bool) -> None:
        if saved or plan.actions:
            _log.info("%s: %s", key.name, plan.why)
        for action in plan.actions:
            await self._effects.apply(key, action)
            if isinstance(action, Publish):
                for when_published in self._when_published:
                    when_published(action.key, action.route)
        if any(isinstance(action, Forget) for action in plan.actions):
            self._changed.notify(key)
        elif saved or any(isinstance(action, Publish) for action in plan.actions):
            self._queue.add(key)
        if plan.wake_at is not None:
            self._queue.add_at(key, plan.wake_at)

    def _stop_strangers(self, key: EndpointKey, endpoint: Endpoint | None, observed: Sequence[Observation]) -> None:
        """Stop the instances of deleted namesakes, as soon as no gateway can be routing to them."""
        if not self._publisher.is_settled(key):
            return
        routed = routed_instances(self._publisher.published(key))
        for seen in observed:
            if (endpoint is None or seen.uid != endpoint.uid) and seen.id not in routed:
                _log.info("%s: %s belongs to no endpoint that exists", key.name, seen.id)
                self._effects.begin_stop(key, seen.id)

    async def _end_route(self, key: EndpointKey) -> None:
        """Have the gateways forget an endpoint that does not exist."""
        if not self._publisher.is_settled(key) or self._publisher.published(key) is not None:
            await self._publisher.publish(key, None)
            self._queue.add(key)

    async def _observed_keys(self) -> set[EndpointKey]:
        try:
            return await self._effects.observed_keys()
        except RunnerError as error:
            _log.warning("the runner cannot be asked yet, its instances will be found when it can: %s", error)
            return set()

    async def _watch_runner(self) -> None:
        async for key in self._runner.changes():
            self._queue.add(key)


def _load_all(tx: Transaction) -> list[Endpoint]:
    keys = tx.endpoints.keys()
    return [endpoint for endpoint in map(tx.endpoints.get, keys) if endpoint is not None]
