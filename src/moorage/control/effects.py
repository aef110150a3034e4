"""Carrying out plans: the only module of control that touches runners and gateways.

Publishing is waited for, since what follows in a plan depends on it. Launches, drains and stops take long; they run in
the background, wake their endpoint when they end, and asking for one that runs changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

from moorage.control.backoff import delay_s
from moorage.control.capacity import Capacity
from moorage.control.errors import GatewayUnsure
from moorage.control.fetching import Fetch
from moorage.control.launches import Launches
from moorage.control.observing import Observer
from moorage.control.publisher import Publisher
from moorage.core.fleets import routed_instances
from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, Observation
from moorage.core.plan import Action, Drain, Forget, Launch, Publish, Stop
from moorage.runners.base import Runner, RunnerError
from moorage.store.base import Store
from moorage.system.clock import Clock

_log = logging.getLogger(__name__)


class Drains(Protocol):
    """What carrying out plans asks of the gateways."""

    async def drain(self, instances: Collection[InstanceId], *, timeout_s: float) -> frozenset[InstanceId]:
        """Those of `instances` without a request in flight, once that is all, or at the timeout.

        Raises GatewayUnsure.
        """
        ...


class Effects:
    """What control does to the world, and what it sees of it. `wake` is called when something in it has ended."""

    def __init__(
        self,
        *,
        store: Store,
        runner: Runner,
        publisher: Publisher,
        gateways: Drains,
        fetch: Fetch,
        clock: Clock,
        capacity: Capacity,
        wake: Callable[[EndpointKey], None],
    ) -> None:
        self._store = store
        self._runner = runner
        self._publisher = publisher
        self._gateways = gateways
        self._clock = clock
        self._capacity = capacity
        self._wake = wake
        self._observer = Observer(runner)
        self._launches = Launches(runner, fetch, clock, wake)
        self._drains: dict[InstanceId, asyncio.Task[None]] = {}
        self._drained: set[InstanceId] = set()
        self._stops: dict[InstanceId, asyncio.Task[None]] = {}

    async def observe(self, key: EndpointKey) -> list[Observation]:
        """Every instance under the endpoint's name, those being launched included. Raises RunnerError."""
        launching = {launch.id: launch for launch in self._launches.observations(key)}
        listed = {seen.id: seen for seen in await self._observer.observe() if seen.endpoint == key}
        return list((launching | listed).values())

    async def observed_keys(self) -> set[EndpointKey]:
        """Every endpoint that the runner has an instance of. Raises RunnerError."""
        return {seen.endpoint for seen in await self._observer.observe()}

    @property
    def drained(self) -> frozenset[InstanceId]:
        """Instances asked about with Drain that the gateways report free of requests, until they are stopped."""
        return frozenset(self._drained)

    @property
    def stopping(self) -> frozenset[InstanceId]:
        """Instances whose stop has begun and not ended."""
        return frozenset(self._stops)

    async def apply(self, key: EndpointKey, action: Action) -> None:
        """Carry out one action, or begin to. Raises GatewayUnsure, OSError, StoreUnavailable."""
        match action:
            case Launch(spec):
                self._begin_launch(spec)
            case Publish(of, route):
                self._forget_drains(routed_instances(route))
                await self._publisher.publish(of, route)
            case Drain(instances, until):
                for instance in instances:
                    self._begin_drain(key, instance, until)
            case Stop(instance):
                self.begin_stop(key, instance)
            case Forget(of, uid):
                await self._store.run(lambda transaction: transaction.endpoints.delete(of, uid))

    def begin_stop(self, key: EndpointKey, instance: InstanceId) -> None:
        """Stop an instance in the background, unless that is under way."""
        if instance not in self._stops:
            self._stops[instance] = asyncio.create_task(self._stop(key, instance), name=f"stop {instance}")

    async def close(self) -> None:
        """Give up what runs in the background. It is begun again by the next control."""
        tasks = [*self._drains.values(), *self._stops.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(self._launches.close(), *tasks, return_exceptions=True)

    def _forget_drains(self, instances: Collection[InstanceId]) -> None:
        """They are to be routed to again: what is known of requests on them is no longer true when they next leave."""
        for instance in instances:
            self._drained.discard(instance)
            if (drain := self._drains.pop(instance, None)) is not None:
                drain.cancel()

    def _begin_launch(self, spec: InstanceSpec) -> None:
        if spec.id in self._stops:
            return  # the runner may have stopped it and not said so yet; the end of the stop wakes the endpoint
        self._drained.discard(spec.id)
        shortage = self._capacity.reserve(spec)
        if shortage is None:
            self._launches.begin(spec)
        else:
            self._launches.refuse(spec, shortage)

    def _begin_drain(self, key: EndpointKey, instance: InstanceId, until: datetime) -> None:
        """Each instance is asked about by itself: one that has a long stream on it must not hold up the others."""
        if instance not in self._drains:
            self._drains[instance] = asyncio.create_task(self._drain(key, instance, until), name=f"drain {instance}")

    async def _drain(self, key: EndpointKey, instance: InstanceId, until: datetime) -> None:
        errors = 0
        try:
            while (left_s := (until - self._clock.now()).total_seconds()) > 0:
                try:
                    drained = await self._gateways.drain((instance,), timeout_s=left_s)
                    if instance in self._drains:
                        self._drained |= drained
                    break
                except GatewayUnsure as error:
                    errors += 1
                    _log.warning("draining of %s of %s: %s", instance, key.name, error)
                await self._clock.sleep(delay_s(errors))
        finally:
            self._drains.pop(instance, None)
        self._wake(key)

    async def _stop(self, key: EndpointKey, instance: InstanceId) -> None:
        errors = 0
        try:
            await self._launches.cancel(instance)
            while True:
                try:
                    await self._runner.stop(instance)
                    break
                except RunnerError as error:
                    errors += 1
                    _log.warning("stopping %s of %s: %s", instance, key.name, error)
                await self._clock.sleep(delay_s(errors))
        finally:
            self._drains.pop(instance, None)  # a late answer must not count for the next instance of this identity
            self._drained.discard(instance)
            self._stops.pop(instance, None)
        self._wake(key)
