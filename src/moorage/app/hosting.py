"""What endpoints are hosted by, put together: the loop over them and all that it acts through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from moorage.app import credentials
from moorage.app.capacity import open_capacity
from moorage.app.ground import Ground
from moorage.app.signals import open_sampler
from moorage.app.sleeping import open_sleeping
from moorage.control.access import AccessEnforcer
from moorage.control.capacity import Capacity
from moorage.control.endpoints import Control
from moorage.control.fetching import Fetch, Say
from moorage.control.gateways import Gateways
from moorage.control.metrics.model_metrics import ModelMetrics
from moorage.control.principals import Principals
from moorage.control.publisher import Publisher, SnapshotFile
from moorage.control.supplies import Supplies
from moorage.core.model import EndpointKey, ModelData
from moorage.objects.model_data import CachedModelData, silently
from moorage.objects.model_sources import EmbeddedSource, ModelSource
from moorage.objects.object_cache import ObjectCache
from moorage.objects.object_fetcher import ObjectFetcher
from moorage.objects.store import ObjectStore, open_object_store
from moorage.runners.base import ModelFile, ModelFiles
from moorage.runners.process.client import ProcessRunner
from moorage.runners.process.multi_model.client import AgentDemands, AgentManyModels
from moorage.system.signals import KeyedSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """What endpoints are hosted by."""

    control: Control
    changed: KeyedSignal[EndpointKey]
    """Notified of an endpoint after every save of it."""
    runner: ProcessRunner
    many_models: AgentManyModels
    objects: ObjectStore
    model_data: CachedModelData
    publisher: Publisher
    principals: Principals
    access: AccessEnforcer
    capacity: Capacity

    def ready_counts(self, key: EndpointKey) -> Mapping[str, int]:
        """How many instances of each variant gateways send requests to."""
        route = self.publisher.published(key)
        return {variant.name: len(variant.instances) for variant in route.variants} if route else {}


async def open_hosting(ground: Ground) -> Hosting:
    """Take up the work on endpoints where it was left."""
    settings, clock, parts, store = ground.settings, ground.clock, ground.parts, ground.store
    changed = KeyedSignal[EndpointKey]()
    objects = await _open_objects(ground)
    model_data = await _open_model_data(ground, objects)
    runner = ProcessRunner(settings.agent_socket, clock)
    gateways = Gateways(settings.run_dir)
    parts.callback(gateways.close)
    principals = Principals(
        store,
        root=credentials.root_holder(credentials.load(settings)),
        secret_of=credentials.secret_of(ground.secrets),
    )
    publisher = Publisher(
        SnapshotFile(settings.snapshot_path, key=ground.secrets.snapshot_key),
        gateways,
        account_id=settings.account_id,
        access=await principals.load(),
    )
    access = AccessEnforcer(principals, publisher, clock)
    parts.push_async_callback(access.close)
    fetch = _fetch_with(model_data)
    capacity = await open_capacity(ground, runner)
    control = Control(
        store=store,
        runner=runner,
        publisher=publisher,
        gateways=gateways,
        fetch=fetch,
        clock=clock,
        changed=changed,
        capacity=capacity,
    )
    open_sleeping(ground, control, runner)
    await control.start()
    parts.push_async_callback(control.close)
    open_sampler(ground, publisher, runner)
    return Hosting(
        control=control,
        changed=changed,
        runner=runner,
        many_models=_open_many_models(ground, fetch),
        objects=objects,
        model_data=model_data,
        publisher=publisher,
        principals=principals,
        access=access,
        capacity=capacity,
    )


def _open_many_models(ground: Ground, fetch: Fetch) -> AgentManyModels:
    """Bring instances of many models what they miss, and take their measurements."""
    agent, clock = ground.settings.agent_socket, ground.clock
    supplies = Supplies(AgentDemands(agent, clock), fetch, clock)
    supplies.open()
    ground.parts.push_async_callback(supplies.close)
    many_models = AgentManyModels(agent)
    model_metrics = ModelMetrics(many_models, ground.sink, clock=clock)
    model_metrics.open()
    ground.parts.push_async_callback(model_metrics.close)
    return many_models


async def _open_objects(ground: Ground) -> ObjectStore:
    folder = ground.settings.data_dir
    objects = await open_object_store(folder / "objects", key_path=folder / "objects.key", clock=ground.clock)
    ground.parts.push_async_callback(objects.close)
    return objects


async def _open_model_data(ground: Ground, objects: ObjectStore) -> CachedModelData:
    settings, parts = ground.settings, ground.parts
    sources: list[ModelSource] = [EmbeddedSource(objects)]
    if settings.external_s3 is not None:
        from moorage.objects.external_source import ExternalSource  # boto3 takes a fifth of a second to import

        external = ExternalSource(settings.external_s3)
        parts.push_async_callback(external.close)
        sources.append(external)
    cache = ObjectCache(settings.data_dir / "archives", bytes_max=settings.archive_cache_bytes_max)
    fetcher = ObjectFetcher(cache, files=objects.files, clock=ground.clock)
    await fetcher.prepare()
    parts.push_async_callback(fetcher.close)
    return CachedModelData(sources, fetcher)


def _fetch_with(model_data: CachedModelData) -> Fetch:
    async def fetch(data: ModelData, say: Say = silently) -> ModelFiles:
        local = await model_data.fetch(data, say)
        files = tuple(ModelFile(path, file.path) for path, file in local.files.items())
        return ModelFiles(data.form, local.digest, files)

    return fetch
