"""All the instances of this machine, by id."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, InstanceState, Observation
from moorage.runners.base import ContainerFiles
from moorage.runners.many_models import Shop
from moorage.runners.process import folder as folders
from moorage.runners.process import images
from moorage.runners.process.environments.environments import (
    EnvironmentImpossible,
    Environments,
    EnvironmentUnavailable,
)
from moorage.runners.process.folder import InstanceFolder, Record
from moorage.runners.process.instance import Instance
from moorage.runners.process.instance_log import append_line, log_path
from moorage.runners.process.instance_process import InstanceProcess
from moorage.runners.process.isolation.isolation import Isolation
from moorage.runners.process.models import ModelFolders
from moorage.runners.process.multi_model.demands import Demands
from moorage.runners.process.nursery import FrameworkAbsent, Nurseries, NurseryLost
from moorage.runners.process.place import nameless_places
from moorage.runners.process.preparation import Preparer
from moorage.runners.process.procfs import reap_strays
from moorage.runners.process.protocol import Described
from moorage.runners.process.settings import AgentSettings
from moorage.runners.process.staging import data_of
from moorage.runners.process.standby import Standby
from moorage.runners.process.usage import Metered
from moorage.system.clock import Clock

log = logging.getLogger(__name__)


class Host:
    """Owns the instances below `settings.instances_dir`. Calls `on_change` with the endpoint of what changed."""

    def __init__(self, settings: AgentSettings, clock: Clock, on_change: Callable[[EndpointKey], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._on_change = on_change
        self._models = ModelFolders(settings.models_dir)
        self.demands = Demands()
        """What running instances ask of control."""
        self._environments = Environments(
            settings.environments_dir,
            settings.packages,
            clock,
            bytes_max=settings.environments_bytes_max,
            in_use=self._equipment,
        )
        self._nurseries = Nurseries(clock, idle_s=settings.nursery_idle_s)
        self._standby = Standby(clock, kept_s=settings.nursery_idle_s)
        self._isolation = Isolation(settings)
        self._preparer = Preparer(self._models, self._environments, self._nurseries, self._isolation)
        self._instances: dict[InstanceId, Instance] = {}
        self._launching: dict[InstanceId, asyncio.Task[None]] = {}
        self._stopping: dict[InstanceId, asyncio.Task[None]] = {}
        self._warming: set[asyncio.Task[None]] = set()

    def adopt(self) -> None:
        """Take over what another agent left, and tidy up after it."""
        self._settings.instance_sockets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._models.sweep()
        self._begin(self._isolation.announce())
        for found in folders.find_all(self._settings.instances_dir):
            record = found.read()
            if record is None:
                self._begin(self._give_up(found))
                continue
            self._add(found, record).adopt()
            for container in record.spec.variant.containers:
                self.prepare(container.image)  # the dead agent's nurseries ended with it
        self._environments.sweep()  # now it is known what instances run from, and nothing is being built yet

    def prepare(self, image: str) -> None:
        """Begin to warm up a nursery."""
        self._begin(self._warm_up(image))

    def stand_by(self, spec: InstanceSpec) -> None:
        """Keep what an instance is started from while it does not run: nurseries and model data."""
        found = self._instances.get(spec.id)
        self._standby.renew(spec.id, found.record.digests if found else None)
        for container in spec.variant.containers:
            self.prepare(container.image)

    async def note(self, spec: InstanceSpec, text: str) -> None:
        """Write a line into an instance's log. Raises OSError."""
        path = log_path(self._settings.logs_dir, spec)
        await asyncio.to_thread(append_line, path, text, now=self._clock.now())

    async def launch(self, spec: InstanceSpec, files: tuple[ContainerFiles, ...]) -> None:
        """Record an instance and begin to start it, unless it is known. Raises OSError."""
        if spec.id in self._stopping:
            await asyncio.wait([self._stopping[spec.id]])
        if spec.id in self._instances:
            return
        task = self._launching.get(spec.id)
        if task is None:
            task = self._launching[spec.id] = asyncio.create_task(self._launch(spec, files))
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
        """Every instance as it is now. One that is being stopped is as good as gone."""
        return [
            replace(instance.observe(), state=InstanceState.LOST, address=None, reason="It is being stopped")
            if id_ in self._stopping
            else instance.observe()
            for id_, instance in self._instances.items()
        ]

    def describe(self, instance: InstanceId) -> Described:
        """What an observation has no room for."""
        found = self._instances.get(instance)
        return Described(found.record.diagnostics, found.pid) if found else Described()

    def shops(self) -> Iterator[tuple[Shop, Path]]:
        """Every container that serves many models, with its socket."""
        return itertools.chain.from_iterable(instance.shops for instance in self._instances.values())

    def metered(self) -> Iterator[Metered]:
        """Every instance that is ready."""
        return (each.metered for each in self._instances.values() if each.observe().state is InstanceState.READY)

    def tidy(self) -> None:
        """Collect the zombies of instances' own children, and end the nurseries that nobody needs."""
        reap_strays()
        if not any(found.observe().state is InstanceState.STARTING for found in self._instances.values()):
            self._nurseries.retire()  # one that starts may have its nursery in hand, and not asked it yet
        if self._standby.expire():
            self._begin(self._keep_models())

    async def stop_all(self) -> None:
        """End every instance and nursery. What cannot be removed does not keep the others from being ended."""
        instances = [*self._instances, *self._launching]
        results = await asyncio.gather(*(self.stop(instance) for instance in instances), return_exceptions=True)
        for instance, result in zip(instances, results, strict=True):
            if isinstance(result, BaseException):
                log.error("%s: stopping it failed: %s", instance, result)
        self._nurseries.close()
        await self._environments.close()

    def let_go(self) -> None:
        """Leave the instances to the next agent."""
        for instance in self._instances.values():
            instance.let_go()
        self._nurseries.close()

    async def _launch(self, spec: InstanceSpec, files: tuple[ContainerFiles, ...]) -> None:
        record = Record(spec=spec, data=data_of(files), state=InstanceState.STARTING, since=self._clock.now())
        made = await asyncio.to_thread(folders.create, self._settings.instances_dir, record, files)
        self._add(made, record).begin()
        self._on_change(spec.endpoint)

    async def _stop(self, instance: InstanceId, found: Instance) -> None:
        await found.stop()
        del self._instances[instance]
        await self._keep_models()
        self._on_change(found.record.spec.endpoint)

    async def _keep_models(self) -> None:
        """Remove the model data that no instance has, and none that stands by."""
        used = {digest for found in self._instances.values() for digest in found.record.digests}
        await self._models.keep_only(used | self._standby.digests)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    async def _warm_up(self, image: str) -> None:
        """Have a nursery warm, and its environment built. What goes wrong a launch will meet again, and say."""
        with contextlib.suppress(
            images.UnknownImage, EnvironmentImpossible, EnvironmentUnavailable, FrameworkAbsent, NurseryLost
        ):
            wanted = images.resolve(image)
            environment = await self._environments.ensure(wanted, log.info)
            await self._nurseries.get(environment, wanted.framework)

    def _equipment(self) -> Set[Path]:
        """The folders of environments that instances run from."""
        return {Path(folder) for instance in self._instances.values() for folder in instance.record.equipment}

    async def _give_up(self, folder: InstanceFolder) -> None:
        """End the processes of an instance that is not known any more, and remove it."""
        log.warning("%s: its record cannot be read: ending it", folder.path.name)
        settings = self._settings
        for place in nameless_places(folder, settings):
            process = InstanceProcess(place, clock=self._clock, ping_timeout_s=settings.ping_timeout_s)
            await process.end(grace_s=settings.stop_grace_s)
        await asyncio.to_thread(folder.remove)

    def _add(self, folder: InstanceFolder, record: Record) -> Instance:
        instance = self._instances[record.spec.id] = Instance(
            folder,
            record,
            settings=self._settings,
            clock=self._clock,
            preparer=self._preparer,
            demands=self.demands,
            on_change=lambda: self._on_change(record.spec.endpoint),
        )
        return instance
