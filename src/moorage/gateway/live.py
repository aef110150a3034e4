"""What outlasts any one route table: the state of instances, and the queues in front of variants.

Both are known as long as a table or a request in flight holds them. A new table finds them here, so that counts go on,
and a drain sees requests that were let in under a table long gone.
"""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakValueDictionary

from moorage.core.model import EndpointKey, InstanceId
from moorage.core.routes import InstanceRoute, VariantRoute
from moorage.gateway.admission import Queue, Share
from moorage.gateway.instance import Instance
from moorage.gateway.ledger import Ledger
from moorage.wire.limits import Limits
from moorage.wire.pool import Pool

NEVER: Final = -math.inf
_SETTLED_AT_ONCE: Final = 256


class VariantQueue(Queue[Instance]):
    """The queue in front of a variant, which knows whose it is."""

    __slots__ = ("asked_at", "endpoint", "variant", "wakes")

    def __init__(self, endpoint: EndpointKey, variant: str, occupied: set[VariantQueue]) -> None:
        super().__init__(occupied)
        self.endpoint = endpoint
        self.variant = variant
        self.wakes = False
        """Whether control has to be asked for an instance while there is none, as the route has it."""
        self.asked_at = NEVER
        """When it was last asked."""


class Live:
    """The live state behind the routes of one gateway worker. `monotonic` gives seconds."""

    def __init__(self, ledger: Ledger, *, monotonic: Callable[[], float], share: Share, limits: Limits) -> None:
        self.ledger = ledger
        self._monotonic = monotonic
        self._share = share
        self._limits = limits
        self._instances: WeakValueDictionary[InstanceId, Instance] = WeakValueDictionary()
        self.occupied: set[VariantQueue] = set()
        """The queues in which somebody waits."""
        self._queues: WeakValueDictionary[tuple[EndpointKey, str], VariantQueue] = WeakValueDictionary()
        self._settled = 0

    def slots_max(self, route: VariantRoute) -> int:
        """How many requests this worker may have on one instance of the variant.

        That is its share, but where the turnstile lets in no more than an instance takes one worker may have them all.
        """
        if route.requests_max is not None and route.concurrency_max == route.requests_max:
            return route.requests_max
        return self._share.slots(route.concurrency_max)

    def instance(self, route: InstanceRoute, queue: VariantQueue, *, slots_max: int) -> Instance:
        """The instance of that id, as this route has it from now on."""
        instance = self._instances.get(route.id)
        if instance is None:
            pool = Pool(route.address, self._limits)
            instance = Instance(route.id, pool, queue, slots_max=slots_max, monotonic=self._monotonic)
            self._instances[route.id] = instance
            return instance
        instance.queue = queue
        instance.allowance.slots_max = slots_max
        instance.slots = instance.allowance.slots(self._monotonic())
        if instance.pool.address != route.address:
            instance.pool = Pool(route.address, self._limits)
        return instance

    def queue(self, key: EndpointKey, variant: str) -> VariantQueue:
        """The queue in front of the variant of that name."""
        queue = self._queues.get((key, variant))
        if queue is None:
            queue = self._queues[key, variant] = VariantQueue(key, variant, self.occupied)
        return queue

    def settle(self) -> None:
        """An endpoint was prepared, and is here to stay: spare it the search for garbage, like much else by now.

        Looking at 10,000 endpoints would hold up every request for a quarter of a second.
        """
        self._settled += 1
        if self._settled % _SETTLED_AT_ONCE == 0:
            gc.freeze()

    async def drain(self, ids: Iterable[InstanceId], *, timeout_s: float) -> list[InstanceId]:
        """Those of `ids` without a request in flight, as soon as that is all of them, or at the timeout."""
        wanted = list(ids)
        waiters = {id_: instance.idle() for id_ in wanted if (instance := self._instances.get(id_)) is not None}
        if waiters:
            await asyncio.wait(waiters.values(), timeout=timeout_s)
        return [id_ for id_ in wanted if id_ not in waiters or waiters[id_].done()]

    def close(self) -> None:
        """Drop every connection to an instance."""
        for instance in tuple(self._instances.values()):
            instance.pool.close()
