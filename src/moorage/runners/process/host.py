"""All the instances of this machine, by id."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, InstanceState, Observation
from moorage.runners.process import folder as folders
from moorage.runners.process import images
from moorage.runners.process.folder import InstanceFolder, Record
from moorage.runners.process.instance import Instance
from moorage.runners.process.models import ModelFolders
from moorage.runners.process.nursery import FrameworkAbsent, Nurseries, NurseryLost
from moorage.runners.process.procfs import reap_strays
from moorage.runners.process.protocol import Described
from moorage.runners.process.settings import AgentSettings
from moorage.system.clock import Clock

log = logging.getLogger(__name__)


class Host:
    """Owns the instances below `settings.instances_dir`. Calls `on_change` with the endpoint of what changed."""

    def __init__(self, settings: AgentSettings, clock: Clock, on_change: Callable[[EndpointKey], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._on_change = on_change
        self._models = ModelFolders(settings.models_dir)
        self._nurseries = Nurseries()
        self._instances: dict[InstanceId, Instance] = {}
        self._launching: dict[InstanceId, asyncio.Task[None]] = {}
        self._stopping: dict[InstanceId, asyncio.Task[None]] = {}
        self._warming: set[asyncio.Task[None]] = set()

    def adopt(self) -> None:
        """Take over what another agent left, and tidy up after it."""
        self._settings.instance_sockets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._models.sweep()
        for found in folders.find_all(self._settings.instances_dir):
            record = found.read()
            if record is None:
                found.close_claim()
                found.remove()
                continue
            self._add(found, record).adopt()
            self.prepare(record.spec.variant.containers[0].image)  # the dead agent's nurseries ended with it

    def prepare(self, image: str) -> None:
        """Begin to warm up a nursery."""
        task = asyncio.create_task(self._warm_up(image))
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    async def launch(self, spec: InstanceSpec, archive: Path | None, digest: str | None) -> None:
        """Record an instance and begin to start it, unless it is known. Raises OSError."""
        if spec.id in self._stopping:
            await asyncio.wait([self._stopping[spec.id]])
        if spec.id in self._instances:
            return
        task = self._launching.get(spec.id)
        if task is None:
            task = self._launching[spec.id] = asyncio.create_task(self._launch(spec, archive, digest))
            task.add_done_callback(lambda _: self._launching.pop(spec.id, None))
        await asyncio.shield(task)

    async def stop(self, instance: InstanceId) -> None:
        """End an instance; returns when it is gone."""
        if instance in self._launching:
            await asyncio.wait([self._launching[instance]])
        task = self._stopping.get(instance)
        if task is None:
            found = self._instances.get(instance)
            if found is None:
                return
            task = self._stopping[instance] = asyncio.create_task(self._stop(instance, found))
            task.add_done_callback(lambda _: self._stopping.pop(instance, None))
        await asyncio.shield(task)

    def observe(self) -> Sequence[Observation]:
        """Every instance as it is now."""
        return [instance.observe() for instance in self._instances.values()]

    def describe(self, instance: InstanceId) -> Described:
        """What an observation has no room for."""
        found = self._instances.get(instance)
        return Described(found.record.diagnostics, found.pid) if found else Described()

    def reap(self) -> None:
        """Collect the zombies of instances' own children."""
        reap_strays()

    async def stop_all(self) -> None:
        """End every instance and nursery. What cannot be removed does not keep the others from being ended."""
        instances = [*self._instances, *self._launching]
        results = await asyncio.gather(*(self.stop(instance) for instance in instances), return_exceptions=True)
        for instance, result in zip(instances, results, strict=True):
            if isinstance(result, BaseException):
                log.error("%s: stopping it failed: %s", instance, result)
        self._nurseries.close()

    def let_go(self) -> None:
        """Leave the instances to the next agent."""
        for instance in self._instances.values():
            instance.let_go()
        self._nurseries.close()

    async def _launch(self, spec: InstanceSpec, archive: Path | None, digest: str | None) -> None:
        record = Record(spec=spec, digest=digest, state=InstanceState.STARTING, since=self._clock.now())
        made = await asyncio.to_thread(folders.create, self._settings.instances_dir, record, archive)
        self._add(made, record).begin()
        self._on_change(spec.endpoint)

    async def _stop(self, instance: InstanceId, found: Instance) -> None:
        await found.stop()
        del self._instances[instance]
        await self._models.keep_only({found.record.digest for found in self._instances.values() if found.record.digest})
        self._on_change(found.record.spec.endpoint)

    async def _warm_up(self, image: str) -> None:
        try:
            await self._nurseries.get(images.resolve(image).framework)
        except (images.UnknownImage, FrameworkAbsent, NurseryLost):
            return  # a launch will say it

    def _add(self, folder: InstanceFolder, record: Record) -> Instance:
        instance = self._instances[record.spec.id] = Instance(
            folder,
            record,
            settings=self._settings,
            clock=self._clock,
            models=self._models,
            nurseries=self._nurseries,
            on_change=lambda: self._on_change(record.spec.endpoint),
        )
        return instance
