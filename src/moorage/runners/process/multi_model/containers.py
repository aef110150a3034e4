"""The containers of an instance that have many models: what they are told, and that they are supplied."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from moorage.core.instance_types import vcpus
from moorage.core.model import Container, InstanceSpec
from moorage.core.model_cache import ModelCache, read_model_cache
from moorage.runners.process.multi_model.channel import Channel
from moorage.runners.process.multi_model.demands import Demands
from moorage.runners.process.multi_model.stock import Stock
from moorage.runners.process.multi_model.supplier import Supplier
from moorage.runners.process.place import Place
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks


def models_folder(place: Place) -> Path:
    """Where the unpacked models of the container at `place` lie."""
    return place.folder.path / "models"


def prepare(spec: InstanceSpec, container: Container, place: Place) -> dict[str, Any]:
    """Make its models' folder; answers `multi_model` of its `launch.json`, see `moorage.runtime.multi_model.limits`.

    Raises OSError.
    """
    folder = models_folder(place)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)  # for the instance's own user to read
    cache = _cache_of(spec, container)
    return {
        "bytes_max": cache.bytes_max,
        "count_max": cache.count_max,
        "pinned": cache.pinned,
        "keeps_models": container.keeps_models,
        "threads": min(vcpus(spec.variant.instance_type), len(os.sched_getaffinity(0))),
    }


@asynccontextmanager
async def supplied(
    spec: InstanceSpec, places: tuple[Place, ...], demands: Demands, clock: Clock
) -> AsyncIterator[None]:
    """Meanwhile every container of the instance that has many models gets those it wants."""
    tasks = BackgroundTasks()
    for container, place in zip(spec.variant.containers, places, strict=True):
        if container.is_multi_model and container.model_data is not None:
            supplier = Supplier(
                Channel(place.socket),
                container.model_data.uri,
                demands=demands,
                stock=Stock(models_folder(place), bytes_max=_disk_bytes_max(spec, container)),
                clock=clock,
            )
            tasks.start(supplier.run(), name=f"supply {spec.id} {container.name}")
    try:
        yield
    finally:
        await tasks.close()


def _disk_bytes_max(spec: InstanceSpec, container: Container) -> int:
    """None stays that is not in memory where models are not kept."""
    return _cache_of(spec, container).disk_bytes_max if container.keeps_models else 0


def _cache_of(spec: InstanceSpec, container: Container) -> ModelCache:
    machine_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return read_model_cache(container.environment, spec.variant.instance_type, machine_bytes=machine_bytes)
